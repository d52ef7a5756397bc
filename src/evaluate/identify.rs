//! Who the callers are: every credential that is presented, verified.

use super::trace::{Step, Trace};
use super::{Decision, Effects, Evaluation, Stop};
use crate::authenticate::{Decoded, Parsed, Principal, ProviderId};
use crate::authorize::{Gate, Principals};
use crate::credential::{Carrier, LocationId, Presented, Shown, present, several};
use crate::reject::Reject;
use crate::store::TokenKey;

/// A credential that is presented, parsed at most once.
pub(super) struct Candidate<'c, 's> {
    pub presented: &'s Presented<'s>,
    pub parsed: Parsed<'c, 's>,
}

impl Candidate<'_, '_> {
    /// The credential as the token cache knows it.
    pub fn remembered_as(&self, gate: &Gate) -> TokenKey<'_> {
        TokenKey {
            location: self.presented.location,
            choice: gate.choice,
            octets: self.presented.shown.octets(),
        }
    }
}

/// The rank of a caller among several: accepted providers before others, in the order of the configuration.
pub(super) fn rank(gate: &Gate, caller: &Principal) -> (bool, ProviderId) {
    let provider = caller.provider();
    (!gate.providers.contains(&provider), provider)
}

impl<'p> Evaluation<'p, '_> {
    /// Verifies the credentials, and sets the callers of the decision: none if no credential is presented.
    ///
    /// Every credential that is presented must be valid. The first caller is the one of the first provider, accepted
    /// ones before others.
    pub(super) fn identify(
        &self,
        gate: &'p Gate,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<(), Stop> {
        let unread = &mut decision.unread;
        unread.gate = gate.ignores_others.then_some(gate);
        let presented = present(self.request, &self.policy.locations, |location, before| {
            unread.is_looked_at(self.policy, location)
                && !self.loses_to_header(gate, location, before, unread, trace)
        });
        // A malformed credential names no user.
        let readable = presented.as_deref().unwrap_or_default();
        let fault = presented.as_ref().err().copied();
        let candidate = |presented, decoded| Candidate {
            presented,
            parsed: Parsed::new(decoded),
        };
        match readable {
            [] => self.identify_by(&[], fault, gate, decision, effects, trace),
            // Nearly every request has one, which then is on the stack.
            [one] => {
                let decoded = Decoded::new(&one.shown);
                let candidates = [candidate(one, &decoded)];
                self.identify_by(&candidates, fault, gate, decision, effects, trace)
            }
            several => {
                let decoded = several.iter().map(|one| Decoded::new(&one.shown));
                let decoded: Vec<_> = decoded.collect();
                let candidates = several.iter().zip(&decoded);
                let candidates = candidates.map(|(one, decoded)| candidate(one, decoded));
                let mut candidates: Vec<_> = candidates.collect();
                let unread = &mut decision.unread;
                candidates.retain(|one| !self.is_of_header(gate, one, several, unread, trace));
                // A slow hash comes last: it is not computed if another credential is refused, or must be waited for.
                candidates.sort_by_key(|one| matches!(one.presented.shown, Shown::Login(_)));
                self.identify_by(&candidates, fault, gate, decision, effects, trace)
            }
        }
    }

    /// `fault` is what is wrong with credentials that are malformed.
    fn identify_by(
        &self,
        candidates: &[Candidate<'_, '_>],
        fault: Option<Reject>,
        gate: &'p Gate,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<(), Stop> {
        self.refuse_blocked_callers(gate, candidates, trace)?;
        if let Some(reject) = fault {
            return Err(reject.into());
        }
        self.refuse_two_of_one_provider(candidates)?;
        let first = candidates.first();
        trace.step(Step::Presents(
            first.and_then(|candidate| self.carrier(candidate.presented.location)),
        ));
        let rank = |caller: &Principal| rank(gate, caller);
        let mut callers = Principals::new();
        for candidate in candidates {
            let schemes = candidate.presented.schemes;
            let caller = match self.verify(gate, candidate, effects) {
                Ok(caller) => caller,
                Err(stop) => {
                    decision.schemes = schemes;
                    return Err(stop);
                }
            };
            let later = callers.iter().position(|known| rank(&caller) < rank(known));
            if later.unwrap_or(callers.len()) == 0 {
                decision.schemes = schemes;
            }
            match later {
                Some(later) => callers.insert(later, caller),
                None => callers.push(caller),
            }
        }
        if let Some(caller) = callers.first()
            && let Some(provider) = self.policy.providers.get(caller.provider().0)
        {
            decision.provider = Some(&provider.name);
            trace.step(Step::Verified {
                provider: &provider.name,
                principal: caller,
            });
        }
        decision.principals = callers;
        Ok(())
    }

    pub(super) fn carrier(&self, location: LocationId) -> Option<&'p Carrier> {
        let location = self.policy.locations.get(location.0)?;
        Some(&location.carrier)
    }

    /// Two credentials at the locations of one provider (RFC 6750 §2). A cookie that another provider verifies does not
    /// count beside a credential in a header.
    fn refuse_two_of_one_provider(&self, candidates: &[Candidate<'_, '_>]) -> Result<(), Reject> {
        if candidates.len() < 2 {
            return Ok(());
        }
        let presented = candidates.iter().map(|candidate| candidate.presented);
        for provider in &self.policy.providers {
            let has_header = self.reads_header(provider, presented.clone());
            let own = presented.clone().filter(|shown| {
                let is_cookie = || {
                    self.carrier(shown.location)
                        .and_then(Carrier::cookie)
                        .is_some()
                };
                provider.locations.contains(&shown.location) && !(has_header && is_cookie())
            });
            if own.clone().count() > 1 {
                return Err(several(own.map(|shown| shown.schemes).collect()));
            }
        }
        Ok(())
    }
}
