//! What is required of every caller.

use super::Compiler;
use super::providers::CompiledProviders;
use super::rules::CompiledRules;
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

    /// Rejects a top-level `require` that no caller can meet, and warns of one that applies to no request.
    pub(super) fn check_everywhere(
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
            self.warn(&at, Warning::UnusedRequire);
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
}
