//! EdDSA on Ed25519, by a key that has a comb.

use std::sync::OnceLock;

use curve25519_dalek::{EdwardsPoint, Scalar};
use ed25519_dalek::VerifyingKey;
use p256::elliptic_curve::group::Group as _;
use sha2::{Digest as _, Sha512};

use super::comb::Comb;

/// A multiplier of the negated point of a key.
pub type KeyComb = Comb<EdwardsPoint>;

/// The comb of a key.
pub fn comb(key: &VerifyingKey) -> KeyComb {
    comb_of(-key.to_edwards())
}

/// Whether a signature verifies: `R = S·B - k·A` (RFC 8032 §5.1.7, without the cofactor).
///
/// It accepts what `verify_strict` of `ed25519-dalek` accepts, which takes no comb and twice the time: `S` is reduced, `R` is
/// canonical and not of small order. The key is not of small order either: see [`Key`](super::Key).
pub fn verifies(key: &VerifyingKey, comb: &KeyComb, message: &[u8], signature: &[u8]) -> bool {
    static GENERATOR: OnceLock<KeyComb> = OnceLock::new();
    let generator = GENERATOR.get_or_init(|| comb_of(EdwardsPoint::generator()));
    let Some((r, s)) = signature.split_first_chunk::<32>() else {
        return false;
    };
    let s = s.try_into().ok().map(Scalar::from_canonical_bytes);
    let Some(s) = s.and_then(Option::<Scalar>::from) else {
        return false;
    };
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(key.as_bytes())
        .chain_update(message);
    let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let point = Comb::sum((generator, s.as_bytes()), (comb, k.as_bytes()));
    !point.is_small_order() && point.compress().as_bytes() == r
}

fn comb_of(point: EdwardsPoint) -> KeyComb {
    Comb::new(point, 256)
}
