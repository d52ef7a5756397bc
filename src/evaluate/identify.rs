//! Who the caller is: every credential that is shown, judged by memory or anew.

use std::rc::Rc;

use super::trace::{Step, Trace};
use super::{Decision, Effects, Fetch, Judging, Stop, TokenEffect};
use crate::authenticate::jwt::{Refusal, Unverified, take_apart};
use crate::authenticate::keys::KeySet;
use crate::authenticate::{Keys, Method, Principal, authenticate, judge_of};
use crate::credential::{Presented, present, several};
use crate::plan::Gate;
use crate::reject::{Reject, TokenFault, Unavailable};
use crate::store::{HeldKeys, Judged, Shown};

impl<'p> Judging<'p, '_> {
    /// The caller, proven; none where nothing was shown.
    ///
    /// Everything that is shown must be good. The caller is who the first provider says, those that are accepted
    /// before others.
    pub(super) fn identify(
        &self,
        gate: &'p Gate,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<Option<Rc<Principal>>, Stop> {
        let presented = present(self.request, &self.policy.locations);
        // What breaks its grammar names no user.
        let shown = presented.as_deref().unwrap_or_default();
        self.refuse_who_failed_too_often(gate, shown, trace)?;
        let presented = presented?;
        self.refuse_two_of_one_provider(&presented)?;
        trace.step(Step::Shows(presented.first().map(|shown| shown.scheme)));
        let comes_before = |one: &Principal, other: &Principal| {
            let rank = |number| (!gate.providers.contains(&number), number);
            rank(one.provider()) < rank(other.provider())
        };
        let mut caller: Option<Rc<Principal>> = None;
        for shown in &presented {
            let principal = self.verify(gate, shown, effects);
            if let Err(Stop::Reject(reject)) = principal {
                self.count(reject, gate, shown, effects);
            }
            let principal = principal?;
            if caller
                .as_ref()
                .is_none_or(|known| comes_before(&principal, known))
            {
                caller = Some(principal);
            }
        }
        let Some(principal) = caller else {
            return Ok(None);
        };
        decision.principal = Some(Rc::clone(&principal));
        if let Some(provider) = self.policy.providers.get(principal.provider()) {
            decision.provider = Some(&provider.name);
            trace.step(Step::Vouched {
                provider: &provider.name,
                principal: &principal,
            });
        }
        Ok(Some(principal))
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

    /// Judges one credential, by memory or anew.
    fn verify(
        &self,
        gate: &Gate,
        shown: &Presented<'_>,
        effects: &mut Effects,
    ) -> Result<Rc<Principal>, Stop> {
        let tokens = &self.store.tokens;
        let token = remembered_as(gate, shown);
        let slot = tokens.slot(token);
        match tokens.find(slot, token, self.now) {
            Some(Judged::Verified(principal)) if self.is_still_vouched_for(&principal)? => {
                effects.tokens.push(TokenEffect::Found(slot));
                return Ok(principal);
            }
            Some(Judged::Refused(fault)) => {
                effects.tokens.push(TokenEffect::Found(slot));
                return Err(fault.into());
            }
            Some(Judged::Verified(_)) | None => {}
        }
        let judged = match self.verify_anew(gate, shown) {
            Ok(principal) => Judged::Verified(principal),
            Err(Stop::Reject(Reject::Token(fault))) => Judged::Refused(fault),
            Err(other) => return Err(other),
        };
        effects
            .tokens
            .push(match tokens.id_to_remember(slot, token, &judged) {
                None => TokenEffect::SeenOnce(slot),
                Some(id) => TokenEffect::Judged {
                    slot,
                    id,
                    judged: judged.clone(),
                    bytes: shown.token.len(),
                },
            });
        match judged {
            Judged::Verified(principal) => Ok(principal),
            Judged::Refused(fault) => Err(fault.into()),
        }
    }

    /// Whether what vouched for a caller before still does: the key is still its issuer's. Where it is, the time and
    /// revocation are checked again.
    fn is_still_vouched_for(&self, principal: &Principal) -> Result<bool, TokenFault> {
        let Some(provider) = self.policy.providers.get(principal.provider()) else {
            return Ok(false);
        };
        let Method::Jwt(verifier, keys) = &provider.method;
        let holds = match keys {
            Keys::Inline(set) => set.holds(principal.key()),
            Keys::Remote(source) => self
                .store
                .source(*source)
                .and_then(|held| held.set.as_ref())
                .is_some_and(|set| set.holds(principal.key())),
        };
        if holds {
            verifier.check_now(principal.standing(), self.now)?;
        }
        Ok(holds)
    }

    fn verify_anew(&self, gate: &Gate, shown: &Presented<'_>) -> Result<Rc<Principal>, Stop> {
        let compact = take_apart(&shown.token)?;
        let token = Unverified::read(&compact)?;
        let providers = &self.policy.providers;
        let (number, provider) = judge_of(providers, &gate.providers, shown.location, &token)?;
        let Method::Jwt(verifier, keys) = &provider.method;
        let by = |set: &KeySet| authenticate(number, verifier, token, set, self.backend, self.now);
        match keys {
            Keys::Inline(set) => by(set).map_err(|refusal| match refusal {
                Refusal::Token(fault) | Refusal::NoKey(fault) => fault.into(),
                Refusal::Unavailable => Reject::Unavailable(Unavailable::Crypto).into(),
            }),
            Keys::Remote(source) => self.verify_remote(*source, by),
        }
    }

    /// Judges by keys that are fetched: waits for the first, and once in a while for newer ones.
    fn verify_remote(
        &self,
        source: usize,
        by: impl FnOnce(&KeySet) -> Result<Rc<Principal>, Refusal>,
    ) -> Result<Rc<Principal>, Stop> {
        let fetch = Fetch { source };
        let settled = self.settled.contains(&fetch);
        let nothing = HeldKeys::default();
        let held = self.store.source(source).unwrap_or(&nothing);
        let Some(set) = &held.set else {
            return Err(if settled || held.failed {
                Reject::Unavailable(Unavailable::Keys).into()
            } else {
                Stop::Needs(fetch)
            });
        };
        by(set).map_err(|refusal| match refusal {
            Refusal::Token(fault) => fault.into(),
            Refusal::NoKey(_) if !settled && held.may_have_newer(self.now) => Stop::Needs(fetch),
            // The keys of now are not known, so it is not known either that this token's is none of them.
            Refusal::NoKey(_) if held.failed => Reject::Unavailable(Unavailable::Keys).into(),
            Refusal::NoKey(fault) => fault.into(),
            Refusal::Unavailable => Reject::Unavailable(Unavailable::Crypto).into(),
        })
    }
}

/// A credential as the memory of tokens knows it.
pub(super) fn remembered_as<'t>(gate: &Gate, shown: &'t Presented<'_>) -> Shown<'t> {
    Shown {
        location: shown.location,
        choice: gate.choice,
        token: &shown.token,
    }
}
