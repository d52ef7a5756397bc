//! What a caller lacks of requirements, for `countersign explain`: what is required, and what was found.
//!
//! The checks are those of [`Requirements`], which the filter stops at the first failure. Here all of them run.

use std::time::Duration;

use serde_json::Value;

use super::claim::Expected;
use super::condition::{Budget, Condition, Why};
use super::names::{Name, Names};
use super::{Input, Requirements};
use crate::authenticate::granted::Granted;
use crate::authenticate::jose::claims::ClaimPath;
use crate::reject::Weakness;

/// A requirement that a caller does not meet.
pub enum Lack<'a> {
    /// The authentication class (`acr`) is not one of these.
    Class {
        /// The classes that are accepted.
        accepted: &'a [String],
        /// The claim `acr`.
        found: Option<&'a Value>,
    },
    /// The authentication is too long ago, or its time is not known.
    Age {
        /// The maximum age.
        max_age: Duration,
        /// The claim `auth_time`.
        found: Option<&'a Value>,
    },
    /// Scopes, roles or groups are missing.
    Names {
        /// What the names are.
        kind: NamesKind,
        /// The names that are missing, of which every one is required.
        missing: Vec<&'a Name>,
        /// The names of which one is required, if none of them is there.
        one_of: &'a [Name],
        /// The names that the caller has.
        found: &'a Granted,
    },
    /// A claim is missing, or has another value.
    Claim {
        /// The claim.
        claim: &'a ClaimPath,
        /// The expected value.
        expected: ExpectedClaim<'a>,
        /// The value of the claim.
        found: Option<&'a Value>,
    },
    /// A condition is false, or could not be evaluated.
    Condition(Why),
    /// No alternative is met. For each one, what is missing.
    AnyOf(Vec<Vec<Lack<'a>>>),
}

impl Lack<'_> {
    /// Whether a new authentication of the caller could change it (RFC 9470).
    pub fn is_of_authentication(&self) -> bool {
        matches!(self, Self::Class { .. } | Self::Age { .. })
    }
}

/// What names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamesKind {
    /// Scopes.
    Scopes,
    /// Roles.
    Roles,
    /// Groups.
    Groups,
}

/// The expected value of a claim.
pub enum ExpectedClaim<'a> {
    /// One of these.
    OneOf(&'a [Value]),
    /// That of a path parameter.
    Parameter {
        /// The parameter.
        name: &'a str,
        /// Its value in this request.
        value: Option<&'a str>,
    },
}

impl Requirements {
    /// What a caller lacks, in the order of the checks. It is empty if the requirements are met.
    pub fn lacks<'a>(&'a self, input: Input<'a>) -> Vec<Lack<'a>> {
        let principal = input.principal;
        let claim = |name: &str| principal.claims().get(name);
        let mut lacks = Vec::new();
        let of_class = Self {
            acr: self.acr.clone(),
            ..Self::default()
        };
        if of_class.authentication(principal, input.now) == Err(Weakness::Class) {
            lacks.push(Lack::Class {
                accepted: &self.acr,
                found: claim("acr"),
            });
        }
        if let Some(max_age) = self.max_age {
            let of_age = Self {
                max_age: self.max_age,
                ..Self::default()
            };
            if of_age.authentication(principal, input.now).is_err() {
                lacks.push(Lack::Age {
                    max_age,
                    found: claim("auth_time"),
                });
            }
        }
        for (kind, names, found) in [
            (NamesKind::Scopes, &self.scopes, principal.scopes()),
            (NamesKind::Roles, &self.roles, principal.roles()),
            (NamesKind::Groups, &self.groups, principal.groups()),
        ] {
            lacks.extend(lacking_names(kind, names, found));
        }
        let claims = self.claims.iter().filter(|own| !own.is_met(input));
        lacks.extend(claims.map(|own| Lack::Claim {
            claim: &own.claim,
            expected: match &own.expected {
                Expected::OneOf(values) => ExpectedClaim::OneOf(values),
                Expected::Parameter(name) => ExpectedClaim::Parameter {
                    name,
                    value: value_of(input, name),
                },
            },
            found: own.claim.find::<Value>(principal.claims()),
        }));
        let why = self.condition.as_ref().and_then(|own| unmet(own, input));
        lacks.extend(why.map(Lack::Condition));
        let alternatives: Vec<_> = self.any_of.iter().map(|one| one.lacks(input)).collect();
        if !alternatives.is_empty() && alternatives.iter().all(|lacks| !lacks.is_empty()) {
            lacks.push(Lack::AnyOf(alternatives));
        }
        lacks
    }
}

fn lacking_names<'a>(kind: NamesKind, names: &'a Names, found: &'a Granted) -> Option<Lack<'a>> {
    if names.are_met_by(found) {
        return None;
    }
    let missing = names.all.iter().filter(|name| !name.is_among(found));
    let has_one = names.any.iter().any(|name| name.is_among(found));
    Some(Lack::Names {
        kind,
        missing: missing.collect(),
        one_of: if has_one { &[] } else { &names.any },
        found,
    })
}

/// Why a condition does not hold. It is evaluated with a budget for itself, so that the budget of the request stays as it was.
fn unmet(condition: &Condition, input: Input<'_>) -> Option<Why> {
    let budget = Budget::default();
    condition.why_not(Input {
        budget: &budget,
        ..input
    })
}

fn value_of<'a>(input: Input<'a>, name: &str) -> Option<&'a str> {
    let mut bound = input.parameters.iter();
    bound.find_map(|(own, value)| (*own == name).then_some(*value))
}
