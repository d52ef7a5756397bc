//! The DER SubjectPublicKeyInfo of a key (RFC 5280 §4.1).

use super::der::{BIT_STRING, SEQUENCE, element, push_integer};

/// `SEQUENCE { rsaEncryption, NULL }` (RFC 3279 §2.3.1).
const RSA: [u8; 15] = [
    0x30, 13, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0,
];

/// `SEQUENCE { id-ecPublicKey, secp256r1 }` (RFC 5480 §2.1.1).
pub(super) const P256: &[u8] = &[
    0x30, 19, 0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 8, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07,
];

/// `SEQUENCE { id-ecPublicKey, secp384r1 }`.
pub(super) const P384: &[u8] = &[
    0x30, 16, 0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 5, 0x2b, 0x81, 0x04, 0x00,
    0x22,
];

/// `SEQUENCE { id-ecPublicKey, secp521r1 }`.
pub(super) const P521: &[u8] = &[
    0x30, 16, 0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 5, 0x2b, 0x81, 0x04, 0x00,
    0x23,
];

/// The SubjectPublicKeyInfo of an RSA key; both numbers are big-endian.
pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Box<[u8]> {
    let mut numbers = Vec::with_capacity(modulus.len() + exponent.len() + 8);
    push_integer(&mut numbers, modulus);
    push_integer(&mut numbers, exponent);
    of(&RSA, &element(SEQUENCE, &numbers))
}

/// The SubjectPublicKeyInfo of a key of `algorithm`; the key on a curve is its point, encoded as in SEC 1 §2.3.3.
pub(super) fn of(algorithm: &[u8], key: &[u8]) -> Box<[u8]> {
    // The first octet of a BIT STRING is the number of unused bits in its last octet, here 0.
    let bits = element(BIT_STRING, &[&[0], key].concat());
    element(SEQUENCE, &[algorithm, &bits].concat()).into()
}

#[cfg(test)]
mod tests {
    use super::super::Key;
    use p256::pkcs8::EncodePublicKey as _;
    use rsa::rand_core::OsRng;

    /// The result is the same as that of another encoder, whatever the first bits are.
    #[test]
    fn another_encoder_agrees() {
        for _ in 0..32 {
            let key = p256::SecretKey::random(&mut OsRng).public_key();
            let point = p256::EncodedPoint::from(key);
            let own = Key::p256(point.x().unwrap(), point.y().unwrap()).unwrap();
            assert_eq!(
                own.spki_der(),
                Some(key.to_public_key_der().unwrap().as_bytes())
            );
            let key = p384::SecretKey::random(&mut OsRng).public_key();
            let point = p384::EncodedPoint::from(key);
            let own = Key::p384(point.x().unwrap(), point.y().unwrap()).unwrap();
            assert_eq!(
                own.spki_der(),
                Some(key.to_public_key_der().unwrap().as_bytes())
            );
            let key = p521::SecretKey::random(&mut OsRng).public_key();
            let point = p521::EncodedPoint::from(key);
            let own = Key::p521(point.x().unwrap(), point.y().unwrap()).unwrap();
            assert_eq!(
                own.spki_der(),
                Some(key.to_public_key_der().unwrap().as_bytes())
            );
        }
    }

    #[test]
    fn another_encoder_agrees_on_rsa() {
        for (bytes, first) in [
            (256, 0x80),
            (256, 0xff),
            (257, 0x01),
            (384, 0xc0),
            (512, 0xab),
            (1024, 0x9c),
        ] {
            for exponent in [&[3][..], &[1, 0, 1], &[0x80, 0, 1], &[1, 0, 0, 0, 1]] {
                let mut modulus = vec![0x5b; bytes];
                modulus[0] = first;
                let own = Key::rsa(&modulus, exponent).unwrap();
                let number = rsa::BigUint::from_bytes_be;
                let other =
                    rsa::RsaPublicKey::new_with_max_size(number(&modulus), number(exponent), 8192)
                        .unwrap();
                assert_eq!(
                    own.spki_der(),
                    Some(other.to_public_key_der().unwrap().as_bytes())
                );
            }
        }
    }
}
