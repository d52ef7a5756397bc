//! Verifies a credential, or uses its cached result. Only this file passes data of the store to a method.

use std::rc::Rc;

use super::identify::Candidate;
use super::{Asked, Effects, Evaluation, Fetch, Stop, TokenEffect};
use crate::authenticate::introspection::Known;
use crate::authenticate::jwt::{Candidates, Jwt, Unverified};
use crate::authenticate::{
    Claim, Facts, Principal, ProviderId, Refusal, Selected, SourceId, Unproven, select,
};
use crate::authorize::Gate;
use crate::keys::HeldKeys;
use crate::keys::Withdrawn;
use crate::reject::{Invalid, Reject, Unavailable};
use crate::store::{Judged, Refused};
use crate::time::Timestamp;

impl Evaluation<'_, '_> {
    /// Verifies one credential, or uses its cached result.
    pub(super) fn verify(
        &self,
        gate: &Gate,
        candidate: &Candidate<'_, '_>,
        effects: &mut Effects,
    ) -> Result<Rc<Principal>, Stop> {
        if !candidate.presented.shown.is_cached() {
            let judged = self.verify_anew(gate, candidate, effects)?;
            return self.accept(judged, gate, candidate, effects);
        }
        let tokens = &self.store.tokens;
        let token = self.remembered_as(gate, candidate);
        let slot = tokens.slot(token);
        match tokens.find(slot, token, self.circumstances.now.get()) {
            Some(Judged::Verified(principal)) if self.is_still_valid(&principal)? => {
                effects.tokens.push(TokenEffect::Found(slot));
                return Ok(principal);
            }
            Some(Judged::Refused(refused)) => {
                effects.tokens.push(TokenEffect::Found(slot));
                return Err(self.refuse(refused, gate, candidate, effects));
            }
            Some(Judged::Verified(_)) | None => {}
        }
        // Of a hidden rule, a credential is looked at twice.
        let again = effects.tokens.iter().find_map(|effect| match effect {
            TokenEffect::Judged {
                slot: own,
                id,
                judged,
                ..
            } if *own == slot && *id == tokens.id(token) => Some(judged.clone()),
            _ => None,
        });
        if let Some(judged) = again {
            return self.accept(judged, gate, candidate, effects);
        }
        let judged = self.verify_anew(gate, candidate, effects)?;
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
        self.accept(judged, gate, candidate, effects)
    }

    fn accept(
        &self,
        judged: Judged,
        gate: &Gate,
        candidate: &Candidate<'_, '_>,
        effects: &mut Effects,
    ) -> Result<Rc<Principal>, Stop> {
        match judged {
            Judged::Verified(principal) => Ok(principal),
            Judged::Refused(refused) => Err(self.refuse(refused, gate, candidate, effects)),
        }
    }

    /// Refuses a credential, and counts the failure if it is a guess.
    #[cold]
    fn refuse(
        &self,
        refused: Refused,
        gate: &Gate,
        candidate: &Candidate<'_, '_>,
        effects: &mut Effects,
    ) -> Stop {
        if refused.is_guess {
            self.count(gate, candidate, effects);
        }
        refused.fault.into()
    }

    /// Whether a cached result is still valid. If it is not, the credential is verified again.
    fn is_still_valid(&self, principal: &Principal) -> Result<bool, Stop> {
        let Some(provider) = self.policy.providers.get(principal.provider().0) else {
            return Ok(false);
        };
        let still_valid = provider.method.still_valid(principal, self.facts());
        still_valid.map_err(|refusal| match refusal {
            Refusal::Invalid(fault) => fault.into(),
            Refusal::Unproven(Unproven { fault, .. }) => Invalid::Token(fault).into(),
            Refusal::Unavailable(what) => Reject::Unavailable(what).into(),
            Refusal::NotFetched(source) => self.without_a_list(source),
            Refusal::NotAsked => Reject::Unavailable(Unavailable::Introspection).into(),
        })
    }

    fn verify_anew(
        &self,
        gate: &Gate,
        candidate: &Candidate<'_, '_>,
        effects: &mut Effects,
    ) -> Result<Judged, Stop> {
        let Selected { id, claim, .. } = match self.select(gate, candidate) {
            Ok(selected) => selected,
            Err(fault) => return Ok(Judged::Refused(fault.into())),
        };
        let facts = Facts {
            answer: self.answer(id, claim)?,
            ..self.facts()
        };
        let until = match claim {
            // A password is not known to be wrong when the list is too old.
            Claim::Basic(own, _) => own
                .source()
                .and_then(|source| self.store.lists.get(source)?.until()),
            Claim::Jwt(..)
            | Claim::Introspection(..)
            | Claim::ApiKey(..)
            | Claim::Digest(..)
            | Claim::Mtls(..) => facts.answer.map(|known| known.until),
        };
        let refusal = match claim.verify(id, facts) {
            Ok(principal) => return Ok(Judged::Verified(principal)),
            Err(refusal) => refusal,
        };
        let refused = match (refusal, claim) {
            (Refusal::Unproven(unproven), Claim::Jwt(jwt, token)) => {
                let candidates = jwt.candidates(token, facts);
                if !candidates.are_all {
                    effects.untried = Some(id);
                }
                self.without_a_key(jwt, token, unproven, &candidates, effects)?
            }
            (Refusal::Unproven(Unproven { fault, .. }), _) => Invalid::Token(fault).into(),
            (Refusal::Invalid(fault), _) => Refused {
                until,
                ..fault.into()
            },
            (Refusal::Unavailable(what), _) => return Err(Reject::Unavailable(what).into()),
            (Refusal::NotFetched(source), _) => return Err(self.without_a_list(source)),
            (Refusal::NotAsked, _) => {
                return Err(Reject::Unavailable(Unavailable::Introspection).into());
            }
        };
        Ok(Judged::Refused(refused))
    }

    /// What the authorization server says of a token, if the provider asks one. The request waits until it was asked.
    fn answer(
        &self,
        provider: ProviderId,
        claim: Claim<'_, '_>,
    ) -> Result<Option<Known<'_>>, Stop> {
        let Claim::Introspection(_, token) = claim else {
            return Ok(None);
        };
        let id = self.store.tokens.id_at(provider, token);
        let mut settled = self.circumstances.settled.iter();
        let since = settled.find_map(|fetch| match fetch {
            Fetch::Introspection(asked) if asked.id == id => Some(asked.since),
            Fetch::Introspection(_)
            | Fetch::Keys(_)
            | Fetch::KeysInDoubt(_)
            | Fetch::Entries(_) => None,
        });
        let now = self.circumstances.now.get();
        let known = self.store.introspections.find(id, since, now);
        let unavailable = Reject::Unavailable(Unavailable::Introspection);
        match known {
            Some(known) => Ok(Some(known)),
            None if since.is_some() => Err(unavailable.into()),
            None => {
                let asked = Asked {
                    provider,
                    id,
                    token: token.into(),
                    since: now,
                };
                Err(Stop::Needs(Fetch::Introspection(asked), unavailable))
            }
        }
    }

    /// The result if the list that a credential could be in is not at hand: the request waits for the first fetch.
    #[cold]
    fn without_a_list(&self, source: SourceId) -> Stop {
        let unavailable = Reject::Unavailable(Unavailable::Entries);
        let mut settled = self.circumstances.settled.iter();
        let is_settled = settled.any(|fetch| fetch.source() == Some(source));
        let held = self.store.lists.get(source);
        match held.is_none_or(|held| held.failed) || is_settled {
            true => unavailable.into(),
            false => Stop::Needs(Fetch::Entries(source), unavailable),
        }
    }

    /// The provider that verifies a credential.
    pub(super) fn select<'s, 'c>(
        &'s self,
        gate: &Gate,
        candidate: &'c Candidate<'_, '_>,
    ) -> Result<Selected<'s, 'c>, Invalid> {
        let location = candidate.presented.location;
        let providers = &self.policy.providers;
        select(providers, &gate.providers, location, &candidate.parsed)
    }

    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            keys: &self.store.keys,
            lists: &self.lists,
            answer: None,
            hashing: &self.hashing,
            backend: self.circumstances.backend,
            method: self.request.method(),
            nonce_key: self.store.nonce_key.as_ref(),
            now: self.circumstances.now.get(),
        }
    }

    /// The result if no present key verifies a token: the request waits for the first keys, and at most once per cool-down
    /// for newer keys. The issuer may have a new key, or may have replaced a key and kept its `kid`.
    #[cold]
    fn without_a_key(
        &self,
        jwt: &Jwt,
        token: &Unverified<'_>,
        unproven: Unproven,
        candidates: &Candidates<'_>,
        effects: &mut Effects,
    ) -> Result<Refused, Stop> {
        let Unproven { fault, is_named } = unproven;
        let facts = self.facts();
        let now = facts.now;
        let kid = token.header().kid.as_deref();
        let (mut may_be_missing, mut until) = (false, None);
        let mut is_guess = fault.is_a_failure() && token.names_audience_of(jwt);
        // A shared secret is never fetched.
        let is_fetched = !token.header().algorithm.is_symmetric();
        for source in jwt.key_sources().filter(|_| is_fetched) {
            let nothing = HeldKeys::default();
            let held = self.store.keys.get(source).unwrap_or(&nothing);
            let tried = candidates.keys.iter().filter(|(of, _)| *of == Some(source));
            let is_doubted = tried.clone().next().is_some();
            let could_help = match &held.set {
                None => !held.failed,
                // If a key of another source has the token's `kid`, this source is not asked for it.
                Some(set) if is_named && !is_doubted && !set.has(kid, token.claimed_issuer()) => {
                    continue;
                }
                Some(_) => {
                    until = earlier(until, held.cooled_at());
                    held.may_have_newer(now)
                }
            };
            let mut settled = self.circumstances.settled.iter();
            if could_help && !settled.any(|fetch| fetch.source() == Some(source)) {
                return Err(Stop::Needs(
                    match is_doubted {
                        true => Fetch::KeysInDoubt(source),
                        false => Fetch::Keys(source),
                    },
                    match is_named {
                        true => Reject::Invalid(fault.into()),
                        false => Reject::Unavailable(Unavailable::Keys),
                    },
                ));
            }
            // The issuer's current keys are not known, so the token's key could be one of them. A request that could not wait
            // for a fetch that was possible does not know them either.
            may_be_missing |= could_help || held.failed || held.set.is_none();
            // Its key could be one that the source has by now.
            is_guess &= is_doubted;
            for (_, key) in tried {
                let confirmed = held.confirmed_until(key.id()).filter(|until| *until > now);
                is_guess &= confirmed.is_some();
                until = earlier(until, confirmed);
            }
            if is_doubted {
                effects.doubted.push(source);
            }
        }
        if may_be_missing && !is_named {
            return Err(Reject::Unavailable(Unavailable::Keys).into());
        }
        // Who has a token that the issuer signed before it replaced its key does not guess.
        let keys = &Withdrawn(&self.store.keys);
        is_guess = is_guess && !jwt.was_signed_by(token, Facts { keys, ..facts });
        Ok(Refused {
            fault: fault.into(),
            is_guess,
            until,
        })
    }
}

/// The earlier of two times that may not be known.
fn earlier(one: Option<Timestamp>, two: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(two).min()
}
