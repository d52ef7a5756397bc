//! What is required of callers: by a rule, by a provider, and everywhere.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Compiler;
use crate::authenticate::jose::claims::{ClaimPath, RequiredValue, is_exact};
use crate::authorize::claim::{ClaimRequirement, Expected};
use crate::authorize::condition::Condition;
use crate::authorize::names::Name;
use crate::authorize::{OFFLINE_ACCESS, Requirements};
use crate::config::at::At;
use crate::config::diagnostic::{Whole, nearest};
use crate::config::document::rules::Require;
use crate::config::fault::{Fault, InvalidRequirement, Warning};
use crate::config::read::{Entries, Items, List, Mapping, Optional, Typed, is_in_curly_quotes};
use crate::grammar::is_oauth_text;
use crate::request::path::{Case, Pattern};

const EACH_SCOPE: &str = "write each scope";
const PRESENT: &str = "write each value; `has(claims.<name>)` in `cel`, or a provider's `require`, tests that a claim is present";

/// The paths of a rule, whose parameters its requirements can name.
#[derive(Clone, Copy)]
pub(super) struct Paths<'p> {
    /// The patterns, as far as they could be compiled.
    pub patterns: &'p [Pattern],
    /// Whether none was left out.
    pub whole: Whole,
}

impl Compiler<'_> {
    /// For each scope, the scopes that imply it, directly or through others.
    pub(super) fn implied_by(
        &mut self,
        typed: &Typed<Option<Mapping<List<String>>>>,
    ) -> BTreeMap<String, Vec<String>> {
        let at = At::Root.member("scopes_imply");
        let mut implies: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (scope, implied) in typed.entries() {
            let at = at.member(scope);
            if !is_oauth_text(scope) {
                self.report(&at, Fault::OAuthText);
                continue;
            }
            let _ = self.diagnostics.literal_or(&at, scope, EACH_SCOPE);
            for (index, implied) in implied.items() {
                let at = at.item(index);
                if !is_oauth_text(implied) {
                    self.report(&at, Fault::OAuthText);
                } else if implied == scope {
                    self.report(&at, InvalidRequirement::ImpliesItself);
                } else {
                    let _ = self.diagnostics.literal_or(&at, implied, EACH_SCOPE);
                }
            }
            let implied = implied.items().map(|(_, implied)| implied.as_str());
            implies.insert(scope, implied.collect());
        }
        let mut implied_by: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for scope in implies.keys() {
            for implied in all_implied(&implies, scope) {
                let by = implied_by.entry(implied.to_owned()).or_default();
                by.push((*scope).to_owned());
            }
        }
        implied_by
    }

    /// The requirements of a rule with these paths, or of the document, which has none.
    pub(super) fn requirements(
        &mut self,
        at: &At<'_>,
        require: &Require,
        paths: Option<Paths<'_>>,
    ) -> Requirements {
        if require.is_empty() {
            self.report(at, InvalidRequirement::Nothing);
        }
        let mut requirements = Requirements {
            acr: self.required_classes(&at.member("acr"), &require.acr),
            max_age: require.max_age.given().copied(),
            claims: self.required_claims(&at.member("claims"), &require.claims, paths),
            any_of: self.any_of(&at.member("any_of"), &require.any_of, paths),
            ..Requirements::default()
        };
        for (key, typed, names) in [
            ("scopes", &require.scopes, &mut requirements.scopes.all),
            (
                "any_scopes",
                &require.any_scopes,
                &mut requirements.scopes.any,
            ),
            ("roles", &require.roles, &mut requirements.roles.all),
            ("any_roles", &require.any_roles, &mut requirements.roles.any),
            ("groups", &require.groups, &mut requirements.groups.all),
            (
                "any_groups",
                &require.any_groups,
                &mut requirements.groups.any,
            ),
        ] {
            *names = self.required_names(&at.member(key), typed, key.ends_with("scopes"));
        }
        if let Some(text) = require.cel.given() {
            requirements.condition = self.condition(&at.member("cel"), text, paths).ok();
        }
        requirements
    }

    fn required_names(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<String>>>,
        are_scopes: bool,
    ) -> Vec<Name> {
        let names = self.at_least_one(at, "name", typed, |this, at, name| {
            if are_scopes && !is_oauth_text(name) {
                return Err(this.report(at, Fault::OAuthText));
            }
            if name.is_empty() {
                return Err(this.report(at, Fault::EmptyString("a name")));
            }
            this.diagnostics.literal(at, name)?;
            if are_scopes && name == OFFLINE_ACCESS {
                this.warn(at, Warning::OfflineAccessInChallenge);
            }
            let implied_by = this.implied_by.get(name).filter(|_| are_scopes);
            Ok(Name {
                name: name.clone(),
                implied_by: implied_by.cloned().unwrap_or_default(),
            })
        });
        names.known
    }

    fn required_classes(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<String>>>,
    ) -> Vec<String> {
        let classes = self.at_least_one(at, "class", typed, |this, at, class| {
            if !is_oauth_text(class) {
                return Err(this.report(at, Fault::OAuthText));
            }
            this.diagnostics.literal(at, class)?;
            Ok(class.clone())
        });
        classes.known
    }

    fn required_claims(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<Mapping<Value>>>,
        paths: Option<Paths<'_>>,
    ) -> Vec<ClaimRequirement> {
        self.each_claim(at, typed, |this, at, claim, value| {
            let expected = match value.as_str().and_then(parameter) {
                Some(name) => this.parameter(at, name, paths)?,
                None => Expected::OneOf(this.claim_values(at, value, paths)?),
            };
            Ok(ClaimRequirement { claim, expected })
        })
    }

    /// The claims that a provider requires of its tokens, with their values.
    pub(super) fn required_values(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<Mapping<Value>>>,
    ) -> Vec<RequiredValue> {
        self.each_claim(at, typed, |this, at, claim, value| {
            let values = this.claim_values(at, value, None)?;
            Ok(RequiredValue { claim, values })
        })
    }

    fn each_claim<T>(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<Mapping<Value>>>,
        compile: impl Fn(&mut Self, &At<'_>, ClaimPath, &Value) -> Typed<T>,
    ) -> Vec<T> {
        if typed.given().is_some_and(BTreeMap::is_empty) {
            self.report(at, Fault::Empty("claim"));
        }
        let claims = typed.entries().filter_map(|(name, value)| {
            let at = at.member(name);
            let claim = self.claim_path(&at, name).ok()?;
            compile(self, &at, claim, value).ok()
        });
        claims.collect()
    }

    /// The values of which a claim must have one.
    fn claim_values(
        &mut self,
        at: &At<'_>,
        value: &Value,
        paths: Option<Paths<'_>>,
    ) -> Typed<Vec<Value>> {
        let Value::Array(values) = value else {
            self.reject_unmatchable(at, value, paths)?;
            return Ok(vec![value.clone()]);
        };
        let mut whole = Ok(());
        if values.is_empty() {
            whole = Err(self.report(at, Fault::Empty("value")));
        }
        for (index, value) in values.iter().enumerate() {
            whole = whole.and(self.reject_unmatchable(&at.item(index), value, paths));
        }
        whole.map(|()| values.clone())
    }

    /// Rejects values that no claim is meant to have: `null`, a parameter in a list, and a parameter with text around it, such
    /// as `user-{id}`.
    fn reject_unmatchable(
        &mut self,
        at: &At<'_>,
        value: &Value,
        paths: Option<Paths<'_>>,
    ) -> Whole {
        if value.is_null() {
            return Err(self.report(at, InvalidRequirement::Null));
        }
        if has_inexact_number(value) {
            self.warn(at, Warning::InexactNumber);
        }
        match value {
            Value::String(text) => {
                self.reject_parameter(at, text, paths)?;
                if is_in_curly_quotes(text) {
                    return Err(self.report(at, Fault::CurlyQuotes));
                }
                self.diagnostics.literal_in(at, value, PRESENT)
            }
            // What YAML reads from `{id}` without quotes.
            Value::Object(members) if is_unquoted(members) => {
                Err(self.report(at, InvalidRequirement::Unquoted))
            }
            _ => self.diagnostics.literal_in(at, value, PRESENT),
        }
    }

    /// Rejects a parameter that would be compared as written.
    fn reject_parameter(&mut self, at: &At<'_>, text: &str, paths: Option<Paths<'_>>) -> Whole {
        let fault = match (paths, parameter(text)) {
            (None, None) => return Ok(()),
            (None, Some(_)) => InvalidRequirement::NoPath,
            (Some(_), Some(_)) => InvalidRequirement::ParameterInList,
            (Some(paths), None) => {
                let mut known = paths.patterns.iter().flat_map(Pattern::parameters);
                match known.find(|name| text.contains(&format!("{{{name}}}"))) {
                    Some(name) => InvalidRequirement::ParameterInText {
                        name: name.to_owned(),
                    },
                    None => return Ok(()),
                }
            }
        };
        Err(self.report(at, fault))
    }

    /// A parameter, which each path of the rule must bind.
    fn parameter(&mut self, at: &At<'_>, name: &str, paths: Option<Paths<'_>>) -> Typed<Expected> {
        let Some(paths) = paths else {
            return Err(self.report(at, InvalidRequirement::NoPath));
        };
        let binds = |pattern: &Pattern| pattern.parameters().any(|own| own == name);
        let is_bound = !paths.patterns.is_empty() && paths.patterns.iter().all(binds);
        // A path that is at fault was left out. It may have been the one that binds.
        if !is_bound && paths.whole.is_ok() {
            let name = name.to_owned();
            return Err(self.report(at, InvalidRequirement::UnboundParameter { name }));
        }
        Ok(Expected::Parameter(name.to_owned()))
    }

    fn condition(&mut self, at: &At<'_>, text: &str, paths: Option<Paths<'_>>) -> Typed<Condition> {
        let condition = Condition::compile(text)
            .map_err(|faults| self.report(at, InvalidRequirement::Condition(faults)))?;
        if self.case == Case::Insensitive && condition.looks_at_path() {
            return Err(self.report(at, InvalidRequirement::PathsCase));
        }
        let names = self.provider_names.as_deref();
        let is_unknown =
            |name: &str| names.is_some_and(|names| names.iter().all(|own| own != name));
        let mut providers = condition.providers();
        if let Some((name, position)) = providers.find(|(name, _)| is_unknown(name)) {
            let known = names.unwrap_or_default().iter().map(String::as_str);
            let fault = InvalidRequirement::UnknownProvider {
                position,
                name: name.to_owned(),
                nearest: nearest(name, known),
            };
            return Err(self.report(at, fault));
        }
        drop(providers);
        let Some(paths) = paths else {
            return match condition.looks_at_parameters() {
                true => Err(self.report(at, InvalidRequirement::NoPath)),
                false => Ok(condition),
            };
        };
        let patterns = paths.patterns.iter();
        let known: Vec<&str> = patterns.flat_map(Pattern::parameters).collect();
        let mut parameters = condition.parameters();
        let unknown = parameters.find(|(name, _)| !known.contains(name));
        match unknown.filter(|_| paths.whole.is_ok()) {
            Some((name, position)) => {
                let fault = InvalidRequirement::UnknownParameter {
                    position,
                    name: name.to_owned(),
                    nearest: nearest(name, known),
                };
                Err(self.report(at, fault))
            }
            None => {
                drop(parameters);
                Ok(condition)
            }
        }
    }

    fn any_of(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<Require>>>,
        paths: Option<Paths<'_>>,
    ) -> Vec<Requirements> {
        let any_of = self.at_least_one(at, "set of requirements", typed, |this, at, one| {
            Ok(this.requirements(at, one, paths))
        });
        any_of.known
    }
}

impl Require {
    /// Whether there is no key, not even one that could not be read.
    fn is_empty(&self) -> bool {
        let names = [
            &self.scopes,
            &self.any_scopes,
            &self.roles,
            &self.any_roles,
            &self.groups,
            &self.any_groups,
            &self.acr,
        ];
        self.whole.is_ok()
            && names.iter().all(|names| names.is_absent())
            && self.max_age.is_absent()
            && self.claims.is_absent()
            && self.cel.is_absent()
            && self.any_of.is_absent()
    }
}

/// Whether an object is what YAML reads from `{id}` without quotes.
fn is_unquoted(members: &Map<String, Value>) -> bool {
    !members.is_empty() && members.values().all(Value::is_null)
}

/// Whether a number in a value is not exactly the one that was written.
fn has_inexact_number(value: &Value) -> bool {
    match value {
        Value::Number(number) => !is_exact(number),
        Value::Array(items) => items.iter().any(has_inexact_number),
        Value::Object(members) => members.values().any(has_inexact_number),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// The name in `{name}`.
fn parameter(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some(name)
}

/// Every other scope that a scope implies, directly or through others.
fn all_implied<'d>(implies: &BTreeMap<&'d str, Vec<&'d str>>, scope: &'d str) -> BTreeSet<&'d str> {
    let mut found = BTreeSet::new();
    let mut next = vec![scope];
    while let Some(own) = next.pop() {
        for implied in implies.get(own).into_iter().flatten() {
            if *implied != scope && found.insert(*implied) {
                next.push(implied);
            }
        }
    }
    found
}
