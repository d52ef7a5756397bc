//! Unpadded base64url, as in JOSE (RFC 7515 §2, RFC 4648 §5).
//!
//! Each octet string has exactly one encoding. Padding, white space, the `+` and `/` of the other alphabet and bits set
//! after the last octet are rejected. So no token and no key can be written in two ways.

use base64ct::{Base64UrlUnpadded, Encoding};

/// The value of an octet that is not a character of the alphabet: bits above those of three octets.
const FOREIGN: u32 = u32::MAX;

/// The values of each octet as the first, second, third and fourth of four characters.
///
/// A value is the six bits of the character at their position in three octets, of which the first octet is the lowest.
/// An index out of range would not compile.
#[allow(clippy::indexing_slicing)]
const VALUES: [[u32; 256]; 4] = {
    let mut values = [[FOREIGN; 256]; 4];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut character = 0;
    while character < alphabet.len() {
        let value = character as u32;
        let mut place = 0;
        while place < 4 {
            let [_, octets @ ..] = (value << (18 - 6 * place)).to_be_bytes();
            let bits = u32::from_le_bytes([octets[0], octets[1], octets[2], 0]);
            values[place][alphabet[character] as usize] = bits;
            place += 1;
        }
        character += 1;
    }
    values
};

/// Decodes unpadded, canonical base64url; `None` for any other text. The empty text is the empty octet string.
///
/// The table makes it fast, because every token is decoded here. Its time depends on its input. The only secrets that it
/// decodes are in the configuration.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut octets = vec![0; octets_at_most(text.len())];
    let (length, rest) = decode_start(text, &mut octets)?;
    octets.truncate(length);
    rest.is_empty().then_some(octets)
}

/// Decodes the 43 characters that encode a SHA-256 hash; `None` for any other text.
pub fn decode_sha256(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let (length, rest) = decode_start(text.as_bytes(), &mut hash)?;
    (length == hash.len() && rest.is_empty()).then_some(hash)
}

/// An upper bound of the octets that this number of characters encodes, at most three too high.
pub fn octets_at_most(characters: usize) -> usize {
    characters / 4 * 3 + 3
}

/// Decodes the characters of the alphabet at the start of `text` to the start of `octets`. Returns the number of decoded
/// octets and the rest of `text`.
///
/// `None` if the characters are not a canonical encoding, or if `octets` is too short.
pub fn decode_start<'t>(text: &'t [u8], octets: &mut [u8]) -> Option<(usize, &'t [u8])> {
    let quads = text.as_chunks().0.iter();
    let whole = quads
        .zip(octets.as_chunks_mut().0)
        .map_while(|(quad, triple)| {
            *triple = three_octets(quad)?;
            Some(())
        });
    let whole = whole.count();
    let rest = text.get(whole * 4..)?;
    let [values, ..] = &VALUES;
    let is_known = |character: &&u8| value(values, **character) != FOREIGN;
    let more = rest.iter().take_while(is_known).take(4).count();
    // `A`, which is six zeros, replaces the missing characters. The octets after the last one must be zero then.
    let quad = match *rest.get(..more)? {
        [] => return Some((whole * 3, rest)),
        [a, b] => [a, b, b'A', b'A'],
        [a, b, c] => [a, b, c, b'A'],
        _ => return None,
    };
    let triple = three_octets(&quad)?;
    let (own, missing) = triple.split_at_checked(more - 1)?;
    if missing.iter().any(|octet| *octet != 0) {
        return None;
    }
    let length = whole * 3 + own.len();
    octets.get_mut(whole * 3..length)?.copy_from_slice(own);
    Some((length, rest.get(more..)?))
}

/// The three octets that four characters encode; `None` if one is not in the alphabet.
#[inline]
fn three_octets([a, b, c, d]: &[u8; 4]) -> Option<[u8; 3]> {
    let [first, second, third, fourth] = &VALUES;
    let bits = value(first, *a) | value(second, *b) | value(third, *c) | value(fourth, *d);
    let [octets @ .., foreign] = bits.to_le_bytes();
    (foreign == 0).then_some(octets)
}

#[inline]
fn value(values: &[u32; 256], character: u8) -> u32 {
    values
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
    use super::{decode, decode_sha256, decode_start, encode};

    /// Encoding gives back each text that decodes. This holds for all texts of up to two octets, and for texts of three and
    /// four octets with all values of the last two.
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
    fn a_hash_has_43_characters_in_one_spelling() {
        let text = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";
        let hash = decode_sha256(text).unwrap();
        assert_eq!(encode(&hash), text);
        for other in [
            "",
            text.trim_end_matches('o'),
            &format!("{text}="),
            &format!("{text}A"),
            &format!("{text}AAAA"),
            &text.replace("Eo", "Ep"),
            &text.replace('2', "+"),
            &text.replace("Eo", "E\n"),
            &text.replace("fU", "é"),
        ] {
            assert_eq!(decode_sha256(other), None, "{other:?}");
        }
    }

    /// The rest may begin at each of four positions, and the text before it may be canonical or not.
    #[test]
    fn other_characters_end_the_text_and_are_returned() {
        let mut octets = [9; 6];
        for (text, expected) in [
            (&b".Zg"[..], Some((0, &b".Zg"[..]))),
            (b"Zg.Zm9v", Some((1, b".Zm9v"))),
            (b"Zm8=", Some((2, b"="))),
            (b"Zm9v..", Some((3, b".."))),
            (b"Z.", None),
            (b"Zm9vY.", None),
            (b"Zh.", None),
        ] {
            assert_eq!(decode_start(text, &mut octets), expected, "{text:?}");
        }
        assert_eq!(decode_start(b"Zm9vYg", &mut octets), Some((4, &b""[..])));
        assert_eq!(octets, *b"foob\x09\x09");
        assert_eq!(decode_start(b"Zm9vYmFyZm9v", &mut octets), None, "no room");
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
    fn invalid_text_that_other_decoders_accept_is_rejected() {
        for text in [
            "Zg==", "Zg=", "Zm9v\n", " Zm9v", "Zm 9v", "+-__", "_/__", "Zh", "Zm9", "A", "Zm9vA",
            "?",
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(decode(b"\xff\xfe"), None);
    }
}
