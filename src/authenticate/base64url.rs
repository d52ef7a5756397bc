//! Base64url as JOSE writes it: RFC 7515 section 2, RFC 4648 section 5.
//!
//! One octet string has one spelling here. Padding, white space, the `+` and `/` of the other
//! alphabet and set bits after the last octet are refused, so that no token and no key can be
//! written in two ways.

use base64ct::{Base64UrlUnpadded, Encoding};

/// What no character of the alphabet stands for.
const FOREIGN: u8 = 0xff;

/// Set in [`FOREIGN`] and in no value of six bits.
const FOREIGN_BIT: u8 = 0x80;

/// What each octet stands for: six bits, or [`FOREIGN`]. An index out of range would not compile.
#[allow(clippy::indexing_slicing)]
const VALUES: [u8; 256] = {
    let mut values = [FOREIGN; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut value = 0;
    while value < alphabet.len() {
        values[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// Decodes unpadded, canonical base64url. `None` for anything else; the empty string is the
/// empty octet string.
///
/// By a table, since every token passes here. Its time tells what it reads, which for secrets is
/// read from the configuration alone.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (quads, rest) = text.as_chunks();
    // With room for the rest.
    let mut octets = Vec::with_capacity(quads.len() * 3 + 2);
    octets.resize(quads.len() * 3, 0);
    let mut seen = 0;
    for (quad, triple) in quads.iter().zip(octets.as_chunks_mut().0) {
        (*triple, seen) = three_octets(quad, seen);
    }
    // Zeros in the place of what is missing: the octets of those must be zero too.
    let rest = match *rest {
        [] => None,
        [a, b] => Some([a, b, b'A', b'A']),
        [a, b, c] => Some([a, b, c, b'A']),
        _ => return None,
    };
    if let Some(quad) = rest {
        let own = text.len() % 4 - 1;
        let (triple, all) = three_octets(&quad, seen);
        let (octets_of_rest, missing) = triple.split_at_checked(own)?;
        if missing.iter().any(|octet| *octet != 0) {
            return None;
        }
        octets.extend_from_slice(octets_of_rest);
        seen = all;
    }
    (seen & FOREIGN_BIT == 0).then_some(octets)
}

/// The octets that four characters stand for, and what was `seen` with the values of these.
#[inline]
fn three_octets([a, b, c, d]: &[u8; 4], seen: u8) -> ([u8; 3], u8) {
    let (a, b, c, d) = (value(*a), value(*b), value(*c), value(*d));
    let triple = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
    (triple, seen | a | b | c | d)
}

#[inline]
fn value(character: u8) -> u8 {
    VALUES
        .get(usize::from(character))
        .copied()
        .unwrap_or(FOREIGN)
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
    fn another_decoder_agrees() {
        use base64ct::{Base64UrlUnpadded, Encoding as _};
        let mut state = 1_u32;
        for length in (0..600).cycle().take(6_000) {
            let octets: Vec<u8> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            let mut text = Base64UrlUnpadded::encode_string(&octets);
            assert_eq!(decode(text.as_bytes()), Some(octets));
            if let Some(place) = (state as usize).checked_rem(text.len()) {
                let other = (state >> 8 & 0x7f) as u8;
                text.replace_range(place..=place, &char::from(other).to_string());
                let theirs = Base64UrlUnpadded::decode_vec(&text).ok();
                assert_eq!(decode(text.as_bytes()), theirs, "{text:?}");
            }
        }
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
