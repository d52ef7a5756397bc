//! Verifies the signature of a message with a key and an algorithm.
//!
//! 1. An [`Algorithm`] is a name of RFC 7518 §3, RFC 8037 or RFC 9864. There is no `none`.
//! 2. A [`Key`] is checked when it is created. It is used only with the algorithms that it [fits](Key::fits).
//! 3. A [`Signed`] is a signature with the length and range that its key and algorithm require. A backend receives no
//!    other signature.
//! 4. A [`Backend`] verifies. [`Verify`] runs the checks of 1 to 3 first. [`Pure`] verifies in Rust. [`Chosen`] uses the
//!    host for the algorithms that passed the [self-test](self_test), and [`Pure`] for the others.
//!
//! An ECDSA signature may have a high `s`, because RFC 7518 has no rule against it. Two signatures can therefore verify
//! for one message, and a signature is not an identifier.
//!
//! The crate `jwt-compact` is used for HMAC and ES256: [`Pure`] passes it a key and a signature that were checked here, and
//! the wrapper of its HMAC secrets wipes them. It parses no token, no JSON Web Key and no claim, and it chooses no
//! algorithm. ES384, ES512 and EdDSA use the crates `p384`, `p521` and `ed25519-dalek` directly.
//!
//! A host without `verify_signature` verifies everything here, and every host verifies `PS*` and EdDSA here. So [`Pure`]
//! verifies these with what it computed for the key before: RSA always, ES256 and EdDSA from the second signature on.

mod algorithm;
mod chosen;
mod comb;
mod der;
mod ecdsa;
mod ecdsa_p256;
mod eddsa;
mod key;
mod reused;
mod rsa;
mod selftest;
mod spki;

pub use algorithm::{Algorithm, AlgorithmSet};
pub use chosen::Chosen;
pub use key::{Key, KeyFault};
pub use selftest::self_test;

use algorithm::Scheme;
use jwt_compact::{
    Algorithm as Jws, AlgorithmSignature,
    alg::{Es256, Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key},
};
use std::borrow::Cow;

/// Verifies signatures whose length and range are checked.
pub trait Backend {
    /// Whether the signature verifies.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: the backend cannot verify.
    fn verifies(&self, signed: &Signed<'_>) -> Result<bool, Unavailable>;

    /// Whether the host verifies signatures of this algorithm, so that one costs little.
    fn uses_host(&self, _: Algorithm) -> bool {
        false
    }
}

/// The backend cannot verify. The signature may be valid or invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature cannot be verified")]
pub struct Unavailable;

/// The whole verification: the checks before the backend, and the backend.
///
/// The blanket implementation below is the only one, so every backend has the same checks.
pub trait Verify: Backend {
    /// Verifies that `signature` is a signature of `message` by `key` with `algorithm`.
    ///
    /// `signature` has the format of a JWS, decoded from base64url: for ECDSA the fixed-length `r ‖ s` of
    /// RFC 7518 §3.4, not DER.
    ///
    /// # Errors
    ///
    /// [`SignatureFault`]. The caller handles all of them alike, except
    /// [`Unavailable`](SignatureFault::Unavailable), after which the signature may be valid or invalid.
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

/// A message, its claimed signature, and the key and algorithm to verify it with.
///
/// The key fits the algorithm. The signature has the length that both require, and its numbers are in range. A
/// [`Backend`] decides whether it verifies.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    algorithm: Algorithm,
    key: &'a Key,
    message: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Runs the checks that do not need the message.
    ///
    /// # Errors
    ///
    /// The key does not fit the algorithm, the length is wrong, or a number of the signature is out of range.
    fn new(
        algorithm: Algorithm,
        key: &'a Key,
        message: &'a [u8],
        signature: &'a [u8],
    ) -> Result<Self, SignatureFault> {
        if !key.fits(algorithm) {
            return Err(SignatureFault::KeyMismatch);
        }
        // INVARIANT: after this check the length is exact. `jwt-compact` copies an HMAC into a fixed-size array and
        // panics on any other length.
        if signature.len() != key.signature_len(algorithm) {
            return Err(SignatureFault::Length);
        }
        let in_range = match key {
            // RFC 8017 §5.2.2 requires a representative below the modulus. Both numbers are big-endian and have the same
            // length, so comparing the octets compares the numbers.
            Key::Rsa(key) => signature < key.modulus(),
            // FIPS 186-5 §6.4.2: `r` and `s` are from 1 to the order of the curve minus 1.
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

    /// The signed message.
    pub fn message(&self) -> &'a [u8] {
        self.message
    }

    /// The signature in the format of X.509, which crypto libraries expect: DER for ECDSA (RFC 3279 §2.2.3), the
    /// format of a JWS for the other algorithms.
    pub fn x509_signature(&self) -> Cow<'a, [u8]> {
        match self.algorithm.scheme() {
            Scheme::Ecdsa => ecdsa::der(self.signature).into(),
            Scheme::Hmac | Scheme::Rsa | Scheme::EdDsa => self.signature.into(),
        }
    }
}

/// Why a signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// The key has another type or curve than the algorithm, or is too short for it.
    #[error("the key cannot be used with this algorithm")]
    KeyMismatch,
    /// The signature does not have the length that the algorithm and the key require.
    #[error("the signature has the wrong length")]
    Length,
    /// The signature is not a signature of this message by this key.
    #[error("the signature does not verify")]
    Mismatch,
    /// The backend cannot verify.
    #[error("the signature cannot be verified")]
    Unavailable,
}

/// Verifies in Rust, without the host.
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
            (Scheme::Rsa, Key::Rsa(key)) => key
                .public()
                .is_some_and(|public| public.verifies(algorithm, message, signature)),
            (Scheme::Ecdsa, Key::P256(key)) => match key.comb() {
                None => jws(&Es256, key.public(), message, signature),
                Some(comb) => p256::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| ecdsa_p256::verifies(comb, message, &signature)),
            },
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
            // `verify_strict` rejects an `R` of small order, which `jwt-compact` accepts. Both reject an `S` that is
            // not reduced.
            (Scheme::EdDsa, Key::Ed25519(key)) => match key.comb() {
                None => ed25519_dalek::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.public().verify_strict(message, &signature).is_ok()),
                Some(comb) => eddsa::verifies(key.public(), comb, message, signature),
            },
            _ => false,
        })
    }
}

fn jws<A: Jws>(algorithm: &A, key: &A::VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    A::Signature::try_from_slice(signature)
        .is_ok_and(|signature| algorithm.verify_signature(&signature, key, message))
}

#[cfg(test)]
mod tests;
