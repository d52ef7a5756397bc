//! What is required of every caller, and whether every tenant of an issuer is accepted.

use super::Compiler;
use super::providers::CompiledProviders;
use super::rules::CompiledRules;
use crate::authenticate::jose::claims::ClaimPath;
use crate::authenticate::jwt::Issuer;
use crate::authenticate::{Method, Provider, ProviderId};
use crate::authorize::{Access, Everywhere, Requirements};
use crate::config::at::At;
use crate::config::document::Document;
use crate::config::fault::{InvalidRequirement, InvalidRule, Warning};
use crate::config::read::Optional;

impl Compiler<'_> {
    /// The top-level `require`.
    pub(super) fn everywhere(&mut self, document: &Document) -> Everywhere {
        let at = At::Root.member("require");
        let require = document.require.given();
        let requirements = require.map(|require| self.requirements(&at, require, None));
        Everywhere(requirements.unwrap_or_default())
    }

    /// Rejects a top-level `require` that no caller can meet, and warns of one that applies to nobody.
    pub(super) fn judge_everywhere(
        &mut self,
        document: &Document,
        require: &Everywhere,
        rules: &CompiledRules,
        default: &Access,
        providers: &CompiledProviders<'_>,
    ) {
        if document.require.is_absent() {
            return;
        }
        let accepts = |access: &Access| match access {
            Access::Optional(_) | Access::Required(_) => true,
            Access::Public | Access::Respond(_) | Access::Closed(_) => false,
        };
        let is_used = accepts(default) || rules.iter().any(|(_, rule)| accepts(&rule.access));
        let at = At::Root.member("require");
        // Where a credential is accepted, a missing provider is reported already.
        if !is_used && providers.are_none() {
            self.report(&at, InvalidRule::NoProvider);
        } else if !is_used {
            self.warn(&at, Warning::RequiredOfNobody);
        }
        let Everywhere(Requirements { acr, .. }) = require;
        let at = At::Root.member("rules");
        for (index, rule) in rules.iter() {
            let own = rule.access.gate().map(|gate| &gate.requirements.acr);
            let own = own.filter(|own| !own.is_empty() && !acr.is_empty());
            if own.is_some_and(|own| !own.iter().any(|class| acr.contains(class))) {
                let at = at.item(index);
                self.report(
                    &at.member("require").member("acr"),
                    InvalidRequirement::NoCommonClass,
                );
            }
        }
    }

    /// Warns of issuers with a `{claim}` that nothing restricts: everyone who can have such an issuer has valid tokens.
    pub(super) fn warn_of_open_issuers(
        &mut self,
        providers: &[Provider],
        require: &Everywhere,
        rules: &CompiledRules,
    ) {
        let at = At::Root.member("providers");
        for (index, provider) in providers.iter().enumerate() {
            let Method::Jwt(jwt) = &provider.method;
            let Issuer::PerClaim { claim, .. } = &jwt.issuer else {
                continue;
            };
            let restricts = |own: &ClaimPath| *own == *claim || *own == ClaimPath::known("iss");
            let mut gates = rules.iter().filter_map(|(_, rule)| rule.access.gate());
            let is_restricted = jwt.require_claims.iter().any(|own| restricts(&own.claim))
                || require.0.restrict(claim, &restricts)
                || gates.any(|gate| {
                    gate.providers.contains(&ProviderId(index))
                        && gate.requirements.restrict(claim, &restricts)
                });
            if !is_restricted {
                let claim = claim.to_string();
                let at = at.item(index);
                self.warn(
                    &at.member("jwt").member("issuer"),
                    Warning::OpenIssuer { claim },
                );
            }
        }
    }
}

impl Requirements {
    /// Whether a requirement, which may be one of several alternatives, names one of the claims.
    fn restrict(&self, claim: &ClaimPath, is_one: &impl Fn(&ClaimPath) -> bool) -> bool {
        let looks_at_claim = |condition: &crate::authorize::condition::Condition| {
            condition.looks_at_claim("iss") || condition.looks_at_claim(&claim.to_string())
        };
        self.claims.iter().any(|own| is_one(&own.claim))
            || self.condition.as_ref().is_some_and(looks_at_claim)
            || self.any_of.iter().any(|one| one.restrict(claim, is_one))
    }
}
