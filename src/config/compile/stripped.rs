//! What is removed from requests on their way to the upstream.

use std::cell::RefCell;

use super::Compiler;
use super::rules::CompiledRules;
use crate::authorize::Everywhere;
use crate::authorize::condition::Condition;
use crate::config::at::At;
use crate::config::document::overrides::Overrides;
use crate::config::fault::{Fault, InvalidHeader, NeverMatches};
use crate::config::read::{Items, Typed};
use crate::credential::{Carrier, Grammar, Location, LocationId, Part};
use crate::grammar::is_token;
use crate::identity::Identity;
use crate::plan::{AfterScheme, Rule, Rules, Stripped};
use crate::request::FieldNames;
use crate::request::overrides::{self, HOST, METHOD, PATH};

/// Headers with credentials that no provider reads (RFC 9110 §11.6.2, §11.7.2, RFC 6265 §5.4).
const CREDENTIALS: [&str; 4] = ["authorization", PROXY_AUTHORIZATION, "cookie", PROOF];

/// The header with the proof of possession of a token's key (RFC 9449 §4.1).
const PROOF: &str = "dpop";

/// A credential for a proxy ends at the first proxy (RFC 9110 §11.7.2).
const PROXY_AUTHORIZATION: &str = "proxy-authorization";

/// Which overrides are forwarded to the upstream.
enum Forwarded {
    /// All.
    All,
    /// Those with these names.
    These(Vec<String>),
}

impl Compiler<'_> {
    /// What is removed from every request. A rule that matches such a header is rejected.
    pub(super) fn stripped(
        &mut self,
        typed: &Typed<Option<Overrides>>,
        rules: &CompiledRules,
        require: &Everywhere,
        identity: &Identity,
    ) -> Stripped {
        let mut claims = identity.protected();
        self.reject_by(
            rules,
            require,
            |name| claims.have(name),
            NeverMatches::Identity,
        );
        let forwarded = self.forwarded(typed);
        let (fields, parameters) = match &forwarded {
            Ok(Forwarded::These(names)) => stripped_overrides(names, &rules.rules, require),
            Ok(Forwarded::All) | Err(_) => Default::default(),
        };
        self.reject_by(
            rules,
            require,
            |name| fields.have(name),
            NeverMatches::Override,
        );
        claims.extend(&fields);
        let rules = &rules.rules;
        let addresses = match &forwarded {
            Ok(Forwarded::These(names)) => addresses(names, rules, require),
            Ok(Forwarded::All) | Err(_) => FieldNames::default(),
        };
        let (mut headers, mut cookies, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
        for location in &self.locations {
            match location.carrier.part() {
                Part::Header(name) => headers.push(name),
                Part::Cookie(name) => cookies.push(name),
                Part::Parameter(name) => tokens.push(name),
            }
        }
        let credentials = FieldNames::of(CREDENTIALS.into_iter().chain(headers));
        let mut preflight = credentials.clone();
        preflight.extend(&METHOD.fields());
        let fields = self.fields(&claims, rules, require, identity);
        let mut either = fields.clone();
        either.extend(&addresses);
        Stripped {
            fields,
            claims,
            addresses,
            either,
            credentials,
            preflight,
            schemes: self.schemes(),
            overrides: parameters,
            tokens: distinct(tokens.into_iter()),
            cookies: distinct(cookies.into_iter()),
        }
    }

    fn forwarded(&mut self, typed: &Typed<Option<Overrides>>) -> Typed<Forwarded> {
        let names = match typed.as_ref().map_err(|reported| *reported)? {
            None | Some(Overrides::Strip) => return Ok(Forwarded::These(Vec::new())),
            Some(Overrides::Forward) => return Ok(Forwarded::All),
            Some(Overrides::ForwardThese(names)) => names,
        };
        let at = At::Root.member("overrides");
        let at = at.member("forward");
        if names.as_ref().is_ok_and(Vec::is_empty) {
            return Err(self.report(&at, Fault::Empty("name")));
        }
        let names = names.each(&at, |at, name| self.forwarded_name(at, name));
        names.whole().map(Forwarded::These)
    }

    fn forwarded_name(&mut self, at: &At<'_>, name: &str) -> Typed<String> {
        self.diagnostics
            .literal_or(at, name, "`overrides: forward` forwards all")?;
        if !is_token(name) || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(self.report(at, InvalidHeader::Override));
        }
        if !overrides::ALL.iter().any(|all| all.have(name)) {
            let names = overrides::ALL.iter().flat_map(|all| all.names());
            return Err(self.unknown_name(at, "override", name, names));
        }
        Ok(name.to_owned())
    }

    /// The headers that are removed from every request: identity headers, overrides, those that end at this proxy, and those
    /// that an upstream could take for a header that a provider, a rule or a condition looks at.
    fn fields(
        &self,
        claims: &FieldNames,
        rules: &Rules,
        require: &Everywhere,
        identity: &Identity,
    ) -> FieldNames {
        let mut fields = claims.clone();
        fields.insert(PROXY_AUTHORIZATION);
        let spellings = RefCell::new(FieldNames::default());
        let looks_at = |name: &str| spellings.borrow_mut().insert_other_spellings(name);
        for location in &self.locations {
            match location.carrier.own_field() {
                Some(name) if identity.strip_credential => {
                    fields.insert(name);
                    if location.grammar == Grammar::DpopToken {
                        fields.insert(PROOF);
                    }
                }
                Some(name) => looks_at(name),
                None => {}
            }
        }
        let in_condition = |condition: &Condition| {
            condition.fields().for_each(looks_at);
            false
        };
        require.has_condition(in_condition);
        for rule in rules.iter() {
            let headers = rule.matches.headers.iter();
            headers.for_each(|(name, _)| looks_at(name));
            rule.has_condition(in_condition);
        }
        let mut spellings = spellings.into_inner();
        // Such a condition can look at any header, and only an unusual name is another spelling of a usual one.
        let looks_at_every_field =
            |rule: &Rule| rule.has_condition(Condition::looks_at_every_field);
        if require.has_condition(Condition::looks_at_every_field)
            || rules.iter().any(looks_at_every_field)
        {
            spellings.insert_unusual();
        }
        fields.extend(&spellings);
        fields
    }

    /// The headers that carry a token after a scheme, each with the scheme.
    fn schemes(&self) -> Vec<AfterScheme> {
        let alone = |field: &str| {
            let is_alone = |location: &Location| matches!(&location.carrier, Carrier::Field(own) if own == field);
            self.locations.iter().position(is_alone).map(LocationId)
        };
        let locations = self.locations.iter().enumerate();
        let schemes = locations.filter_map(|(number, location)| match &location.carrier {
            Carrier::Scheme { field, scheme } => Some(AfterScheme {
                field: field.clone(),
                scheme: scheme.clone(),
                grammar: location.grammar,
                location: LocationId(number),
                alone: alone(field),
            }),
            Carrier::Field(_) | Carrier::Cookie(_) | Carrier::Query(_) => None,
        });
        schemes.collect()
    }

    /// Rejects rules and requirements that look at a header that is removed from every request.
    fn reject_by(
        &mut self,
        rules: &CompiledRules,
        require: &Everywhere,
        is_removed: impl Fn(&[u8]) -> bool,
        why: NeverMatches,
    ) {
        let names_one = |condition: &Condition| {
            let mut fields = condition.fields();
            fields.any(|name| is_removed(name.as_bytes()))
        };
        let in_cel = InvalidHeader::NeverMatches { in_cel: true, why };
        if require.has_condition(names_one) {
            self.report(&At::Root.member("require"), in_cel);
        }
        let at = At::Root.member("rules");
        for (index, rule) in rules.iter() {
            let at = at.item(index);
            let names = rule.matches.headers.iter().map(|(name, _)| name);
            for name in names.filter(|name| is_removed(name.as_bytes())) {
                let at = at.member("match");
                let fault = InvalidHeader::NeverMatches { in_cel: false, why };
                self.report(&at.member("headers").member(name), fault);
            }
            if rule.has_condition(names_one) {
                self.report(&at.member("require"), in_cel);
            }
        }
    }
}

/// The headers and query parameters that override what a rule looks at. What no rule looks at cannot be bypassed.
fn stripped_overrides(
    forwarded: &[String],
    rules: &Rules,
    require: &Everywhere,
) -> (FieldNames, Vec<String>) {
    let looked_at = [
        (
            &METHOD,
            require.has_condition(Condition::looks_at_method) || rules.iter().any(looks_at_method),
        ),
        (&PATH, look_at_path(rules, require)),
        (
            &HOST,
            require.has_condition(Condition::looks_at_host) || rules.look_at_hosts(),
        ),
    ];
    let mut fields = FieldNames::default();
    let mut parameters = Vec::new();
    for (overrides, _) in looked_at.iter().filter(|(_, is_looked_at)| *is_looked_at) {
        fields.extend(&overrides.fields());
        parameters.extend(distinct(overrides.parameters.iter().copied()));
    }
    forwarded.iter().for_each(|name| fields.except(name));
    parameters.retain(|name| !forwarded.contains(name));
    (fields, parameters)
}

/// The headers from which frameworks build the URL of a request, to read a path from it again (Astro, CVE-2025-64525; React
/// Router, CVE-2025-31137).
fn addresses(forwarded: &[String], rules: &Rules, require: &Everywhere) -> FieldNames {
    let mut fields = FieldNames::default();
    if look_at_path(rules, require) {
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

fn look_at_path(rules: &Rules, require: &Everywhere) -> bool {
    let looks_at_path = |rule: &Rule| {
        !rule.matches.paths.is_empty() || rule.has_condition(Condition::looks_at_path)
    };
    require.has_condition(Condition::looks_at_path) || rules.iter().any(looks_at_path)
}

fn distinct<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        if !all.iter().any(|known| known == name) {
            all.push(name.to_owned());
        }
    }
    all
}
