//! RSA signatures (RFC 8017 §8.1.2 and §8.2.2).
//!
//! The crate `rsa` does the same, four times slower: it raises to a public exponent of 17 bits as to a secret one. The
//! arithmetic is that of `crypto-bigint`, on which `rsa` is built from version 0.10 on.

mod pkcs1;
mod pss;

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::Algorithm;

/// The two numbers of a public key, prepared for [`verifies`](Self::verifies).
#[derive(Clone)]
pub struct PublicNumbers {
    modulus: BoxedMontyParams,
    exponent: u64,
    octets: usize,
    bits: usize,
}

impl PublicNumbers {
    /// The numbers from their big-endian octets without leading zeros. `None` if the modulus is even, or if the exponent has
    /// more than 64 bits.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let number = BoxedUint::from_be_slice(modulus, bits_of(modulus.len())?).ok()?;
        let bits = usize::try_from(number.bit_width()).ok()?;
        Some(Self {
            modulus: BoxedMontyParams::new_vartime(Option::from(Odd::new(number))?),
            exponent: small(exponent)?,
            octets: modulus.len(),
            bits,
        })
    }

    /// Whether the signature of `RS*` or `PS*` verifies.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let Some(encoded) = self.encoded_message(signature) else {
            return false;
        };
        match algorithm {
            Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => {
                pkcs1::encode(algorithm, message, self.octets).is_some_and(|own| own == encoded)
            }
            Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => {
                pss::verifies(algorithm, message, &encoded, self.bits)
            }
            _ => false,
        }
    }

    /// RSAVP1 (RFC 8017 §5.2.2): the signature to the power of the exponent, in as many octets as the modulus. `None` if the
    /// signature is longer than the modulus or not below it.
    fn encoded_message(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let signature = BoxedUint::from_be_slice(signature, bits_of(self.octets)?).ok()?;
        if signature >= *self.modulus.modulus().as_ref() {
            return None;
        }
        let base = BoxedMontyForm::new(signature, &self.modulus);
        let mut power = base.clone();
        // The first bit is that of `base`. Everything is public, so the time may depend on it.
        for bit in (0..self.exponent.checked_ilog2()?).rev() {
            power = power.square();
            if self.exponent >> bit & 1 == 1 {
                power = power.mul(&base);
            }
        }
        let octets = power.retrieve().to_be_bytes();
        let zeros = octets.len().checked_sub(self.octets)?;
        octets.get(zeros..).map(<[u8]>::to_vec)
    }
}

/// A big-endian number of up to eight octets.
fn small(number: &[u8]) -> Option<u64> {
    let mut octets = [0; 8];
    let zeros = octets.len().checked_sub(number.len())?;
    octets.get_mut(zeros..)?.copy_from_slice(number);
    Some(u64::from_be_bytes(octets))
}

fn bits_of(octets: usize) -> Option<u32> {
    u32::try_from(octets).ok()?.checked_mul(8)
}

/// The hash of the parts of a message, with the hash function of an algorithm.
fn hash(algorithm: Algorithm, parts: &[&[u8]]) -> Vec<u8> {
    fn with<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
        let mut hash = D::new();
        parts.iter().for_each(|part| hash.update(part));
        hash.finalize().to_vec()
    }
    match algorithm.hash_len() {
        32 => with::<Sha256>(parts),
        48 => with::<Sha384>(parts),
        _ => with::<Sha512>(parts),
    }
}

#[cfg(test)]
mod tests;
