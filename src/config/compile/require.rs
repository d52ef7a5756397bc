//! What a rule asks of callers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Compiler;
use crate::authenticate::claims::ClaimPath;
use crate::authorize::claim::{ClaimRequirement, Expected};
use crate::authorize::condition::{self, Condition, FaultKind};
use crate::authorize::names::{Name, Names};
use crate::authorize::{OFFLINE_ACCESS, Requirements};
use crate::config::diagnostic::{Fault, nearest};
use crate::config::document::{Document, Require};
use crate::grammar::is_oauth_text;
use crate::plan::Match;
use crate::request::path::{Case, Pattern};

const SCOPE: &str = "a scope is visible ASCII without space, `\"` and `\\`";

const ONE_CASE: &str = "an expression tells `/a` from `/A`, an upstream with `paths_case: insensitive` does not: name \
                        paths in `match.paths`";

impl Compiler<'_> {
    /// Works out which scopes stand for which, through as many steps as it takes.
    pub(super) fn scopes_imply(&mut self, document: &Document) {
        let nothing = BTreeMap::new();
        let typed = document.scopes_imply.as_ref().unwrap_or(&nothing);
        for (scope, implied) in typed {
            let path = format!("scopes_imply.{scope}");
            if !is_oauth_text(scope) {
                self.invalid(path.clone(), SCOPE);
            }
            for (place, implied) in implied.iter().enumerate() {
                if !is_oauth_text(implied) {
                    self.invalid(format!("{path}[{place}]"), SCOPE);
                } else if implied == scope {
                    self.invalid(
                        format!("{path}[{place}]"),
                        "a scope stands for itself anyway",
                    );
                }
            }
        }
        for scope in typed.keys() {
            for implied in implied(typed, scope) {
                let by = self.implied_by.entry(implied.to_owned()).or_default();
                by.push(scope.clone());
            }
        }
    }

    pub(super) fn requirements(
        &mut self,
        path: &str,
        require: Option<&Require>,
        matches: &Match,
    ) -> Requirements {
        match require {
            None => Requirements::default(),
            Some(require) => self.required(&format!("{path}.require"), require, matches),
        }
    }

    fn required(&mut self, path: &str, require: &Require, matches: &Match) -> Requirements {
        let all_and_any = [
            ("scopes", &require.scopes),
            ("any_scopes", &require.any_scopes),
            ("roles", &require.roles),
            ("any_roles", &require.any_roles),
            ("groups", &require.groups),
            ("any_groups", &require.any_groups),
        ];
        let nothing = all_and_any.iter().all(|(_, names)| names.is_none())
            && require.acr.is_none()
            && require.max_age.is_none()
            && require.claims.is_none()
            && require.cel.is_none()
            && require.any_of.is_none();
        if nothing && !self.faults.any_within(path) {
            self.invalid(
                path,
                "this requires nothing; leave it out to ask for any valid credential",
            );
        }
        for (key, names) in all_and_any {
            self.required_names(
                &format!("{path}.{key}"),
                names.as_deref(),
                key.ends_with("scopes"),
            );
        }
        self.required_classes(&format!("{path}.acr"), require.acr.as_deref());
        let names = |all: &Option<Vec<String>>,
                     any: &Option<Vec<String>>,
                     by: &BTreeMap<_, Vec<String>>| {
            let name = |name: &String| Name {
                name: name.clone(),
                implied_by: by.get(name).cloned().unwrap_or_default(),
            };
            Names {
                all: all.iter().flatten().map(name).collect(),
                any: any.iter().flatten().map(name).collect(),
            }
        };
        let not_implied = BTreeMap::new();
        Requirements {
            acr: require.acr.clone().unwrap_or_default(),
            max_age: require.max_age.map(|span| span.0),
            scopes: names(&require.scopes, &require.any_scopes, &self.implied_by),
            roles: names(&require.roles, &require.any_roles, &not_implied),
            groups: names(&require.groups, &require.any_groups, &not_implied),
            claims: self.required_claims(&format!("{path}.claims"), require, matches),
            condition: require
                .cel
                .as_deref()
                .and_then(|text| self.condition(&format!("{path}.cel"), text, matches)),
            any_of: self.any_of(&format!("{path}.any_of"), require, matches),
        }
    }

    fn required_names(&mut self, path: &str, names: Option<&[String]>, are_scopes: bool) {
        if names.is_some_and(<[String]>::is_empty) {
            self.invalid(path, "there is at least one name");
        }
        for (place, name) in names.into_iter().flatten().enumerate() {
            if are_scopes && !is_oauth_text(name) {
                self.invalid(format!("{path}[{place}]"), SCOPE);
            } else if are_scopes && name == OFFLINE_ACCESS {
                self.warn(
                    format!("{path}[{place}]"),
                    "`offline_access` is no scope of a resource; no challenge asks for it",
                );
            } else if name.is_empty() {
                self.invalid(format!("{path}[{place}]"), "a name is not empty");
            }
        }
    }

    fn required_classes(&mut self, path: &str, classes: Option<&[String]>) {
        if classes.is_some_and(<[String]>::is_empty) {
            self.invalid(path, "there is at least one class");
        }
        for (place, class) in classes.into_iter().flatten().enumerate() {
            if !is_oauth_text(class) {
                let what = "a challenge can carry visible ASCII without space, `\"` and `\\` only";
                self.invalid(format!("{path}[{place}]"), what);
            }
        }
    }

    fn required_claims(
        &mut self,
        path: &str,
        require: &Require,
        matches: &Match,
    ) -> Vec<ClaimRequirement> {
        if require.claims.as_ref().is_some_and(BTreeMap::is_empty) {
            self.invalid(path, "there is at least one claim");
        }
        let mut claims = Vec::new();
        for (name, value) in require.claims.iter().flatten() {
            let path = format!("{path}.{name}");
            if name.is_empty() {
                self.invalid(path.clone(), "a claim has a name");
            }
            let expected = match value {
                Value::String(text) if parameter(text).is_some() => {
                    self.parameter(&path, parameter(text).unwrap_or_default(), matches)
                }
                Value::Array(values) => self.one_of(&path, values, matches),
                Value::Null => {
                    self.invalid(path, "nothing is no value: `null` denies whatever it is");
                    continue;
                }
                value => {
                    self.refuse_template(&path, value, matches);
                    Expected::OneOf(vec![value.clone()])
                }
            };
            claims.push(ClaimRequirement {
                claim: ClaimPath::new(name),
                expected,
            });
        }
        claims
    }

    fn one_of(&mut self, path: &str, values: &[Value], matches: &Match) -> Expected {
        if values.is_empty() {
            self.invalid(path, "there is at least one value");
        }
        for (place, value) in values.iter().enumerate() {
            let path = format!("{path}[{place}]");
            match value {
                Value::Null => {
                    self.invalid(path, "nothing is no value: `null` denies whatever it is")
                }
                Value::String(text) if parameter(text).is_some() => {
                    self.invalid(path, "a parameter of the path stands alone, not in a list");
                }
                value => self.refuse_template(&path, value, matches),
            }
        }
        Expected::OneOf(values.to_vec())
    }

    /// `user-{id}`: nobody has a claim that says so.
    fn refuse_template(&mut self, path: &str, value: &Value, matches: &Match) {
        let mut known = matches.paths.iter().flat_map(Pattern::parameters);
        let within = value
            .as_str()
            .and_then(|text| known.find(|name| text.contains(&format!("{{{name}}}"))));
        if let Some(name) = within {
            let fault = format!(
                "a parameter of the path stands alone: `{{{name}}}` with more around it would be compared as written"
            );
            self.invalid(path, fault);
        }
    }

    /// A parameter that each path of the rule binds.
    fn parameter(&mut self, path: &str, name: &str, matches: &Match) -> Expected {
        let binds = |pattern: &Pattern| pattern.parameters().any(|own| own == name);
        if matches.paths.is_empty() || !matches.paths.iter().all(binds) {
            self.invalid(
                path,
                format!("not every path of this rule binds `{{{name}}}`"),
            );
        }
        Expected::Parameter(name.to_owned())
    }

    fn condition(&mut self, path: &str, text: &str, matches: &Match) -> Option<Condition> {
        let compiled = Condition::compile(text);
        let condition = match compiled {
            Ok(condition) => condition,
            Err(faults) => {
                let told: Vec<String> = faults.iter().map(tell).collect();
                self.invalid(path, told.join("; "));
                return None;
            }
        };
        if self.case == Case::Insensitive && condition.looks_at_path() {
            self.invalid(path, ONE_CASE);
        }
        let known: Vec<&str> = matches.paths.iter().flat_map(Pattern::parameters).collect();
        let unknown = condition
            .parameters()
            .find(|(name, _)| !known.contains(name));
        if let Some((name, place)) = unknown {
            let fault = Fault::UnknownName {
                kind: "parameter of the rule's paths",
                name: name.to_owned(),
                nearest: nearest(name, known),
            };
            self.invalid(path, format!("{place}: {fault}"));
        }
        Some(condition)
    }

    fn any_of(&mut self, path: &str, require: &Require, matches: &Match) -> Vec<Requirements> {
        if require.any_of.as_ref().is_some_and(Vec::is_empty) {
            self.invalid(path, "there is at least one set of requirements");
        }
        let typed = require.any_of.iter().flatten().enumerate();
        typed
            .map(|(place, one)| self.required(&format!("{path}[{place}]"), one, matches))
            .collect()
    }
}

/// What is wrong with an expression, and where.
fn tell(fault: &condition::Fault) -> String {
    match &fault.kind {
        FaultKind::Unknown { what, name, known } => {
            let unknown = Fault::UnknownName {
                kind: what,
                name: name.clone(),
                nearest: nearest(name, known.iter().copied()),
            };
            format!("{}: {unknown}", fault.position)
        }
        kind => format!("{}: {kind}", fault.position),
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

/// Every other scope that a scope stands for.
fn implied<'d>(typed: &'d BTreeMap<String, Vec<String>>, scope: &'d str) -> BTreeSet<&'d str> {
    let mut found = BTreeSet::new();
    let mut next = vec![scope];
    while let Some(own) = next.pop() {
        for implied in typed.get(own).into_iter().flatten() {
            if implied != scope && found.insert(implied.as_str()) {
                next.push(implied);
            }
        }
    }
    found
}
