//! Who the callers are: every credential that is presented, verified.

use smallvec::SmallVec;

use super::trace::{Step, Trace};
use super::{Decision, Effects, Evaluation, Stop};
use crate::authenticate::{Decoded, Parsed, Principal};
use crate::authorize::{Gate, Principals};
use crate::credential::{Presented, present, several};
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

impl<'p> Evaluation<'p, '_> {
    /// The callers, proven; none if no credential is presented.
    ///
    /// Every credential that is presented must be valid. The first caller is the one of the first provider, accepted
    /// ones before others.
    pub(super) fn identify(
        &self,
        gate: &'p Gate,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<Principals, Stop> {
        let presented = present(self.request, &self.policy.locations);
        // A malformed credential names no user.
        let readable = presented.as_deref().unwrap_or_default();
        let decoded = readable.iter().map(|one| Decoded::new(&one.shown));
        let decoded: SmallVec<[Decoded<'_>; 1]> = decoded.collect();
        let candidates = readable.iter().zip(&decoded).map(|(presented, decoded)| {
            let parsed = Parsed::new(decoded);
            Candidate { presented, parsed }
        });
        let candidates: SmallVec<[Candidate<'_, '_>; 1]> = candidates.collect();
        self.refuse_blocked_callers(gate, &candidates, trace)?;
        if let Err(reject) = presented {
            return Err(reject.into());
        }
        self.refuse_two_of_one_provider(readable)?;
        trace.step(Step::Presents(readable.first().map(|one| one.scheme)));

        let rank = |caller: &Principal| {
            let provider = caller.provider();
            (!gate.providers.contains(&provider), provider)
        };
        let mut callers = Principals::new();
        for candidate in &candidates {
            let scheme = candidate.presented.scheme;
            let caller = match self.verify(gate, candidate, effects) {
                Ok(caller) => caller,
                Err(stop) => {
                    decision.scheme = Some(scheme);
                    if let Stop::Reject(reject) = stop {
                        self.count(reject, gate, candidate, effects);
                    }
                    return Err(stop);
                }
            };
            let position = callers.iter().position(|known| rank(&caller) < rank(known));
            let position = position.unwrap_or(callers.len());
            if position == 0 {
                decision.scheme = Some(scheme);
            }
            callers.insert(position, caller);
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
        decision.principals.clone_from(&callers);
        Ok(callers)
    }

    /// Two credentials at the locations of one provider (RFC 6750 §2).
    fn refuse_two_of_one_provider(&self, presented: &[Presented<'_>]) -> Result<(), Reject> {
        if presented.len() < 2 {
            return Ok(());
        }
        for provider in &self.policy.providers {
            let own = presented
                .iter()
                .filter(|shown| provider.locations.contains(&shown.location));
            if own.clone().count() > 1 {
                return Err(several(own.map(|shown| shown.scheme).collect()));
            }
        }
        Ok(())
    }
}
