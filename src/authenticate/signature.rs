//! Signatures: does this key, by this algorithm, vouch for these octets?
//!
//! 1. An [`Algorithm`] is a name of RFC 7518 section 3, RFC 8037 or RFC 9864; there is no `none`.
//! 2. A [`Key`] is checked when it is made and serves only the algorithms that it [fits](Key::fits).
//! 3. A [`Signed`] is a signature of the shape that key and algorithm ask for; no other reaches a backend.
//! 4. A [`Backend`] verifies, and [`Verify`] puts the checks of 1 to 3 before it. [`Pure`] does so in Rust;
//!    [`Chosen`] asks a host for what that host was [seen](self_test) to do right, and [`Pure`] for the rest.
//!
//! ECDSA signatures are not required to have a low `s`: RFC 7518 has no such rule. Two signatures
//! may therefore verify for one message, and a signature identifies nothing.

mod algorithm;
mod chosen;
mod der;
mod ecdsa;
mod key;
mod selftest;
mod spki;

pub use algorithm::{Algorithm, AlgorithmSet};
pub use chosen::Chosen;
pub use key::{Key, KeyFault};
pub use selftest::self_test;

use algorithm::Scheme;
use jwt_compact::{
    Algorithm as Jws, AlgorithmSignature,
    alg::{Es256, Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key, Rsa},
};
use std::borrow::Cow;

/// Verifies signatures that have the right shape.
pub trait Backend {
    /// Whether the signature is right.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: that is not known.
    fn verifies(&self, signed: &Signed<'_>) -> Result<bool, Unavailable>;
}

/// A backend could not judge, which says nothing about the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature could not be checked")]
pub struct Unavailable;

/// The whole verification, the same in front of every backend. No backend can be without it or have another: a
/// [`Backend`] has this by itself, and nothing else can.
pub trait Verify: Backend {
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

impl<B: Backend + ?Sized> Verify for B {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &Key,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureFault> {
        match self.verifies(&Signed::new(algorithm, key, message, signature)?) {
            Ok(true) => Ok(()),
            Ok(false) => Err(SignatureFault::Mismatch),
            Err(Unavailable) => Err(SignatureFault::Unavailable),
        }
    }
}

/// A message, a signature, and the key and algorithm that are said to have made it.
///
/// The key serves the algorithm, and the signature has the one length of both and stands for numbers within their
/// range. Whether it is right is for a [`Backend`] to say.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    algorithm: Algorithm,
    key: &'a Key,
    message: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Checks what can be checked without the message.
    ///
    /// # Errors
    ///
    /// The key does not serve the algorithm, the length is wrong, or a number of the signature is
    /// out of its range, under which it is nobody's.
    fn new(
        algorithm: Algorithm,
        key: &'a Key,
        message: &'a [u8],
        signature: &'a [u8],
    ) -> Result<Self, SignatureFault> {
        if !key.fits(algorithm) {
            return Err(SignatureFault::KeyMismatch);
        }
        // INVARIANT: the length is exact from here on. `jwt-compact` copies an HMAC into a
        // fixed-size array and panics on any other length.
        if signature.len() != key.signature_len(algorithm) {
            return Err(SignatureFault::Length);
        }
        let in_range = match key {
            // RFC 8017 section 5.2.2 wants the representative below the modulus. `rsa` checks it
            // for PKCS#1 v1.5 only: under PSS it would reduce `s + n` and accept it.
            // Both are as long, most significant octet first.
            Key::Rsa(key) => signature < key.modulus(),
            // FIPS 186-5 section 6.4.2: both from 1 to the order of the curve less 1.
            Key::P256(_) => p256::ecdsa::Signature::from_slice(signature).is_ok(),
            Key::P384(_) => p384::ecdsa::Signature::from_slice(signature).is_ok(),
            Key::P521(_) => p521::ecdsa::Signature::from_slice(signature).is_ok(),
            Key::Ed25519(_) | Key::Hmac(_) => true,
        };
        if !in_range {
            return Err(SignatureFault::Mismatch);
        }
        Ok(Self {
            algorithm,
            key,
            message,
            signature,
        })
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key.
    pub fn key(&self) -> &'a Key {
        self.key
    }

    /// What was signed.
    pub fn message(&self) -> &'a [u8] {
        self.message
    }

    /// The signature as X.509 carries it, and libraries of its kind take it: DER for ECDSA (RFC 3279 section 2.2.3),
    /// as a JWS has it for the other algorithms.
    pub fn x509_signature(&self) -> Cow<'a, [u8]> {
        match self.algorithm.scheme() {
            Scheme::Ecdsa => ecdsa::der(self.signature).into(),
            Scheme::Hmac | Scheme::Rsa | Scheme::EdDsa => self.signature.into(),
        }
    }
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
    #[inline(never)]
    fn verifies(&self, signed: &Signed<'_>) -> Result<bool, Unavailable> {
        let Signed {
            algorithm,
            key,
            message,
            signature,
        } = *signed;
        Ok(match (algorithm.scheme(), key) {
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
                rsa(algorithm).is_some_and(|rsa| jws(&rsa, key.public(), message, signature))
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
        })
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
