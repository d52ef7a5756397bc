//! What is required of a caller in total, and what a caller lacks, for responses.

use std::time::Duration;

use super::names::{Names, lacked};
use super::{Everywhere, Gate, OFFLINE_ACCESS, Requirements};
use crate::authenticate::Principal;
use crate::authenticate::granted::Granted;
use crate::reject::{Reject, Requirement};

/// What is required of a caller: everywhere, and by the gate of one rule.
#[derive(Debug, Clone, Copy)]
pub struct Required<'p> {
    everywhere: &'p Requirements,
    gate: &'p Gate,
}

impl<'p> Required<'p> {
    /// What is required under a rule with this gate.
    pub fn new(everywhere: &'p Everywhere, gate: &'p Gate) -> Self {
        let Everywhere(everywhere) = everywhere;
        Self { everywhere, gate }
    }

    /// The gate of the rule.
    pub fn gate(self) -> &'p Gate {
        self.gate
    }

    fn own(self) -> &'p Requirements {
        &self.gate.requirements
    }

    /// The authentication classes that are sufficient, the preferred one first (RFC 9470 §3).
    pub fn classes(self) -> impl Iterator<Item = &'p str> {
        let own = self.own();
        let (wanted, others) = match own.acr.is_empty() {
            true => (&self.everywhere.acr, &own.acr),
            false => (&own.acr, &self.everywhere.acr),
        };
        let is_sufficient = |class: &&String| others.is_empty() || others.contains(class);
        wanted.iter().filter(is_sufficient).map(String::as_str)
    }

    /// The maximum age of an authentication (RFC 9470 §3).
    pub fn max_age(self) -> Option<Duration> {
        let ages = [self.everywhere.max_age, self.own().max_age];
        ages.into_iter().flatten().min()
    }

    /// The scopes that a caller should request: every required one, and the first of alternatives none of which is required.
    ///
    /// [`OFFLINE_ACCESS`] is never among them, because no resource requires it.
    pub fn scopes_to_ask_for(self) -> Vec<&'p str> {
        let both = [&self.everywhere.scopes, &self.own().scopes];
        let mut scopes = lacked(both, &|_| false);
        scopes.retain(|scope| *scope != OFFLINE_ACCESS);
        scopes
    }

    /// The names that a caller lacks, given the `reject` that resulted: of alternatives, the first.
    pub fn missing(self, reject: Reject, principal: &Principal) -> Vec<&'p str> {
        let (names, granted): (fn(&Requirements) -> &Names, &Granted) = match reject {
            Reject::Scope => (|own| &own.scopes, principal.scopes()),
            Reject::Requirement(Requirement::Role) => (|own| &own.roles, principal.roles()),
            Reject::Requirement(Requirement::Group) => (|own| &own.groups, principal.groups()),
            Reject::Requirement(
                Requirement::Claim
                | Requirement::Condition
                | Requirement::ConditionFailed
                | Requirement::AnyOf,
            )
            | Reject::NoDocument
            | Reject::Trace
            | Reject::MethodCase
            | Reject::Path(_)
            | Reject::Authority
            | Reject::RouteAtRisk
            | Reject::RepeatedField
            | Reject::PlainHttp
            | Reject::Address
            | Reject::NoSuchMetadata
            | Reject::MetadataMethod
            | Reject::ForeignOrigin
            | Reject::Fixed
            | Reject::TooManyFailures { .. }
            | Reject::NoCredential
            | Reject::MissingCredential { .. }
            | Reject::Malformed(_)
            | Reject::Invalid(_)
            | Reject::Proof(_)
            | Reject::Unavailable(_)
            | Reject::ProviderNotAccepted
            | Reject::NoRule
            | Reject::Authentication(_) => return Vec::new(),
        };
        let both = [names(self.everywhere), names(self.own())];
        lacked(both, &|name| name.is_among(granted))
    }
}
