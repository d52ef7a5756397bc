//! Rules: which requests they match, and what they require.

mod gates;
mod hiding;
mod matches;

pub(super) use self::gates::{number_choices, of_strangers};
use super::Compiler;
use super::providers::CompiledProviders;
use super::require::Paths;
use crate::authorize::{Access, Gate, Needs, ReplyId};
use crate::config::at::At;
use crate::config::diagnostic::Whole;
use crate::config::document::rules::{Allow, OnForbidden, OtherCredentials, Rule as RuleDocument};
use crate::config::document::{Document, Fallback};
use crate::config::fault::InvalidRule;
use crate::config::read::{Items, Optional};
use crate::plan::{Match, Rule, Rules};

/// The rules, as far as they could be compiled.
pub(super) struct CompiledRules {
    /// The rules. What is at fault was left out of them.
    pub rules: Rules,
    /// For each rule, its index in the configuration.
    indices: Vec<usize>,
    /// For each rule, whether nothing was left out of what it matches.
    matches: Vec<Whole>,
}

impl CompiledRules {
    /// The rules, each with its index in the configuration.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Rule)> {
        self.indices.iter().copied().zip(self.rules.iter())
    }

    /// The first rule that is known to match every request that `matches` matches.
    fn covering(&self, matches: &Match) -> Option<&Rule> {
        let mut covering = self.rules.covering(matches);
        let is_known = |number: usize| self.matches.get(number).is_some_and(Result::is_ok);
        let known = covering.find(|(number, _)| is_known(*number));
        known.map(|(_, rule)| rule)
    }
}

impl Compiler<'_> {
    pub(super) fn rules(
        &mut self,
        document: &Document,
        providers: &CompiledProviders<'_>,
    ) -> CompiledRules {
        let names = document.rules.list().iter().map(|rule| match rule {
            Ok(rule) => rule.name.as_deref().map_err(|reported| *reported),
            Err(reported) => Err(*reported),
        });
        self.names("rules", &names.collect::<Vec<_>>());
        let mut compiled = CompiledRules {
            rules: Rules::new(self.case),
            indices: Vec::new(),
            matches: Vec::new(),
        };
        let at = At::Root.member("rules");
        for (index, rule) in document.rules.items() {
            let at = at.item(index);
            let (rule, matches) = self.rule(&at, (index, rule), providers);
            if matches.is_ok()
                && let Some(earlier) = compiled.covering(&rule.matches)
            {
                let earlier = earlier.name.clone();
                self.report(&at, InvalidRule::Unreachable { earlier });
            }
            compiled.rules.push(rule);
            compiled.indices.push(index);
            compiled.matches.push(matches);
        }
        compiled
    }

    /// A rule, and whether nothing was left out of what it matches.
    fn rule(
        &mut self,
        at: &At<'_>,
        (position, document): (usize, &RuleDocument),
        providers: &CompiledProviders<'_>,
    ) -> (Rule, Whole) {
        self.reject_contradictions(at, document);
        let compiled = self.matches(&at.member("match"), &document.r#match);
        let paths = Paths {
            patterns: &compiled.matches.paths,
            whole: compiled.paths,
        };
        let access = self.access(at, document, providers, paths);
        let networks = document.networks.given();
        let networks_at = at.member("networks");
        let rule = Rule {
            position,
            name: document.name.clone().unwrap_or_default(),
            access,
            hides: document.on_forbidden.given() == Some(&OnForbidden::NotFound),
            networks: networks.and_then(|networks| self.networks(&networks_at, networks).ok()),
            matches: compiled.matches,
        };
        // A key that is unknown or could not be read may be `match`.
        (rule, document.whole.and(compiled.whole))
    }

    /// Rejects keys that cannot be combined.
    fn reject_contradictions(&mut self, at: &At<'_>, document: &RuleDocument) {
        if !document.allow.is_absent() && !document.require.is_absent() {
            self.report(&at.member("require"), InvalidRule::RequireWithAllow);
        }
        if document.allow.given() == Some(&Allow::Public) && !document.providers.is_absent() {
            self.report(&at.member("providers"), InvalidRule::ProvidersWithPublic);
        }
        let require_all = at.member("require_all");
        if !document.require_all.is_absent() {
            for (key, is_absent) in [
                ("allow", document.allow.is_absent()),
                ("providers", document.providers.is_absent()),
            ] {
                if !is_absent {
                    self.report(&require_all, InvalidRule::RequireAllWith(key));
                }
            }
        }
        let has_providers = !document.require_all.is_absent()
            || !document.providers.is_absent() && document.allow.given() != Some(&Allow::Public);
        if !document.other_credentials.is_absent() && !has_providers && document.respond.is_absent()
        {
            let at = at.member("other_credentials");
            self.report(&at, InvalidRule::OthersOfNone);
        }
        if !document.respond.is_absent() {
            let others = [
                ("allow", document.allow.is_absent()),
                ("providers", document.providers.is_absent()),
                ("require_all", document.require_all.is_absent()),
                ("other_credentials", document.other_credentials.is_absent()),
                ("require", document.require.is_absent()),
                ("on_forbidden", document.on_forbidden.is_absent()),
            ];
            for (key, _) in others.iter().filter(|(_, is_absent)| !is_absent) {
                self.report(&at.member(key), InvalidRule::WithRespond(key));
            }
        }
        if let (Some(allow), Some(_)) = (document.allow.given(), document.on_forbidden.given()) {
            let fault = match allow {
                Allow::Public => InvalidRule::HiddenPublic,
                Allow::Optional => InvalidRule::HiddenOptional,
            };
            self.report(&at.member("on_forbidden"), fault);
        }
    }

    fn access(
        &mut self,
        at: &At<'_>,
        document: &RuleDocument,
        providers: &CompiledProviders<'_>,
        paths: Paths<'_>,
    ) -> Access {
        if let Some(respond) = document.respond.given() {
            let reply = self.fixed_reply(&at.member("respond"), respond);
            self.replies.push(reply);
            return Access::Respond(ReplyId(self.replies.len() - 1));
        }
        let allow = document.allow.given();
        if allow == Some(&Allow::Public) {
            return Access::Public;
        }
        let (accepted, needs) = match document.require_all.is_absent() {
            true => {
                let at = at.member("providers");
                let accepted = self.accepted(&at, &document.providers, providers);
                (accepted, Needs::One)
            }
            false => {
                let at = at.member("require_all");
                let required = self.required_of_all(&at, &document.require_all, providers);
                (required, Needs::Each)
            }
        };
        let require = document.require.given();
        let require_at = at.member("require");
        let requirements =
            require.map(|require| self.requirements(&require_at, require, Some(paths)));
        let gate = Gate {
            needs,
            requirements: requirements.unwrap_or_default(),
            ignores_others: document.other_credentials.given() == Some(&OtherCredentials::Ignore),
            ..self.gate(at, accepted, providers)
        };
        match allow {
            Some(_) => Access::Optional(gate),
            None => Access::Required(gate),
        }
    }

    /// What decides where no rule matches.
    pub(super) fn default(
        &mut self,
        document: &Document,
        providers: &CompiledProviders<'_>,
    ) -> Access {
        let fallback = match document.default.given() {
            Some(typed) => *typed,
            None if !document.rules.list().is_empty() => Fallback::Deny,
            None => Fallback::Authenticated,
        };
        let at = At::Root.member("default");
        match fallback {
            Fallback::Public => Access::Public,
            // No request passes. So there may be no provider, or two that accept the same tokens.
            Fallback::Deny => Access::Closed(of_strangers(providers)),
            Fallback::Authenticated => Access::Required(self.gate(&at, providers.all(), providers)),
            Fallback::Optional => Access::Optional(self.gate(&at, providers.all(), providers)),
        }
    }
}
