//! ECDSA on P-256 with SHA-256, by a key that has a comb.

use std::sync::OnceLock;

use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::group::Group as _;
use p256::elliptic_curve::ops::{Invert as _, Reduce};
use p256::elliptic_curve::point::AffineCoordinates as _;
use p256::{FieldBytes, ProjectivePoint, Scalar, U256};
use sha2::{Digest as _, Sha256};

use super::comb::Comb;

/// A multiplier of the point of a key.
pub type KeyComb = Comb<ProjectivePoint>;

/// The comb of a key.
pub fn comb(key: &VerifyingKey) -> KeyComb {
    comb_of((*key.as_affine()).into())
}

/// Whether a signature verifies (FIPS 186-5 §6.4.2).
///
/// The crate `ecdsa` does the same, five times slower: it takes no comb. Its signature has `r` and `s` in range.
pub fn verifies(key: &KeyComb, message: &[u8], signature: &Signature) -> bool {
    static GENERATOR: OnceLock<KeyComb> = OnceLock::new();
    let generator = GENERATOR.get_or_init(|| comb_of(ProjectivePoint::generator()));
    let (r, s) = signature.split_scalars();
    let inverse = *s.invert_vartime();
    let by_generator = little_endian(&(reduced(&Sha256::digest(message)) * inverse));
    let by_key = little_endian(&(*r * inverse));
    let point = Comb::sum((generator, &by_generator), (key, &by_key));
    // The point at infinity has `x` = 0 here, and `r` is not 0.
    *r == reduced(&point.to_affine().x())
}

fn comb_of(point: ProjectivePoint) -> KeyComb {
    Comb::new(point, 256)
}

fn reduced(octets: &FieldBytes) -> Scalar {
    <Scalar as Reduce<U256>>::reduce_bytes(octets)
}

fn little_endian(number: &Scalar) -> FieldBytes {
    let mut octets = number.to_bytes();
    octets.reverse();
    octets
}
