//! Verifies a credential, or uses its cached result. Only this file passes data of the store to a method.

use std::rc::Rc;

use super::identify::Candidate;
use super::{Effects, Evaluation, Fetch, Stop, TokenEffect};
use crate::authenticate::{Claim, Facts, KeySourceId, Principal, Refusal, Selected, select};
use crate::authorize::Gate;
use crate::keys::HeldKeys;
use crate::reject::{Reject, TokenFault, Unavailable};
use crate::store::Judged;

impl Evaluation<'_, '_> {
    /// Verifies one credential, or uses its cached result.
    pub(super) fn verify(
        &self,
        gate: &Gate,
        candidate: &Candidate<'_, '_>,
        effects: &mut Effects,
    ) -> Result<Rc<Principal>, Stop> {
        let tokens = &self.store.tokens;
        let token = candidate.remembered_as(gate);
        let slot = tokens.slot(token);
        match tokens.find(slot, token, self.circumstances.now) {
            Some(Judged::Verified(principal)) if self.is_still_valid(&principal)? => {
                effects.tokens.push(TokenEffect::Found(slot));
                return Ok(principal);
            }
            Some(Judged::Refused(fault)) => {
                effects.tokens.push(TokenEffect::Found(slot));
                return Err(fault.into());
            }
            Some(Judged::Verified(_)) | None => {}
        }
        let judged = match self.verify_anew(gate, candidate) {
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
                    bytes: token.octets.len(),
                },
            });
        match judged {
            Judged::Verified(principal) => Ok(principal),
            Judged::Refused(fault) => Err(fault.into()),
        }
    }

    /// Whether a cached result is still valid. If it is not, the credential is verified again.
    fn is_still_valid(&self, principal: &Principal) -> Result<bool, Stop> {
        let Some(provider) = self.policy.providers.get(principal.provider().0) else {
            return Ok(false);
        };
        let still_valid = provider.method.still_valid(principal, self.facts());
        still_valid.map_err(|refusal| match refusal {
            Refusal::Token(fault) | Refusal::Stale(fault) => fault.into(),
            Refusal::Unavailable(what) => Reject::Unavailable(what).into(),
        })
    }

    fn verify_anew(
        &self,
        gate: &Gate,
        candidate: &Candidate<'_, '_>,
    ) -> Result<Rc<Principal>, Stop> {
        let Selected { id, claim, .. } = self.select(gate, candidate)?;
        let verified = claim.verify(id, self.facts());
        verified.map_err(|refusal| match (refusal, claim) {
            (Refusal::Token(fault), _) => fault.into(),
            (Refusal::Unavailable(what), _) => Reject::Unavailable(what).into(),
            (Refusal::Stale(fault), Claim::Jwt(jwt, _)) => {
                self.without_a_key(jwt.key_sources(), fault)
            }
        })
    }

    /// The provider that verifies a credential.
    pub(super) fn select<'s, 'c>(
        &'s self,
        gate: &Gate,
        candidate: &'c Candidate<'_, '_>,
    ) -> Result<Selected<'s, 'c>, TokenFault> {
        let location = candidate.presented.location;
        let providers = &self.policy.providers;
        select(providers, &gate.providers, location, &candidate.parsed)
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            keys: &self.store.keys,
            backend: self.circumstances.backend,
            now: self.circumstances.now,
        }
    }

    /// The result if no available key verifies a token: the request waits for the first keys, and at most once per cool-down
    /// for newer keys.
    fn without_a_key(&self, sources: impl Iterator<Item = KeySourceId>, fault: TokenFault) -> Stop {
        let mut may_be_missing = false;
        for source in sources {
            let fetch = Fetch::Keys(source);
            let nothing = HeldKeys::default();
            let held = self.store.keys.get(source).unwrap_or(&nothing);
            let could_help = match held.set {
                None => !held.failed,
                Some(_) => held.may_have_newer(self.circumstances.now),
            };
            if could_help && !self.circumstances.settled.contains(&fetch) {
                return Stop::Needs(fetch);
            }
            // The issuer's current keys are not known, so the token's key could be one of them.
            may_be_missing |= held.failed || held.set.is_none();
        }
        match may_be_missing {
            true => Reject::Unavailable(Unavailable::Keys).into(),
            false => fault.into(),
        }
    }
}
