//! Digest: proofs that the client knows a user's password (RFC 7616).
//!
//! The list of users has `H(A1)` in place of a password. It is as good as the password within its realm: who has it can
//! compute every response (RFC 7616 §5.13).

pub mod algorithm;
pub mod response;
pub mod users;

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::Digest as _;

pub use self::algorithm::DigestAlgorithm;
pub use self::response::is_right;
pub use self::users::{DigestUser, DigestUsers, Ha1};
use super::principal::Verified;
use super::{Evidence, Facts, Offer, Refusal};
use crate::credential::{DigestCredential, Shown};
use crate::kinds;
use crate::nonce::{NonceKey, Purpose, Use};
use crate::reject::{LoginFault, Unavailable};

/// How a provider verifies Digest credentials.
#[derive(Debug)]
pub struct Digest {
    /// This build verifies this kind.
    pub kind: kinds::Digest,
    /// The provider's name: a nonce is for one provider.
    pub name: String,
    /// The realm of the challenges, which the hashes of the users contain.
    pub realm: String,
    /// The value that clients return unchanged: [`opaque`].
    pub opaque: String,
    /// The algorithms that are offered.
    pub algorithms: Vec<DigestAlgorithm>,
    /// The users.
    pub users: DigestUsers,
    /// How long a nonce is valid.
    pub nonce_lifetime: Duration,
    /// The key of the nonces. None if the workers of the host share a random key.
    pub nonce_key: Option<NonceKey>,
    /// What a 401 offers: each algorithm.
    pub offers: Vec<Offer>,
}

/// The `opaque` of a provider's challenges (RFC 7616 §3.3). It is the same at every proxy with this configuration, and is not
/// a secret.
pub fn opaque(realm: &str, provider: &str) -> String {
    let mut hash = sha2::Sha256::new();
    hash.update((realm.len() as u64).to_be_bytes());
    hash.update(realm);
    hash.update(provider);
    let hash = hash.finalize();
    Base64UrlUnpadded::encode_string(hash.get(..12).unwrap_or_default())
}

impl Digest {
    /// What a 401 offers.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// What its nonces are for.
    pub(super) fn purpose(&self) -> Purpose<'_> {
        Purpose {
            use_: Use::Digest,
            realm: &self.realm,
            provider: &self.name,
            lifetime: self.nonce_lifetime,
        }
    }

    /// The key of its nonces: its own, else the one that the workers share.
    pub(super) fn nonce_key<'k>(&'k self, shared: Option<&'k NonceKey>) -> Option<&'k NonceKey> {
        self.nonce_key.as_ref().or(shared)
    }

    /// The credential that is presented.
    pub fn claim<'c>(&self, shown: &'c Shown<'_>) -> Option<&'c DigestCredential<'c>> {
        match shown {
            Shown::Digest(credential) => Some(credential),
            Shown::Token(_) | Shown::Login(_) | Shown::Key(_) | Shown::Malformed(_) => None,
        }
    }

    /// Verifies a credential. That its nonce was not used with its count is not known yet.
    ///
    /// # Errors
    /// [`Refusal`], in the order: another challenge, the user or the response, the nonce. So a client learns that a nonce has
    /// expired only if it knows the password (RFC 7616 §3.3).
    pub(super) fn verify(
        &self,
        credential: &DigestCredential<'_>,
        facts: Facts<'_>,
    ) -> Result<Verified, Refusal> {
        let algorithm = DigestAlgorithm::of(credential);
        let algorithm = algorithm.filter(|algorithm| self.algorithms.contains(algorithm));
        let opaque = credential.opaque();
        let is_opaque_kept = opaque.is_none_or(|own| own == self.opaque.as_bytes());
        let Some(algorithm) = algorithm.filter(|_| is_opaque_kept) else {
            return Err(LoginFault::Challenge.into());
        };
        if credential.realm() != self.realm.as_bytes() {
            return Err(LoginFault::Challenge.into());
        }
        let user = self.users.find(credential.user());
        let known = user.filter(|user| user.ha1(algorithm).is_some());
        let is_right = is_right(credential, algorithm, facts.method, user.map(AsRef::as_ref));
        let user = known.ok_or(LoginFault::User)?;
        if !is_right {
            return Err(LoginFault::Password.into());
        }
        let key = self.nonce_key(facts.nonce_key);
        let key = key.ok_or(Refusal::Unavailable(Unavailable::SharedData))?;
        // A nonce of another server is stale too: a client at several proxies must not ask its user again.
        let until = key
            .check(&self.purpose(), credential.nonce(), facts.now)
            .map_err(|_| LoginFault::Stale)?;
        Ok(Verified {
            subject: Some(user.name.to_string()),
            scopes: user.grants.scopes.clone(),
            roles: user.grants.roles.clone(),
            groups: super::granted::Granted::default(),
            evidence: Evidence::Digest(until),
            confirmation: None,
            payload: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests;
