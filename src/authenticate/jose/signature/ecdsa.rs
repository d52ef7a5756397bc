//! The two formats of an ECDSA signature.

use super::der::{SEQUENCE, element, push_integer};

/// Converts the format of a JWS to DER.
///
/// A JWS has `r ‖ s`, each with half of the length (RFC 7518 §3.4). DER has `SEQUENCE { r INTEGER, s INTEGER }`
/// (RFC 3279 §2.2.3).
pub(super) fn der(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    let mut integers = Vec::with_capacity(raw.len() + 10);
    push_integer(&mut integers, r);
    push_integer(&mut integers, s);
    element(SEQUENCE, &integers)
}

#[cfg(test)]
mod tests {
    use super::der;

    #[test]
    fn integers_are_minimal_and_positive() {
        let octets = |r: &[u8], s: &[u8]| der(&[r, s].concat());
        assert_eq!(octets(&[0, 1], &[0, 0x7f]), [0x30, 6, 2, 1, 1, 2, 1, 0x7f]);
        assert_eq!(
            octets(&[0, 0x80], &[1, 0]),
            [0x30, 8, 2, 2, 0, 0x80, 2, 2, 1, 0]
        );
        assert_eq!(
            octets(&[0xff, 0xff], &[0, 0]),
            [0x30, 8, 2, 3, 0, 0xff, 0xff, 2, 1, 0]
        );
        // A length of 128 octets or more is preceded by an octet with the length of the length.
        assert_eq!(&der(&[0x7f; 124])[..4], [0x30, 0x81, 128, 2]);
        assert_eq!(&der(&[0x7f; 122])[..4], [0x30, 126, 2, 61]);
        assert_eq!(&der(&[0xff; 132])[..6], [0x30, 0x81, 138, 2, 67, 0]);
    }

    /// The result is the same as that of the crate `ecdsa`, wherever zeros and first bits are.
    #[test]
    fn another_encoder_agrees() {
        for (place, octet) in (0..32).flat_map(|place| [(place, 1), (place, 0x80), (place, 0xff)]) {
            let mut half = [0; 32];
            half[place] = octet;
            if place == 0 && octet == 0xff {
                // Below the order of the curve.
                half[1] = 1;
            }
            let other = [0x5a; 32];
            for raw in [[half, other].concat(), [other, half].concat()] {
                let signature = p256::ecdsa::Signature::from_slice(&raw).unwrap();
                assert_eq!(der(&raw), signature.to_der().as_bytes());
            }
        }
        for first in [0, 1] {
            let mut raw = [0xab; 132];
            raw[0] = first;
            raw[66] = first;
            let signature = p521::ecdsa::Signature::from_slice(&raw).unwrap();
            assert_eq!(der(&raw), signature.to_der().as_bytes());
        }
    }
}
