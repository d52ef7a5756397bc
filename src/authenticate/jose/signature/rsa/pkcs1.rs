//! EMSA-PKCS1-v1_5 (RFC 8017 §9.2).
//!
//! A verifier encodes the message itself and compares (§8.2.2), so that there is nothing to parse.

use super::{Algorithm, hash};

/// Encodes a message to `octets` octets. `None` if there is no room for at least eight octets of padding.
pub(super) fn encode(algorithm: Algorithm, message: &[u8], octets: usize) -> Option<Vec<u8>> {
    let info = [&digest_info(algorithm)[..], &hash(algorithm, &[message])].concat();
    let padding = octets.checked_sub(info.len() + 3)?;
    if padding < 8 {
        return None;
    }
    let mut encoded = vec![0, 1];
    encoded.resize(2 + padding, 0xff);
    encoded.push(0);
    encoded.extend(info);
    Some(encoded)
}

/// The DER of DigestInfo up to the hash: `SEQUENCE { SEQUENCE { OID, NULL }, OCTET STRING }` (§9.2, note 1).
fn digest_info(algorithm: Algorithm) -> [u8; 19] {
    // `id-sha256`, `id-sha384` and `id-sha512` differ in the last octet.
    let (id, length) = match algorithm.hash_len() {
        32 => (1, 32),
        48 => (2, 48),
        _ => (3, 64),
    };
    [
        0x30,
        17 + length,
        0x30,
        13,
        0x06,
        9,
        0x60,
        0x86,
        0x48,
        0x01,
        0x65,
        0x03,
        0x04,
        0x02,
        id,
        0x05,
        0,
        0x04,
        length,
    ]
}
