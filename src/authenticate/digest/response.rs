//! The response of a client, which proves that it knows the password (RFC 7616 §3.4.1).

use subtle::ConstantTimeEq;

use super::{DigestAlgorithm, DigestUser, Ha1};
use crate::credential::DigestCredential;

/// Stands in for `H(A1)` of an unknown user, so that it takes as long as a known one. No response to it is right.
const DECOY: [u8; 64] = [b'0'; 64];

/// Whether the response of a credential with this algorithm proves that the client knows the password of `user`, for a
/// request with `method`. It is compared in constant time.
///
/// A user without a hash for this algorithm is unknown, and `None` is an unknown user.
pub fn is_right(
    credential: &DigestCredential<'_>,
    algorithm: DigestAlgorithm,
    method: &[u8],
    user: Option<&DigestUser>,
) -> bool {
    let known = user.and_then(|user| user.ha1(algorithm));
    let decoy = DECOY.get(..algorithm.digits()).unwrap_or_default();
    // RFC 7616 §3.4.3: `A2` for `qop=auth`, with the target as the client sent it.
    let ha2 = algorithm.hash(&[method, credential.uri()]);
    let expected = algorithm.hash(&[
        known.map_or(decoy, Ha1::digits),
        credential.nonce(),
        credential.nc(),
        credential.cnonce(),
        b"auth",
        ha2.as_bytes(),
    ]);
    let is_same: bool = expected.as_bytes().ct_eq(credential.response()).into();
    is_same && known.is_some()
}
