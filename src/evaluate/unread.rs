//! Which credentials are not read.
//!
//! 1. Browsers send cookies on their own. So a credential in a header wins over a cookie of the same provider: the cookie is
//!    not read, and is not forwarded. A token in the query does not win, because a link could then replace the session of a
//!    visitor.
//! 2. A rule with `other_credentials: ignore` does not look at locations that only unlisted providers read. What is in
//!    these headers and cookies is forwarded.

use smallvec::SmallVec;

use super::Evaluation;
use super::identify::Candidate;
use super::trace::{Step, Trace};
use crate::authenticate::{Provider, ProviderId};
use crate::authorize::Gate;
use crate::credential::{Carrier, LocationId, Presented};
use crate::plan::Policy;

/// The credentials that were not read, so that they were not verified.
#[derive(Debug, Default)]
pub(super) struct Unread<'p> {
    /// Cookies over which a credential in a header wins.
    pub cookies: SmallVec<[LocationId; 1]>,
    /// The gate, if it does not look at locations that only other providers read.
    pub gate: Option<&'p Gate>,
}

impl Unread<'_> {
    /// Notes that a cookie is not read.
    fn ignore(&mut self, location: LocationId, cookie: &str, trace: &mut impl Trace) {
        self.cookies.push(location);
        trace.step(Step::Ignored(cookie));
    }

    /// Whether the gate looks at a location.
    pub fn is_looked_at(&self, policy: &Policy, location: LocationId) -> bool {
        let gate = self.gate;
        gate.is_none_or(|gate| readers(policy, gate, location).next().is_some())
    }

    /// Whether the gate looks at a location with such a carrier.
    pub fn looks_at_any(&self, policy: &Policy, is_meant: impl Fn(&Carrier) -> bool) -> bool {
        let mut locations = policy.locations.iter().enumerate();
        locations.any(|(number, location)| {
            is_meant(&location.carrier) && self.is_looked_at(policy, LocationId(number))
        })
    }
}

/// The providers that look for credentials at a location, under a gate.
fn readers<'p>(
    policy: &'p Policy,
    gate: &Gate,
    location: LocationId,
) -> impl Iterator<Item = &'p Provider> {
    let all = policy.providers.iter().enumerate();
    let under_gate = all.filter(|(number, _)| {
        !gate.ignores_others || gate.providers.contains(&ProviderId(*number))
    });
    let providers = under_gate.map(|(_, provider)| provider);
    providers.filter(move |provider| provider.locations.contains(&location))
}

impl<'p> Evaluation<'p, '_> {
    /// Whether a cookie is not read, because every provider that reads it also reads a header with a credential.
    #[inline(never)]
    pub(super) fn loses_to_header(
        &self,
        gate: &Gate,
        location: LocationId,
        before: &[Presented<'_>],
        unread: &mut Unread<'p>,
        trace: &mut impl Trace,
    ) -> bool {
        let Some(cookie) = self.carrier(location).and_then(Carrier::cookie) else {
            return false;
        };
        // Most requests have no credential in a header, or no cookie.
        if before.is_empty() || self.request.values(b"cookie").next().is_none() {
            return false;
        }
        let mut readers = readers(self.policy, gate, location);
        let loses = readers.all(|reader| self.reads_header(reader, before.iter()));
        if loses {
            unread.ignore(location, cookie, trace);
        }
        loses
    }

    /// Whether a credential in a cookie is of a provider that also reads a header with a credential. Other providers read
    /// the cookie and no such header, so that only its content shows whose it is.
    #[cold]
    pub(super) fn is_of_header(
        &self,
        gate: &Gate,
        candidate: &Candidate<'_, '_>,
        presented: &[Presented<'_>],
        unread: &mut Unread<'p>,
        trace: &mut impl Trace,
    ) -> bool {
        let location = candidate.presented.location;
        let Some(cookie) = self.carrier(location).and_then(Carrier::cookie) else {
            return false;
        };
        let reads_header = |provider| self.reads_header(provider, presented.iter());
        // The token is parsed only if this can matter.
        let loses = readers(self.policy, gate, location).any(reads_header)
            && self
                .select(gate, candidate)
                .is_ok_and(|selected| reads_header(selected.provider));
        if loses {
            unread.ignore(location, cookie, trace);
        }
        loses
    }

    /// Whether a provider reads a header in which a credential is presented.
    pub(super) fn reads_header<'c, 's: 'c>(
        &self,
        provider: &Provider,
        mut presented: impl Iterator<Item = &'c Presented<'s>>,
    ) -> bool {
        presented.any(|shown| {
            let carrier = self.carrier(shown.location);
            provider.locations.contains(&shown.location)
                && carrier.is_some_and(|carrier| carrier.own_field().is_some())
        })
    }
}
