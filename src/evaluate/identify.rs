//! Who the callers are: every credential that is presented, verified.

use std::borrow::Cow;
use std::rc::Rc;

use super::trace::{Invalid, Step, Trace};
use super::{Decision, Effects, Evaluation, Stop};
use crate::authenticate::mtls::Mtls;
use crate::authenticate::{
    Claim, Decoded, Method, Offer, Parsed, Principal, ProviderId, offers_of,
};
use crate::authorize::{Gate, Needs, Principals, refuse_missing};
use crate::credential::{Carrier, LocationId, Presented, Shown, present, several};
use crate::reject::Reject;
use crate::scheme::SchemeSet;
use crate::store::TokenKey;

/// A credential that is presented, parsed at most once.
pub(super) struct Candidate<'c, 's> {
    pub presented: &'s Presented<'s>,
    pub parsed: Parsed<'c, 's>,
}

/// The rank of a caller among several: accepted providers before others, in the order of the gate, then of the
/// configuration.
pub(super) fn rank(gate: &Gate, caller: &Principal) -> (usize, ProviderId) {
    let provider = caller.provider();
    let accepted = gate.providers.iter().position(|own| *own == provider);
    (accepted.unwrap_or(usize::MAX), provider)
}

impl<'p> Evaluation<'p, '_> {
    /// A credential as the token cache knows it.
    ///
    /// The result of a password is the same for all rules whose provider is the same, so that it is hashed once for them.
    pub(super) fn remembered_as<'c>(
        &self,
        gate: &Gate,
        candidate: &'c Candidate<'_, '_>,
    ) -> TokenKey<'c> {
        let shown = &candidate.presented.shown;
        let choice = match shown {
            Shown::Login(_) => self.select(gate, candidate).map(|selected| selected.id.0),
            Shown::Token(_) | Shown::Digest(_) | Shown::Key(_) | Shown::Malformed(_) => {
                Ok(gate.choice)
            }
        };
        TokenKey {
            location: candidate.presented.location,
            // No provider has this number.
            choice: choice.unwrap_or(u32::MAX as usize),
            octets: shown.octets(),
        }
    }

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
        let peers = match self.policy.accepts_certificates {
            true => self.peers(gate),
            false => Principals::new(),
        };
        if candidates.is_empty() && peers.is_empty() {
            trace.step(Step::Presents(None));
        }
        let mut callers = Principals::new();
        for candidate in candidates {
            let schemes = candidate.presented.schemes;
            trace.step(Step::Presents(self.carrier(candidate.presented.location)));
            let proven = match self.verify(gate, candidate, effects) {
                Ok(caller) if self.asks_for_proof(&caller) => self
                    .prove_possession(gate, candidate, &caller, decision, effects, trace)
                    .map(|()| caller),
                verified => verified,
            };
            let caller = match proven {
                Ok(caller) => caller,
                Err(stop) => {
                    if let Stop::Reject(reject) = stop {
                        trace.step(Step::Invalid(Invalid {
                            credential: &candidate.presented.shown,
                            location: candidate.presented.location,
                            providers: &self.policy.providers,
                            accepted: &gate.providers,
                            store: self.store,
                            reject,
                        }));
                    }
                    decision.schemes = schemes;
                    if gate.needs == Needs::Each {
                        let invalid = candidate.presented.location;
                        self.offer_besides_valid(gate, candidates, invalid, decision);
                    }
                    return Err(stop);
                }
            };
            if self.insert(gate, caller, &mut callers, trace) {
                decision.schemes = schemes;
            }
        }
        for caller in peers {
            if self.insert(gate, caller, &mut callers, trace) {
                decision.schemes = SchemeSet::default();
            }
        }
        decision.provider = callers.first().and_then(|caller| self.provider(caller));
        decision.principals = callers;
        Ok(())
    }

    /// The callers that the client's certificate names, for the providers that the gate accepts. Clients present one
    /// certificate for every request of a connection, so that one that no provider accepts here is not invalid.
    #[inline(never)]
    fn peers(&self, gate: &Gate) -> Principals {
        let mut callers = Principals::new();
        for (id, own) in self.mtls_of(gate) {
            if let Some(peer) = self.request.peer()
                && let Some(subject) = own.claim(peer)
            {
                let caller = Claim::Mtls(own, &subject).verify(id, self.facts());
                callers.extend(caller.ok());
            }
        }
        callers
    }

    /// The providers of client certificates that a gate accepts.
    pub(super) fn mtls_of<'s>(
        &'s self,
        gate: &'s Gate,
    ) -> impl Iterator<Item = (ProviderId, &'p Mtls)> + 's {
        gate.providers
            .iter()
            .filter_map(|id| match &self.policy.providers.get(id.0)?.method {
                Method::Mtls(own) => Some((*id, own)),
                _ => None,
            })
    }

    /// Inserts a caller among the others by its rank. Returns whether it is the first.
    fn insert(
        &self,
        gate: &Gate,
        caller: Rc<Principal>,
        callers: &mut Principals,
        trace: &mut impl Trace,
    ) -> bool {
        if let Some(provider) = self.provider(&caller) {
            trace.step(Step::Verified {
                provider,
                principal: &caller,
            });
        }
        let own = rank(gate, &caller);
        let later = callers.iter().position(|known| own < rank(gate, known));
        let position = later.unwrap_or(callers.len());
        callers.insert(position, caller);
        position == 0
    }

    /// The name of the provider that verified a caller.
    fn provider(&self, caller: &Principal) -> Option<&'p str> {
        let provider = self.policy.providers.get(caller.provider().0)?;
        Some(&provider.name)
    }

    /// If the gate needs credentials of several providers: offers what is missing or invalid, because one is invalid.
    #[cold]
    fn offer_besides_valid(
        &self,
        gate: &'p Gate,
        candidates: &[Candidate<'_, '_>],
        invalid: LocationId,
        decision: &mut Decision<'p>,
    ) {
        let others = candidates.iter();
        let others = others.filter(|one| one.presented.location != invalid);
        let selected = others.filter_map(|one| Some(self.select(gate, one).ok()?.id));
        decision.offers = self.offers_besides(gate, &selected.collect::<Vec<_>>());
    }

    /// Denies callers of which one that the gate needs is missing, and offers only what is missing.
    ///
    /// # Errors
    /// [`Reject::MissingCredential`].
    pub(super) fn refuse_missing(
        &self,
        gate: &'p Gate,
        decision: &mut Decision<'p>,
        trace: &mut impl Trace,
    ) -> Result<(), Reject> {
        refuse_missing(gate, &decision.principals).inspect_err(|_| {
            for id in gate.missing(&decision.principals) {
                if let Some(provider) = self.policy.providers.get(id.0) {
                    trace.step(Step::Missing(&provider.name));
                }
            }
            decision.offers = self.offers_besides_callers(gate, &decision.principals);
        })
    }

    /// What the gate offers besides the credentials of these callers.
    #[cold]
    pub(super) fn offers_besides_callers(
        &self,
        gate: &'p Gate,
        callers: &[Rc<Principal>],
    ) -> Cow<'p, [Offer]> {
        let callers = callers.iter().map(|caller| caller.provider());
        self.offers_besides(gate, &callers.collect::<Vec<_>>())
    }

    /// What the gate offers besides the credentials of the providers that are `shown`. If the request needs no other, this
    /// is everything: a credential of a provider that the rule does not accept is invalid, and a 401 must have a challenge
    /// (RFC 9110 §15.5.2).
    fn offers_besides(&self, gate: &'p Gate, shown: &[ProviderId]) -> Cow<'p, [Offer]> {
        let providers = self.policy.providers.iter().enumerate();
        let others = providers.filter(|(number, _)| {
            let id = ProviderId(*number);
            gate.providers.contains(&id) && !shown.contains(&id)
        });
        let others: Vec<_> = others.map(|(_, provider)| provider).collect();
        match others.is_empty() {
            true => Cow::Borrowed(&gate.offers),
            false => Cow::Owned(offers_of(&others)),
        }
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
