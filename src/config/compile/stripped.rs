//! What is removed from requests on their way to the upstream.

use std::cell::RefCell;

use super::Compiler;
use crate::authorize::condition::Condition;
use crate::config::diagnostic::{Fault, nearest};
use crate::config::document::Overrides;
use crate::credential::Carrier;
use crate::grammar::is_token;
use crate::identity::Identity;
use crate::plan::{Rule, Rules, Stripped};
use crate::request::FieldNames;
use crate::request::overrides::{self, HOST, METHOD, PATH};

/// Where credentials stand that the filter itself may know nothing of (RFC 9110 §11.6.2, §11.7.2, RFC 6265 §5.4).
const CREDENTIALS: [&str; 3] = ["authorization", PROXY_AUTHORIZATION, "cookie"];

/// What is for a proxy ends at the proxy (RFC 9110 §11.7.2), be it this one or none.
const PROXY_AUTHORIZATION: &str = "proxy-authorization";

impl Compiler<'_> {
    /// What is removed from every request; a rule that looks at such a header is a fault.
    pub(super) fn stripped(
        &mut self,
        overrides: Option<&Overrides>,
        rules: &Rules,
        identity: &Identity,
    ) -> Stripped {
        let mut claims = identity.protected();
        self.refuse_rules_by(
            rules,
            |name| claims.have(name),
            "this field is taken out of every request, since it tells who the caller is: from a client it means \
             nothing, and it never chooses a rule",
        );
        let (fields, parameters) = self.overrides(overrides, rules);
        let addresses = addresses(overrides, rules);
        self.refuse_rules_by(
            rules,
            |name| fields.have(name),
            "this header names another method, path or host and is stripped from every request: no rule can look at it \
             unless `overrides` forwards it",
        );
        claims.extend(&fields);
        let served = || self.locations.iter().map(|served| &served.carrier);
        let own_fields = || served().filter_map(Carrier::own_field);
        let credentials = FieldNames::of(CREDENTIALS.into_iter().chain(own_fields()));
        let mut preflight = credentials.clone();
        preflight.extend(&METHOD.fields());
        Stripped {
            fields: self.fields(&claims, rules, identity),
            claims,
            addresses,
            credentials,
            preflight,
            schemes: self.schemes(),
            overrides: parameters,
            tokens: named(served().filter_map(Carrier::parameter)),
            cookies: named(served().filter_map(Carrier::cookie)),
        }
    }

    /// The fields and parameters that name again what a rule looks at: what no rule looks at cannot be got around.
    fn overrides(
        &mut self,
        document: Option<&Overrides>,
        rules: &Rules,
    ) -> (FieldNames, Vec<String>) {
        let Some(forwarded) = forwarded(document) else {
            return Default::default();
        };
        self.check_forwarded(document, forwarded);
        let looked_at = [
            (&METHOD, rules.iter().any(looks_at_method)),
            (&PATH, rules.iter().any(looks_at_path)),
            (&HOST, rules.look_at_hosts()),
        ];
        let mut fields = FieldNames::default();
        let mut parameters = Vec::new();
        for (overrides, _) in looked_at.iter().filter(|(_, is_looked_at)| *is_looked_at) {
            fields.extend(&overrides.fields());
            parameters.extend(named(overrides.parameters.iter().copied()));
        }
        forwarded.iter().for_each(|name| fields.except(name));
        parameters.retain(|name| !forwarded.contains(name));
        (fields, parameters)
    }

    fn check_forwarded(&mut self, document: Option<&Overrides>, forwarded: &[String]) {
        if matches!(document, Some(Overrides::ForwardThese(_))) && forwarded.is_empty() {
            self.invalid("overrides.forward", "expected at least one name");
        }
        for (place, name) in forwarded.iter().enumerate() {
            let path = format!("overrides.forward[{place}]");
            if !is_token(name) || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                self.invalid(
                    path,
                    "expected the name of a header in lower case, or of a query parameter",
                );
            } else if !overrides::ALL.iter().any(|all| all.have(name)) {
                let names = overrides::ALL.iter().flat_map(|all| all.names());
                let fault = Fault::UnknownName {
                    kind: "override",
                    name: name.clone(),
                    nearest: nearest(name, names),
                };
                self.faults.report(path, fault);
            }
        }
    }

    /// The fields that are removed from the head of a request: claims, what ends at this proxy, and what an upstream could
    /// take for a field in which a provider, a rule or a condition looked.
    fn fields(&self, claims: &FieldNames, rules: &Rules, identity: &Identity) -> FieldNames {
        let mut fields = claims.clone();
        fields.insert(PROXY_AUTHORIZATION);
        let spellings = RefCell::new(FieldNames::default());
        let looks_at = |name: &str| spellings.borrow_mut().insert_other_spellings(name);
        for served in &self.locations {
            match served.carrier.own_field() {
                Some(name) if identity.strip_credential => fields.insert(name),
                Some(name) => looks_at(name),
                None => {}
            }
        }
        for rule in rules.iter() {
            let headers = rule.matches.headers.iter();
            headers.for_each(|(name, _)| looks_at(name));
            rule.has_condition(|condition| {
                condition.fields().for_each(looks_at);
                false
            });
        }
        let mut spellings = spellings.into_inner();
        // Such a condition can look at any field, and only an unusual name is another spelling of a usual one.
        let looks_at_every_field =
            |rule: &Rule| rule.has_condition(Condition::looks_at_every_field);
        if rules.iter().any(looks_at_every_field) {
            spellings.insert_unusual();
        }
        fields.extend(&spellings);
        fields
    }

    /// The fields in which a token follows a scheme, unless one may also stand there alone, each with the scheme.
    fn schemes(&self) -> Vec<(String, String)> {
        let places = self.locations.iter();
        let schemes = places.filter_map(|served| match &served.carrier {
            Carrier::Scheme { field, scheme } => Some((field.clone(), scheme.clone())),
            Carrier::Field(_) | Carrier::Cookie(_) | Carrier::Query(_) => None,
        });
        let is_alone = |field: &str| {
            let mut places = self.locations.iter();
            places.any(|served| matches!(&served.carrier, Carrier::Field(own) if own == field))
        };
        schemes.filter(|(field, _)| !is_alone(field)).collect()
    }

    fn refuse_rules_by(&mut self, rules: &Rules, is_meant: impl Fn(&[u8]) -> bool, why: &str) {
        for (place, rule) in rules.iter().enumerate() {
            let names = rule.matches.headers.iter().map(|(name, _)| name);
            for name in names.filter(|name| is_meant(name.as_bytes())) {
                self.invalid(format!("rules[{place}].match.headers.{name}"), why);
            }
            let names_one = |condition: &Condition| {
                let mut fields = condition.fields();
                fields.any(|name| is_meant(name.as_bytes()))
            };
            if rule.has_condition(names_one) {
                self.invalid(
                    format!("rules[{place}].require"),
                    format!("in `cel`: {why}"),
                );
            }
        }
    }
}

/// The overrides that are forwarded by name; none where all of them are.
fn forwarded(document: Option<&Overrides>) -> Option<&[String]> {
    match document {
        None | Some(Overrides::Strip) => Some(&[]),
        Some(Overrides::Forward) => None,
        Some(Overrides::ForwardThese(names)) => Some(names),
    }
}

/// Frameworks put the address of a request together from these, and read a path out of it again (Astro, CVE-2025-64525; React
/// Router, CVE-2025-31137).
fn addresses(document: Option<&Overrides>, rules: &Rules) -> FieldNames {
    let Some(forwarded) = forwarded(document) else {
        return FieldNames::default();
    };
    let mut fields = FieldNames::default();
    if rules.iter().any(looks_at_path) {
        fields = HOST.fields();
        fields.insert("x-forwarded-port");
        fields.insert("x-forwarded-proto");
        forwarded.iter().for_each(|name| fields.except(name));
    }
    fields
}

fn looks_at_method(rule: &Rule) -> bool {
    !rule.matches.methods.is_empty() || rule.has_condition(Condition::looks_at_method)
}

fn looks_at_path(rule: &Rule) -> bool {
    !rule.matches.paths.is_empty() || rule.has_condition(Condition::looks_at_path)
}

fn named<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        if !all.iter().any(|known| known == name) {
            all.push(name.to_owned());
        }
    }
    all
}
