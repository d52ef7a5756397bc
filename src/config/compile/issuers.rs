//! Whether tokens of every tenant of an issuer are valid.

use super::Compiler;
use super::rules::CompiledRules;
use crate::authenticate::jose::claims::{ClaimPath, NameSource};
use crate::authenticate::jwt::Issuer;
use crate::authenticate::{Method, Provider, ProviderId};
use crate::authorize::condition::Condition;
use crate::authorize::{Everywhere, Requirements};
use crate::config::at::At;
use crate::config::fault::Warning;

impl Compiler<'_> {
    /// Warns of issuers with a `{claim}` that nothing restricts: tokens of every tenant are valid.
    pub(super) fn warn_of_open_issuers(
        &mut self,
        providers: &[Provider],
        require: &Everywhere,
        rules: &CompiledRules,
    ) {
        let at = At::Root.member("providers");
        for (index, provider) in providers.iter().enumerate() {
            let Method::Jwt(jwt) = &provider.method else {
                continue;
            };
            let Issuer::PerClaim { claim, .. } = &jwt.issuer else {
                continue;
            };
            let restricts = |own: &ClaimPath| *own == *claim || *own == ClaimPath::known("iss");
            let names = &jwt.names;
            let mapped = [&names.scopes, &names.roles, &names.groups].map(|sources| {
                let mut sources = sources.iter();
                sources.any(|own| matches!(own, NameSource::Value(path) if restricts(path)))
            });
            let mut gates = rules.iter().filter_map(|(_, rule)| rule.access.gate());
            let is_restricted = jwt.require_claims.iter().any(|own| restricts(&own.claim))
                || require.0.restrict(claim, mapped, &restricts)
                || gates.any(|gate| {
                    gate.checks(ProviderId(index))
                        && gate.requirements.restrict(claim, mapped, &restricts)
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
    /// Whether a requirement, which may be one of several alternatives, names one of the claims. `mapped` says whether the
    /// scopes, the roles and the groups are in one of them.
    fn restrict(
        &self,
        claim: &ClaimPath,
        mapped: [bool; 3],
        is_one: &impl Fn(&ClaimPath) -> bool,
    ) -> bool {
        let looks_at_claim = |condition: &Condition| {
            condition.looks_at_claim("iss") || condition.looks_at_claim(&claim.to_string())
        };
        let names = [&self.scopes, &self.roles, &self.groups];
        let mut names = names.into_iter().zip(mapped);
        self.claims.iter().any(|own| is_one(&own.claim))
            || names.any(|(own, is_mapped)| is_mapped && !own.are_none())
            || self.condition.as_ref().is_some_and(looks_at_claim)
            || self
                .any_of
                .iter()
                .any(|one| one.restrict(claim, mapped, is_one))
    }
}
