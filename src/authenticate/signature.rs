//! Signatures: does this key, by this algorithm, vouch for these octets?
//!
//! 1. An [`Algorithm`] is a name of RFC 7518 section 3, RFC 8037 or RFC 9864; there is no `none`.
//! 2. A [`Key`] is checked when it is made and serves only the algorithms that it [fits](Key::fits).
//! 3. A [`Backend`] verifies. [`Pure`] does so in Rust; a host may offer a faster one.
//!
//! ECDSA signatures are not required to have a low `s`: RFC 7518 has no such rule. Two signatures
//! may therefore verify for one message, and a signature identifies nothing.

mod algorithm;
mod key;

pub use algorithm::Algorithm;
pub use key::{Key, KeyFault};

use algorithm::Scheme;
use jwt_compact::{
    Algorithm as Jws, AlgorithmSignature,
    alg::{Es256, Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key, Rsa},
};
use rsa::{BigUint, traits::PublicKeyParts as _};

/// Verifies signatures.
pub trait Backend {
    /// `Ok` if `signature` is one of `key` over `message` by `algorithm`.
    ///
    /// `signature` is as a JWS carries it, base64url removed: for ECDSA the fixed-length `r ‖ s`
    /// of RFC 7518 section 3.4, not DER.
    ///
    /// # Errors
    ///
    /// [`SignatureFault`]. The caller answers each of them alike, except
    /// [`Unavailable`](SignatureFault::Unavailable), which says nothing about the signature.
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &Key,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureFault>;
}

/// Why a signature was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// The key is of another type, on another curve, or too short for the algorithm.
    #[error("the key does not serve this algorithm")]
    KeyMismatch,
    /// The algorithm and the key fix the length of the signature, and this one differs.
    #[error("the signature has the wrong length")]
    Length,
    /// The signature is not one of this key over this message.
    #[error("the signature does not verify")]
    Mismatch,
    /// The backend could not judge.
    #[error("the signature could not be checked")]
    Unavailable,
}

/// Verifies in Rust, wherever this runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pure;

impl Backend for Pure {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &Key,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureFault> {
        if !key.fits(algorithm) {
            return Err(SignatureFault::KeyMismatch);
        }
        // INVARIANT: the length is exact from here on. `jwt-compact` copies an HMAC into a
        // fixed-size array and panics on any other length.
        if signature.len() != key.signature_len(algorithm) {
            return Err(SignatureFault::Length);
        }
        if verifies(algorithm, key, message, signature) {
            Ok(())
        } else {
            Err(SignatureFault::Mismatch)
        }
    }
}

fn verifies(algorithm: Algorithm, key: &Key, message: &[u8], signature: &[u8]) -> bool {
    match (algorithm.scheme(), key) {
        (Scheme::Hmac, Key::Hmac(secret)) => {
            let secret = secret.bytes();
            match algorithm {
                Algorithm::Hs256 => jws(&Hs256, &Hs256Key::new(secret), message, signature),
                Algorithm::Hs384 => jws(&Hs384, &Hs384Key::new(secret), message, signature),
                Algorithm::Hs512 => jws(&Hs512, &Hs512Key::new(secret), message, signature),
                _ => false,
            }
        }
        (Scheme::Rsa, Key::Rsa(key)) => {
            let key = key.public();
            // RFC 8017 section 5.2.2 wants the representative below the modulus. `rsa` checks it
            // for PKCS#1 v1.5 only: under PSS it would reduce `s + n` and accept it.
            if BigUint::from_bytes_be(signature) >= *key.n() {
                return false;
            }
            rsa(algorithm).is_some_and(|rsa| jws(&rsa, key, message, signature))
        }
        (Scheme::Ecdsa, Key::P256(key)) => jws(&Es256, key.public(), message, signature),
        (Scheme::Ecdsa, Key::P384(key)) => {
            use p384::ecdsa::{Signature, signature::Verifier as _};
            Signature::from_slice(signature)
                .is_ok_and(|signature| key.public().verify(message, &signature).is_ok())
        }
        (Scheme::Ecdsa, Key::P521(key)) => {
            use p521::ecdsa::{Signature, signature::Verifier as _};
            Signature::from_slice(signature)
                .is_ok_and(|signature| key.public().verify(message, &signature).is_ok())
        }
        // The strict verification: it refuses an `R` of small order, which the lax one of
        // `jwt-compact` lets pass. Both refuse an `S` that is not reduced.
        (Scheme::EdDsa, Key::Ed25519(key)) => ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| key.public().verify_strict(message, &signature).is_ok()),
        _ => false,
    }
}

fn jws<A: Jws>(algorithm: &A, key: &A::VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    A::Signature::try_from_slice(signature)
        .is_ok_and(|signature| algorithm.verify_signature(&signature, key, message))
}

/// The padding and hash of `RS*` and `PS*`. The salt of PSS is as long as the hash: RFC 7518
/// section 3.5.
pub(crate) fn rsa(algorithm: Algorithm) -> Option<Rsa> {
    Some(match algorithm {
        Algorithm::Rs256 => Rsa::rs256(),
        Algorithm::Rs384 => Rsa::rs384(),
        Algorithm::Rs512 => Rsa::rs512(),
        Algorithm::Ps256 => Rsa::ps256(),
        Algorithm::Ps384 => Rsa::ps384(),
        Algorithm::Ps512 => Rsa::ps512(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
