//! EMSA-PSS with MGF1 of the same hash and a salt of its length (RFC 8017 §9.1.2, RFC 7518 §3.5).

use super::{Algorithm, hash};

/// Whether an encoded message, with as many octets as a modulus of `modulus_bits`, is one of `message`.
pub(super) fn verifies(
    algorithm: Algorithm,
    message: &[u8],
    encoded: &[u8],
    modulus_bits: usize,
) -> bool {
    is_consistent(algorithm, message, encoded, modulus_bits).unwrap_or(false)
}

/// The steps of §9.1.2. `None` if there are too few octets.
fn is_consistent(
    algorithm: Algorithm,
    message: &[u8],
    encoded: &[u8],
    modulus_bits: usize,
) -> Option<bool> {
    let hash_len = algorithm.hash_len();
    // The encoded message has one bit less than the modulus. If that is a whole octet less, the first octet is zero
    // (§8.1.2).
    let bits = modulus_bits.checked_sub(1)?;
    let (above, encoded) =
        encoded.split_at_checked(encoded.len().checked_sub(bits.div_ceil(8))?)?;
    let (masked, rest) = encoded.split_at_checked(encoded.len().checked_sub(hash_len + 1)?)?;
    let (expected, trailer) = rest.split_at_checked(hash_len)?;
    // From none to seven bits of the first octet.
    let unused_bits = !(u8::MAX >> (encoded.len() * 8 - bits));
    if above.iter().any(|octet| *octet != 0)
        || trailer != [0xbc]
        || masked.first()? & unused_bits != 0
    {
        return Some(false);
    }
    let mut block = mask(algorithm, expected, masked.len());
    block
        .iter_mut()
        .zip(masked)
        .for_each(|(mask, octet)| *mask ^= octet);
    *block.first_mut()? &= !unused_bits;
    let (padding, salt) = block.split_at_checked(block.len().checked_sub(hash_len)?)?;
    let (one, zeros) = padding.split_last()?;
    let found = hash(algorithm, &[&[0; 8], &hash(algorithm, &[message]), salt]);
    Some(zeros.iter().all(|octet| *octet == 0) && *one == 1 && found == expected)
}

/// MGF1 (§B.2.1).
fn mask(algorithm: Algorithm, seed: &[u8], length: usize) -> Vec<u8> {
    let blocks = (0_u32..).map(|counter| hash(algorithm, &[seed, &counter.to_be_bytes()]));
    blocks.flatten().take(length).collect()
}
