//! Document → Plan: what each value means, and whether they go together.

use std::collections::BTreeMap;
use std::time::Duration;

use super::diagnostic::{Diagnostic, Fault, Faults, nearest};
use super::document::{
    Allow, AudienceList, AuditLog, ClaimNames as ClaimNamesDocument, Crypto as CryptoDocument,
    Document, Fallback, Jwt, Match as MatchDocument, Provider as ProviderDocument, Require,
    Rule as RuleDocument,
};
use crate::authenticate::claims::{ClaimNames, ClaimPath};
use crate::authenticate::jwk::{Source, parse_set};
use crate::authenticate::jwt::{Audiences, Issuer, TrustedKey, Verifier};
use crate::authenticate::signature::Algorithm;
use crate::authenticate::{Method, Provider};
use crate::authorize::{Names, Requirements};
use crate::plan::{Access, Audit, Crypto, Gate, Match, Plan, Policy, Presentation, Rule};
use crate::request::authority::HostPattern;
use crate::request::path::Pattern;
use crate::response::challenge::can_be_quoted;
use crate::scheme::Scheme;

/// What a compilation yields; the plan is to be used only if no fault was reported.
pub struct Compiled {
    /// The plan.
    pub plan: Plan,
    /// What the document's author should know.
    pub warnings: Vec<Diagnostic>,
}

/// Compiles a document, reporting every fault.
pub fn compile(document: &Document, faults: &mut Faults) -> Compiled {
    let mut compiler = Compiler {
        faults,
        warnings: Vec::new(),
    };
    let plan = compiler.plan(document);
    Compiled {
        plan,
        warnings: compiler.warnings,
    }
}

struct Compiler<'f> {
    faults: &'f mut Faults,
    warnings: Vec<Diagnostic>,
}

impl Compiler<'_> {
    fn plan(&mut self, document: &Document) -> Plan {
        let presentation = self.presentation(document);
        let documents = document.providers.as_deref().unwrap_or_default();
        let names: Vec<&str> = documents
            .iter()
            .map(|provider| provider.name.as_str())
            .collect();
        self.names("providers", &names);
        let providers: Vec<_> = documents
            .iter()
            .enumerate()
            .map(|(place, provider)| self.provider(place, provider))
            .collect();
        let rules = self.rules(document, &names, &providers);
        let default = self.default(document, &providers);
        // A provider at fault has left a hole in the list; such a plan is never used.
        let providers = providers.into_iter().flatten().collect();
        Plan {
            presentation,
            audit: match document.audit.as_ref().and_then(|audit| audit.log) {
                None | Some(AuditLog::Denied) => Audit::Denied,
                Some(AuditLog::All) => Audit::All,
                Some(AuditLog::None) => Audit::None,
            },
            crypto: match document.crypto {
                None | Some(CryptoDocument::Auto) => Crypto::Auto,
                Some(CryptoDocument::Host) => Crypto::Host,
                Some(CryptoDocument::Wasm) => Crypto::Wasm,
            },
            policy: Some(Policy {
                providers,
                rules,
                default,
            }),
        }
    }

    fn presentation(&mut self, document: &Document) -> Presentation {
        let mut presentation = Presentation::default();
        if let Some(realm) = &document.realm {
            if !can_be_quoted(realm) {
                self.invalid(
                    "realm",
                    "a challenge can carry visible ASCII and spaces only",
                );
            }
            presentation.realm.clone_from(realm);
        }
        let responses = document.responses.as_ref();
        if let Some(description) = responses.and_then(|responses| responses.error_description) {
            presentation.error_description = description;
        }
        presentation
    }

    /// Names are not empty and not given twice.
    fn names(&mut self, list: &str, names: &[&str]) {
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, name) in names.iter().enumerate() {
            let path = format!("{list}[{place}].name");
            if name.is_empty() || !can_be_quoted(name) {
                self.invalid(path, "a name is visible ASCII, and not empty");
            } else if let Some(taken) = first.get(name) {
                let fault = Fault::DuplicateName((*name).to_owned(), format!("{list}[{taken}]"));
                self.faults.report(path, fault);
            } else {
                first.insert(name, place);
            }
        }
    }

    fn provider(&mut self, place: usize, document: &ProviderDocument) -> Option<Provider> {
        let path = format!("providers[{place}]");
        let Some(jwt) = &document.jwt else {
            if !self.faults.any_within(&path) {
                self.faults.report(path, Fault::Missing("a method: `jwt`"));
            }
            return None;
        };
        Some(Provider {
            name: document.name.clone(),
            method: Method::Jwt(self.jwt(&format!("{path}.jwt"), jwt)),
        })
    }

    fn jwt(&mut self, path: &str, jwt: &Jwt) -> Verifier {
        let require = jwt
            .require
            .clone()
            .unwrap_or_else(|| vec!["exp".to_owned()]);
        if !require.iter().any(|claim| claim == "exp") {
            self.warn(
                format!("{path}.require"),
                "without `exp`, tokens that never expire are accepted",
            );
        }
        Verifier {
            issuer: self.issuer(path, &jwt.issuer),
            audiences: self.audiences(path, &jwt.audiences),
            keys: self.keys(path, jwt),
            require,
            clock_skew: jwt
                .clock_skew
                .map_or(Duration::from_secs(60), |span| span.0),
            names: self.claim_names(path, jwt.claims.as_ref()),
        }
    }

    fn issuer(&mut self, path: &str, text: &str) -> Issuer {
        let path = format!("{path}.issuer");
        if text.is_empty() {
            self.invalid(path, "an issuer is not empty");
            return Issuer::Exact(String::new());
        }
        let Some((before, rest)) = text.split_once('{') else {
            return Issuer::Exact(text.to_owned());
        };
        match rest.split_once('}') {
            Some((claim, after)) if !claim.is_empty() && !after.contains(['{', '}']) => {
                // Whoever may choose the first segment may choose the host.
                let host_is_fixed = before
                    .split_once("://")
                    .is_none_or(|(_, rest)| rest.contains('/'));
                if !host_is_fixed {
                    self.invalid(path, "the claim may not stand for the host of the issuer");
                }
                Issuer::PerClaim {
                    before: before.to_owned(),
                    claim: claim.to_owned(),
                    after: after.to_owned(),
                }
            }
            _ => {
                self.invalid(path, "an issuer may hold one `{claim}`");
                Issuer::Exact(text.to_owned())
            }
        }
    }

    fn audiences(&mut self, path: &str, audiences: &AudienceList) -> Audiences {
        let path = format!("{path}.audiences");
        match audiences {
            AudienceList::Any => {
                self.warn(
                    path,
                    "`any` accepts tokens that were issued for other services",
                );
                Audiences::Any
            }
            AudienceList::OneOf(names) => {
                if names.is_empty() || names.iter().any(String::is_empty) {
                    self.invalid(path, "there is at least one audience, and none is empty");
                } else if names.iter().any(|name| name == "any") {
                    self.invalid(path, "`any` stands alone: it switches the check off");
                }
                Audiences::OneOf(names.clone())
            }
        }
    }

    fn keys(&mut self, path: &str, jwt: &Jwt) -> Vec<TrustedKey> {
        let algorithms = self.algorithms(path, jwt.algorithms.as_deref());
        let path = format!("{path}.jwks");
        let Some(inline) = &jwt.jwks.inline else {
            if !self.faults.any_within(&path) {
                self.faults
                    .report(path, Fault::Missing("where the keys come from: `inline`"));
            }
            return Vec::new();
        };
        let path = format!("{path}.inline");
        let set = match parse_set(inline, Source::Inline) {
            Ok(set) => set,
            Err(fault) => {
                self.invalid(path, fault.to_string());
                return Vec::new();
            }
        };
        for refused in &set.refused {
            let place = format!("{path}.keys[{}]", refused.index);
            self.warn(place, &format!("this key is not used: {}", refused.fault));
        }
        let keys: Vec<_> = set
            .keys
            .into_iter()
            .filter_map(|jwk| TrustedKey::new(jwk, algorithms.as_deref()))
            .collect();
        if keys.is_empty() {
            let reasons: Vec<_> = set
                .refused
                .iter()
                .map(|refused| format!("keys[{}]: {}", refused.index, refused.fault))
                .collect();
            let reasons = if reasons.is_empty() {
                String::new()
            } else {
                format!(" ({})", reasons.join("; "))
            };
            self.invalid(
                path,
                format!("no key can verify a token with the algorithms that are accepted{reasons}"),
            );
        }
        keys
    }

    fn algorithms(&mut self, path: &str, names: Option<&[String]>) -> Option<Vec<Algorithm>> {
        let names = names?;
        let path = format!("{path}.algorithms");
        if names.is_empty() {
            self.invalid(path.clone(), "there is at least one algorithm");
        }
        let known = || Algorithm::ALL.iter().map(|algorithm| algorithm.name());
        let mut algorithms = Vec::new();
        for (place, name) in names.iter().enumerate() {
            match Algorithm::from_name(name) {
                Some(algorithm) => algorithms.push(algorithm),
                None => self.unknown_name(format!("{path}[{place}]"), "algorithm", name, known()),
            }
        }
        Some(algorithms)
    }

    fn claim_names(&mut self, path: &str, document: Option<&ClaimNamesDocument>) -> ClaimNames {
        let mut names = ClaimNames::default();
        let Some(document) = document else {
            return names;
        };
        if let Some(subject) = &document.subject {
            names.subject = ClaimPath::new(subject);
        }
        for (own, typed) in [
            (&mut names.scopes, &document.scopes),
            (&mut names.roles, &document.roles),
            (&mut names.groups, &document.groups),
        ] {
            if let Some(typed) = typed {
                *own = typed.iter().map(ClaimPath::new).collect();
            }
        }
        let typed = [&document.scopes, &document.roles, &document.groups];
        let mut texts = typed
            .into_iter()
            .flatten()
            .flatten()
            .chain(&document.subject);
        if texts.any(String::is_empty) {
            self.invalid(format!("{path}.claims"), "a claim's name is not empty");
        }
        names
    }

    fn rules(
        &mut self,
        document: &Document,
        names: &[&str],
        providers: &[Option<Provider>],
    ) -> Vec<Rule> {
        let documents = document.rules.as_deref().unwrap_or_default();
        let rule_names: Vec<&str> = documents.iter().map(|rule| rule.name.as_str()).collect();
        self.names("rules", &rule_names);
        let mut rules: Vec<Rule> = Vec::with_capacity(documents.len());
        for (place, rule) in documents.iter().enumerate() {
            let path = format!("rules[{place}]");
            let rule = self.rule(&path, rule, names, providers);
            let cover = rules
                .iter()
                .find(|earlier| earlier.matches.covers(&rule.matches));
            if let Some(cover) = cover
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
        let access = if rule.allow == Some(Allow::Public) {
            Access::Public
        } else {
            let accepted = self.accepted(path, rule.providers.as_deref(), names);
            let gate = Gate {
                requirements: self.requirements(path, rule.require.as_ref()),
                ..self.gate(path, accepted, providers)
            };
            match rule.allow {
                Some(_) => Access::Optional(gate),
                None => Access::Required(gate),
            }
        };
        Rule {
            name: rule.name.clone(),
            matches: rule
                .r#match
                .as_ref()
                .map(|matches| self.matches(&format!("{path}.match"), matches))
                .unwrap_or_default(),
            access,
        }
    }

    /// The places of the providers that a rule names, in the order of the document; all where it names none.
    fn accepted(&mut self, path: &str, typed: Option<&[String]>, names: &[&str]) -> Vec<usize> {
        let Some(typed) = typed else {
            return (0..names.len()).collect();
        };
        if typed.is_empty() {
            self.invalid(
                format!("{path}.providers"),
                "there is at least one provider",
            );
        }
        let mut places = Vec::new();
        for (index, name) in typed.iter().enumerate() {
            match names.iter().position(|known| known == name) {
                Some(place) => places.push(place),
                None => {
                    let path = format!("{path}.providers[{index}]");
                    self.unknown_name(path, "provider", name, names.iter().copied());
                }
            }
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    fn gate(&mut self, path: &str, accepted: Vec<usize>, providers: &[Option<Provider>]) -> Gate {
        if providers.is_empty() {
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
        accepted: &[usize],
        providers: &[Option<Provider>],
    ) {
        let named: Vec<_> = at_places(accepted, providers).collect();
        for (index, one) in named.iter().enumerate() {
            for two in named.iter().skip(index + 1) {
                let (Method::Jwt(first), Method::Jwt(second)) = (&one.method, &two.method);
                if first.issuer.overlaps(&second.issuer) {
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

    fn requirements(&mut self, path: &str, require: Option<&Require>) -> Requirements {
        let Some(require) = require else {
            return Requirements::default();
        };
        let path = format!("{path}.require");
        let all_and_any = [
            ("scopes", &require.scopes),
            ("any_scopes", &require.any_scopes),
            ("roles", &require.roles),
            ("any_roles", &require.any_roles),
            ("groups", &require.groups),
            ("any_groups", &require.any_groups),
        ];
        let nothing = all_and_any.iter().all(|(_, names)| names.is_none());
        if nothing && !self.faults.any_within(&path) {
            self.invalid(
                path.clone(),
                "this requires nothing; leave it out to ask for any valid credential",
            );
        }
        for (key, names) in all_and_any {
            if names.as_ref().is_some_and(Vec::is_empty) {
                self.invalid(format!("{path}.{key}"), "there is at least one name");
            }
            for (place, name) in names.iter().flatten().enumerate() {
                let is_scope = key.ends_with("scopes");
                if name.is_empty() || is_scope && !is_scope_token(name) {
                    let what = "a scope is visible ASCII without space, `\"` and `\\`";
                    let what = if is_scope {
                        what
                    } else {
                        "a name is not empty"
                    };
                    self.invalid(format!("{path}.{key}[{place}]"), what);
                }
            }
        }
        let names = |all: &Option<Vec<String>>, any: &Option<Vec<String>>| Names {
            all: all.clone().unwrap_or_default(),
            any: any.clone().unwrap_or_default(),
        };
        Requirements {
            scopes: names(&require.scopes, &require.any_scopes),
            roles: names(&require.roles, &require.any_roles),
            groups: names(&require.groups, &require.any_groups),
        }
    }

    fn matches(&mut self, path: &str, document: &MatchDocument) -> Match {
        let mut matches = Match::default();
        for (key, entries) in [
            ("paths", document.paths.as_ref()),
            ("methods", document.methods.as_ref()),
            ("hosts", document.hosts.as_ref()),
        ] {
            if entries.is_some_and(Vec::is_empty) {
                self.invalid(
                    format!("{path}.{key}"),
                    "an empty list fits nothing; leave it out to fit all",
                );
            }
        }
        for (place, text) in document.paths.iter().flatten().enumerate() {
            match Pattern::parse(text) {
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
            if !is_token(name) {
                self.invalid(
                    format!("{path}.headers.{name}"),
                    "this is no header field's name",
                );
            }
            matches
                .headers
                .push((name.to_ascii_lowercase(), value.clone()));
        }
        matches
    }

    fn default(&mut self, document: &Document, providers: &[Option<Provider>]) -> Access {
        let has_rules = document
            .rules
            .as_ref()
            .is_some_and(|rules| !rules.is_empty());
        let fallback = match document.default {
            Some(typed) => typed,
            None if has_rules => Fallback::Deny,
            None => Fallback::Authenticated,
        };
        let everyone = (0..providers.len()).collect();
        match fallback {
            Fallback::Public => Access::Public,
            // Nobody passes, so there may be no provider, or two that claim the same token.
            Fallback::Deny => Access::Closed(gate_of(everyone, providers)),
            Fallback::Authenticated => Access::Required(self.gate("default", everyone, providers)),
            Fallback::Optional => Access::Optional(self.gate("default", everyone, providers)),
        }
    }

    fn unknown_name<'n>(
        &mut self,
        path: String,
        kind: &'static str,
        name: &str,
        known: impl Iterator<Item = &'n str>,
    ) {
        let fault = Fault::UnknownName {
            kind,
            name: name.to_owned(),
            nearest: nearest(name, known),
        };
        self.faults.report(path, fault);
    }

    fn invalid(&mut self, path: impl Into<String>, what: impl Into<String>) {
        self.faults.report(path, Fault::Invalid(what.into()));
    }

    fn warn(&mut self, path: impl Into<String>, what: &str) {
        self.warnings.push(Diagnostic {
            path: path.into(),
            fault: Fault::Invalid(what.to_owned()),
        });
    }
}

/// A gate that accepts any credential of these providers.
fn gate_of(accepted: Vec<usize>, providers: &[Option<Provider>]) -> Gate {
    let mut schemes: Vec<Scheme> = Vec::new();
    for provider in at_places(&accepted, providers) {
        if !schemes.contains(&provider.scheme()) {
            schemes.push(provider.scheme());
        }
    }
    Gate {
        providers: accepted,
        schemes,
        requirements: Requirements::default(),
    }
}

fn at_places<'p>(
    places: &[usize],
    providers: &'p [Option<Provider>],
) -> impl Iterator<Item = &'p Provider> {
    places
        .iter()
        .filter_map(|place| providers.get(*place)?.as_ref())
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3).
fn is_scope_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

/// `token` (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
