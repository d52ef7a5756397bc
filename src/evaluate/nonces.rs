//! The nonces of a response: those of its challenges (RFC 7616 §3.3, RFC 9449 §8).

use super::{Decision, Verdict};
use crate::authenticate::{Offer, Provider, ProviderId};
use crate::nonce::NonceKey;
use crate::plan::Plan;
use crate::reject::{Reject, Unavailable};
use crate::store::Store;
use crate::time::Now;

/// The nonces of a response.
#[derive(Debug, Default)]
pub struct Nonces {
    /// One for each provider whose challenge has a nonce.
    issued: Vec<(ProviderId, String)>,
    /// The provider that refused a proof for its nonce.
    wanted: Option<ProviderId>,
}

impl Nonces {
    /// The nonce of a provider.
    pub fn of(&self, provider: ProviderId) -> Option<&str> {
        let mut issued = self.issued.iter();
        issued.find_map(|(own, nonce)| (*own == provider).then_some(nonce.as_str()))
    }

    /// The nonce for proofs. A response has one (RFC 9449 §8.1): that of the provider that refused a proof, else of the first
    /// that is offered.
    pub fn of_proofs(&self, offers: &[Offer]) -> Option<&str> {
        let mut offered = offers.iter().filter_map(|offer| match offer {
            Offer::Dpop { nonce_of, .. } => *nonce_of,
            _ => None,
        });
        self.of(self.wanted.or_else(|| offered.next())?)
    }

    /// Notes that a provider refuses a proof for its nonce.
    pub(super) fn want(&mut self, provider: ProviderId) {
        self.wanted = Some(provider);
    }
}

impl<'p> Decision<'p> {
    /// Issues the nonces of the challenges that a denied request receives. If there can be none, it is denied for that.
    pub(super) fn issue_nonces(&mut self, plan: &'p Plan, store: &Store, now: Now<'_>) {
        if self.refusal().is_none() {
            return;
        }
        let offered = self.offers.iter().filter_map(Offer::nonce_of);
        // A rule need not accept the provider that refuses a proof.
        for provider in offered.chain(self.nonces.wanted) {
            let known = plan.policy.as_ref();
            let known = known.and_then(|policy| policy.providers.get(provider.0));
            let Some(known) = known.filter(|_| self.nonces.of(provider).is_none()) else {
                continue;
            };
            match nonce_key(known, store) {
                Ok(key) => {
                    let purpose = known.purpose(&plan.presentation.realm);
                    self.nonces
                        .issued
                        .push((provider, key.issue(&purpose, now.get())));
                }
                Err(reject) => {
                    self.verdict = Verdict::Refused(reject);
                    return;
                }
            }
        }
    }
}

/// The key of a provider's nonces.
///
/// # Errors
/// [`Unavailable::SharedData`].
pub(super) fn nonce_key<'k>(
    provider: &'k Provider,
    store: &'k Store,
) -> Result<&'k NonceKey, Reject> {
    let key = provider.nonce_key(store.nonce_key.as_ref());
    key.ok_or(Reject::Unavailable(Unavailable::SharedData))
}
