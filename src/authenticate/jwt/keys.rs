//! The keys of a provider, and which of them are tried for a token.

use smallvec::SmallVec;

use super::Jwt;
use super::unverified::{Signed, Unverified};
use crate::authenticate::jose::jwk::Jwk;
use crate::authenticate::jose::keys::{KeySet, most_tried};
use crate::authenticate::jose::signature::SignatureFault;
use crate::authenticate::{Facts, Refusal, SourceId, Unproven};
use crate::reject::{TokenFault, Unavailable};

/// The keys of a provider.
#[derive(Debug)]
pub enum Keys {
    /// Keys in the configuration.
    Inline(KeySet),
    /// Keys that are fetched from a source.
    Remote(SourceId),
}

impl Keys {
    /// The keys. `None` if no keys have been fetched yet.
    pub(super) fn at_hand<'f>(&'f self, facts: Facts<'f>) -> Option<&'f KeySet> {
        match self {
            Self::Inline(set) => Some(set),
            Self::Remote(source) => facts.keys.keys(*source),
        }
    }

    fn source(&self) -> Option<SourceId> {
        match self {
            Self::Inline(_) => None,
            Self::Remote(source) => Some(*source),
        }
    }
}

/// The keys that are tried for a token, in this order.
pub struct Candidates<'f> {
    /// The keys, with the source of those that are fetched.
    pub keys: SmallVec<[(Option<SourceId>, &'f Jwk); 4]>,
    /// Whether there are no other keys that can have signed the token.
    pub are_all: bool,
}

impl Jwt {
    /// The number of keys in the configuration.
    pub fn inline_keys(&self) -> usize {
        let number = |keys: &Keys| match keys {
            Keys::Inline(set) => set.len(),
            Keys::Remote(_) => 0,
        };
        self.keys.iter().map(number).sum()
    }

    /// The sources from which the keys are fetched.
    pub fn key_sources(&self) -> impl Iterator<Item = SourceId> {
        self.keys.iter().filter_map(Keys::source)
    }

    /// The token, if a key of the provider verifies its signature.
    pub(super) fn verify_signature<'t>(
        &self,
        token: &'t Unverified<'t>,
        facts: Facts<'_>,
    ) -> Result<Signed<'t>, Refusal> {
        let (mut is_tried, mut is_unavailable) = (false, false);
        for (_, jwk) in self.candidates(token, facts).keys {
            match token.signed_by(jwk, facts.backend) {
                Ok(signed) => return Ok(signed),
                // This key could be the right one, so the token is not rejected because the others fail.
                Err(SignatureFault::Unavailable) => is_unavailable = true,
                Err(
                    SignatureFault::KeyMismatch | SignatureFault::Length | SignatureFault::Mismatch,
                ) => is_tried = true,
            }
        }
        if is_unavailable {
            return Err(Refusal::Unavailable(Unavailable::Crypto));
        }
        let kid = token.header().kid.as_deref();
        let mut sets = self.keys.iter().filter_map(|keys| keys.at_hand(facts));
        let is_known = sets.any(|set| set.has(kid, token.claimed_issuer()));
        let fault = match (is_tried, is_known) {
            (true, _) => TokenFault::Signature,
            (false, false) => TokenFault::Key,
            (false, true) => TokenFault::Algorithm,
        };
        let is_named = is_known && kid.is_some();
        Err(Refusal::Unproven(Unproven { fault, is_named }))
    }

    /// The keys of its issuer to try for a token: the keys with its `kid`, then the keys without a `kid`. If the header
    /// has no `kid`, the keys without a `kid`, then all others. Together as many as [`most_tried`] allows, so that a token
    /// costs a bounded time.
    #[inline(never)]
    pub fn candidates<'f>(&'f self, token: &Unverified<'_>, facts: Facts<'f>) -> Candidates<'f> {
        let (header, iss) = (token.header(), token.claimed_issuer());
        let most = most_tried(facts.backend.uses_host(header.algorithm));
        let (mut keys, kid) = (SmallVec::new(), header.kid.as_deref());
        for is_first in [true, false] {
            for own in &self.keys {
                let set = own.at_hand(facts).into_iter();
                for jwk in set.flat_map(|set| set.serving(header.algorithm)) {
                    let is_named = jwk.kid() == kid;
                    if !jwk.is_of(iss)
                        || is_named != is_first
                        || !is_named && kid.is_some() && jwk.kid().is_some()
                    {
                        continue;
                    }
                    if keys.len() == most {
                        return Candidates {
                            keys,
                            are_all: false,
                        };
                    }
                    keys.push((own.source(), jwk));
                }
            }
        }
        Candidates {
            keys,
            are_all: true,
        }
    }

    /// Whether a fetched key among these facts verifies the token's signature.
    pub fn was_signed_by(&self, token: &Unverified<'_>, facts: Facts<'_>) -> bool {
        let candidates = self.candidates(token, facts).keys;
        candidates
            .iter()
            .any(|(source, jwk)| source.is_some() && token.signed_by(jwk, facts.backend).is_ok())
    }
}
