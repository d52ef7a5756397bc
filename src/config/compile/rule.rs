//! Rules: which requests they are for, and what they ask.

use super::Compiler;
use crate::authenticate::{Offer, Provider, ProviderId};
use crate::authorize::{Access, Gate, ReplyId, Requirements};
use crate::config::diagnostic::Fault;
use crate::config::document::{
    Allow, Document, Fallback, Match as MatchDocument, OnForbidden, Rule as RuleDocument,
};
use crate::grammar::is_token;
use crate::plan::{Match, Rule, Rules};
use crate::presentation::fixed::FixedReply;
use crate::request::host::HostPattern;
use crate::request::path::Pattern;

impl Compiler<'_> {
    pub(super) fn rules(
        &mut self,
        document: &Document,
        names: &[&str],
        providers: &[Option<Provider>],
    ) -> Rules {
        let documents = document.rules.as_deref().unwrap_or_default();
        let rule_names: Vec<&str> = documents.iter().map(|rule| rule.name.as_str()).collect();
        self.names("rules", &rule_names);
        let mut rules = Rules::new(self.case);
        for (place, rule) in documents.iter().enumerate() {
            let path = format!("rules[{place}]");
            let rule = self.rule(&path, rule, names, providers);
            // What is wrong with an earlier match says nothing about what it was meant to fit.
            let cover = rules
                .covering(&rule.matches)
                .find(|(earlier, _)| !self.faults.any_within(&format!("rules[{earlier}].match")));
            if let Some((_, cover)) = cover
                && !self.faults.any_within(&path)
            {
                self.faults
                    .report(path, Fault::Unreachable(cover.name.clone()));
            }
            rules.push(rule);
        }
        rules
    }

    fn rule(
        &mut self,
        path: &str,
        rule: &RuleDocument,
        names: &[&str],
        providers: &[Option<Provider>],
    ) -> Rule {
        if rule.allow.is_some() && rule.require.is_some() {
            self.invalid(
                format!("{path}.require"),
                "`allow` asks for nothing, `require` does",
            );
        }
        if rule.allow == Some(Allow::Public) && rule.providers.is_some() {
            self.invalid(
                format!("{path}.providers"),
                "`allow: public` looks at no credential",
            );
        }
        if rule.respond.is_some() {
            let others = [
                ("allow", rule.allow.is_some()),
                ("providers", rule.providers.is_some()),
                ("require", rule.require.is_some()),
                ("on_forbidden", rule.on_forbidden.is_some()),
            ];
            for (key, _) in others.iter().filter(|(_, is_there)| *is_there) {
                self.invalid(
                    format!("{path}.{key}"),
                    format!("`respond` answers whoever asks, and leaves nothing for `{key}`"),
                );
            }
        }
        let forbids_nothing = match rule.allow {
            Some(Allow::Public) => Some("`allow: public` forbids nothing"),
            Some(Allow::Optional) => {
                Some("`allow: optional` lets requests without a credential pass, and hides nothing")
            }
            None => None,
        };
        if let (Some(_), Some(what)) = (rule.on_forbidden, forbids_nothing) {
            self.invalid(format!("{path}.on_forbidden"), what);
        }
        let matches = rule
            .r#match
            .as_ref()
            .map(|matches| self.matches(&format!("{path}.match"), matches))
            .unwrap_or_default();
        let access = if let Some(respond) = &rule.respond {
            let reply = self.fixed_reply(&format!("{path}.respond"), respond);
            self.replies.push(reply);
            Access::Respond(ReplyId(self.replies.len() - 1))
        } else if rule.allow == Some(Allow::Public) {
            Access::Public
        } else {
            let accepted = self.accepted(path, rule.providers.as_deref(), names);
            let gate = Gate {
                requirements: self.requirements(path, rule.require.as_ref(), &matches),
                ..self.gate(path, accepted, providers)
            };
            match rule.allow {
                Some(_) => Access::Optional(gate),
                None => Access::Required(gate),
            }
        };
        Rule {
            name: rule.name.clone(),
            matches,
            access,
            networks: rule
                .networks
                .as_ref()
                .map(|networks| self.networks(&format!("{path}.networks"), networks)),
            hides: rule.on_forbidden == Some(OnForbidden::NotFound),
        }
    }

    /// The providers that a rule names, in the order of the configuration; all where it names none.
    fn accepted(
        &mut self,
        path: &str,
        typed: Option<&[String]>,
        names: &[&str],
    ) -> Vec<ProviderId> {
        let Some(typed) = typed else {
            return all(names.len());
        };
        if typed.is_empty() {
            self.invalid(
                format!("{path}.providers"),
                "there is at least one provider",
            );
        }
        let mut accepted = Vec::new();
        for (index, name) in typed.iter().enumerate() {
            match names.iter().position(|known| known == name) {
                Some(position) => {
                    let id = ProviderId(position);
                    if let Err(between) = accepted.binary_search(&id) {
                        accepted.insert(between, id);
                    }
                }
                None => {
                    let path = format!("{path}.providers[{index}]");
                    self.unknown_name(path, "provider", name, names.iter().copied());
                }
            }
        }
        accepted
    }

    fn gate(
        &mut self,
        path: &str,
        accepted: Vec<ProviderId>,
        providers: &[Option<Provider>],
    ) -> Gate {
        if providers.is_empty() && !self.faults.any_within("providers") {
            self.invalid(
                path,
                "this asks for a credential, and there is no provider that could vouch for one",
            );
        }
        self.no_two_claim_the_same(path, &accepted, providers);
        gate_of(accepted, providers)
    }

    fn no_two_claim_the_same(
        &mut self,
        path: &str,
        accepted: &[ProviderId],
        providers: &[Option<Provider>],
    ) {
        let named: Vec<_> = of_ids(accepted, providers).collect();
        for (index, one) in named.iter().enumerate() {
            for two in named.iter().skip(index + 1) {
                if one.conflicts_with(two) {
                    self.invalid(
                        path,
                        format!(
                            "the providers `{}` and `{}` would both claim the same token",
                            one.name, two.name
                        ),
                    );
                }
            }
        }
    }

    fn matches(&mut self, path: &str, document: &MatchDocument) -> Match {
        let mut matches = Match::default();
        for (key, entries) in [
            ("paths", document.paths.as_ref()),
            ("methods", document.methods.as_ref()),
            ("hosts", document.hosts.as_ref()),
            ("route", document.route.as_ref()),
            ("policy", document.policy.as_ref()),
        ] {
            if entries.is_some_and(Vec::is_empty) {
                self.invalid(
                    format!("{path}.{key}"),
                    "an empty list fits nothing; leave it out to fit all",
                );
            }
        }
        for (place, text) in document.paths.iter().flatten().enumerate() {
            match Pattern::parse(text, self.case) {
                Ok(pattern) => matches.paths.push(pattern),
                Err(fault) => self.invalid(format!("{path}.paths[{place}]"), fault.to_string()),
            }
        }
        for (place, method) in document.methods.iter().flatten().enumerate() {
            if !is_token(method) || method.bytes().any(|byte| byte.is_ascii_lowercase()) {
                let what = "a method is a token in upper case: methods are case-sensitive";
                self.invalid(format!("{path}.methods[{place}]"), what);
            } else if method == "TRACE" {
                self.invalid(
                    format!("{path}.methods[{place}]"),
                    "TRACE is always refused",
                );
            }
            matches.methods.push(method.clone());
        }
        for (place, text) in document.hosts.iter().flatten().enumerate() {
            match HostPattern::parse(text) {
                Some(pattern) => matches.hosts.push(pattern),
                None => {
                    let what =
                        "a host is a name without a port, `*.` before it for one or more labels";
                    self.invalid(format!("{path}.hosts[{place}]"), what);
                }
            }
        }
        for (name, value) in document.headers.iter().flatten() {
            let field = name.to_ascii_lowercase();
            let names = |(known, _): &(String, String)| *known == field;
            let fault = if !is_token(name) {
                Some("this is no header field's name")
            } else if field == "host" {
                Some("the host is matched by `hosts`")
            } else if matches.headers.iter().any(names) {
                Some("this field is here twice: names have no case")
            } else if value.trim() != value || value.contains(char::is_control) {
                Some("no field has this value: it has space around it, or a control character")
            } else {
                None
            };
            if let Some(fault) = fault {
                self.invalid(format!("{path}.headers.{name}"), fault);
            }
            matches.headers.push((field, value.clone()));
        }
        matches.routes = self.names_on_routes(&format!("{path}.route"), document.route.as_ref());
        matches.policies =
            self.names_on_routes(&format!("{path}.policy"), document.policy.as_ref());
        matches
    }

    /// Warns of rules that clients can tell from no rule, because of what decides where they do not match: the first
    /// visible rule that matches all the same requests, or the default.
    pub(super) fn warn_of_rules_that_cannot_hide(
        &mut self,
        rules: &Rules,
        default: &Access,
        providers: usize,
        not_found: &FixedReply,
    ) {
        for (place, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.hides) {
            let visible = rules.covering(&rule.matches).map(|(_, other)| other);
            let visible = visible.into_iter().find(|other| !other.hides);
            let access = visible.map_or(default, |visible| &visible.access);
            let (under, fix) = match (visible, access) {
                (Some(visible), _) => (
                    format!("under the rule `{}`", visible.name),
                    "require a credential there",
                ),
                (None, Access::Optional(_)) => (
                    "with `default: optional`".to_owned(),
                    "use `default: deny` or `authenticated`",
                ),
                (None, _) => (
                    "with `default: public`".to_owned(),
                    "use `default: deny` or `authenticated`",
                ),
            };
            let what = match access {
                Access::Public => format!(
                    "{under} requests pass without a valid credential, and receive 401 here, which shows that this \
                     rule exists: {fix}"
                ),
                Access::Optional(_) => format!(
                    "{under} requests pass without a credential, and receive 401 here, which shows that this rule \
                     exists: {fix}"
                ),
                Access::Respond(id) if self.replies.get(id.0) != Some(not_found) => format!(
                    "{under} every request receives the response of `respond`, and requests with a valid credential \
                     receive `responses.not_found` here, which shows that this rule exists: configure the same response \
                     in both"
                ),
                Access::Required(gate) if gate.providers.len() < providers => format!(
                    "{under} callers of some providers receive 403, and `responses.not_found` here, which shows \
                     that this rule exists: accept every provider there"
                ),
                Access::Required(_) | Access::Respond(_) | Access::Closed(_) => continue,
            };
            self.warn(format!("rules[{place}].on_forbidden"), &what);
        }
    }

    pub(super) fn default(
        &mut self,
        document: &Document,
        providers: &[Option<Provider>],
    ) -> Access {
        let has_rules = document
            .rules
            .as_ref()
            .is_some_and(|rules| !rules.is_empty());
        let fallback = match document.default {
            Some(typed) => typed,
            None if has_rules => Fallback::Deny,
            None => Fallback::Authenticated,
        };
        let everyone = all(providers.len());
        match fallback {
            Fallback::Public => Access::Public,
            // Nobody passes, so there may be no provider, or two that claim the same token.
            Fallback::Deny => Access::Closed(of_strangers(providers)),
            Fallback::Authenticated => Access::Required(self.gate("default", everyone, providers)),
            Fallback::Optional => Access::Optional(self.gate("default", everyone, providers)),
        }
    }
}

/// What asks for a credential where nobody passes. There may be two providers that claim the same token.
pub(super) fn of_strangers(providers: &[Option<Provider>]) -> Gate {
    gate_of(all(providers.len()), providers)
}

fn all(providers: usize) -> Vec<ProviderId> {
    (0..providers).map(ProviderId).collect()
}

/// A gate that accepts any credential of these providers.
fn gate_of(accepted: Vec<ProviderId>, providers: &[Option<Provider>]) -> Gate {
    let mut offers: Vec<Offer> = Vec::new();
    for provider in of_ids(&accepted, providers) {
        for offer in provider.method.offers() {
            if !offers.contains(offer) {
                offers.push(offer.clone());
            }
        }
    }
    Gate {
        providers: accepted,
        choice: 0,
        offers,
        requirements: Requirements::default(),
    }
}

/// Tells gates apart whose providers could choose differently for one token, which needs two that claim it.
pub(super) fn tell_choices_apart<'a>(
    gates: impl Iterator<Item = &'a mut Gate>,
    providers: &[Provider],
) {
    let rivals = |one: &Provider| {
        providers
            .iter()
            .filter(|two| one.conflicts_with(two))
            .count()
            > 1
    };
    if !providers.iter().any(rivals) {
        return;
    }
    let mut choices: Vec<Vec<ProviderId>> = Vec::new();
    for gate in gates {
        let known = choices.iter().position(|choice| *choice == gate.providers);
        gate.choice = known.unwrap_or(choices.len());
        if known.is_none() {
            choices.push(gate.providers.clone());
        }
    }
}

fn of_ids<'p>(
    ids: &[ProviderId],
    providers: &'p [Option<Provider>],
) -> impl Iterator<Item = &'p Provider> {
    ids.iter().filter_map(|id| providers.get(id.0)?.as_ref())
}
