//! Base64url as JOSE writes it: RFC 7515 section 2, RFC 4648 section 5.
//!
//! One octet string has one spelling here. Padding, white space, the `+` and `/` of the other
//! alphabet and set bits after the last octet are refused, so that no token and no key can be
//! written in two ways.

use base64ct::{Base64UrlUnpadded, Encoding};

/// Decodes unpadded, canonical base64url. `None` for anything else; the empty string is the
/// empty octet string.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(core::str::from_utf8(text).ok()?).ok()
}

/// Encodes to unpadded base64url.
pub fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    /// Whatever decodes is exactly what encoding gives back: no second spelling exists among all
    /// strings of up to two octets, nor among those of three and four with a chosen tail.
    #[test]
    fn every_accepted_spelling_is_the_canonical_one() {
        let mut accepted = 0;
        let mut check = |text: &[u8]| {
            if let Some(bytes) = decode(text) {
                assert_eq!(encode(&bytes).as_bytes(), text);
                accepted += 1;
            }
        };
        check(b"");
        for a in 0..=255 {
            check(&[a]);
            for b in 0..=255 {
                check(&[a, b]);
                check(&[b'A', a, b]);
                check(&[b'A', b'z', a, b]);
            }
        }
        // The empty string, one octet, two octets (here with twelve bits free), three octets.
        assert_eq!(accepted, 1 + 64 * 4 + 64 * 16 + 64 * 64);
    }

    #[test]
    fn what_other_decoders_forgive_is_refused() {
        for text in [
            "Zg==", "Zg=", "Zm9v\n", " Zm9v", "Zm 9v", "+-__", "_/__", "Zh", "Zm9", "A", "Zm9vA",
            "?",
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(decode(b"\xff\xfe"), None);
    }
}
