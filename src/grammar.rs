//! The grammars of HTTP, URIs and OAuth that more than one part checks or writes.
//!
//! Each function decides one production of an RFC, and the RFC is named beside it.

pub mod unprintable;

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// Whether a text is a `token`: a method, an authentication scheme, or the name of a header (RFC 9110 §5.6.2).
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_tchar)
}

/// Whether a text is the name of a header. The grammar allows a `*`, which no header has, and which looks like a wildcard.
pub fn is_header_name(text: &str) -> bool {
    is_token(text) && !text.contains('*')
}

/// Whether a byte is a `tchar`, a character of a `token` (RFC 9110 §5.6.2).
pub fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The `token` at the start of a text, which may be empty, and the rest of the text (RFC 9110 §5.6.2).
pub fn split_token(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !is_tchar(*byte));
    text.split_at_checked(end.unwrap_or(text.len()))
        .unwrap_or((text, b""))
}

/// Whether a text can be the content of a quoted-string in a challenge: `%x20-7E`, which every header can carry.
///
/// `"` and `\` are allowed, because they are escaped when the quoted-string is written (RFC 9110 §5.6.4).
pub fn can_be_quoted(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

/// The SHA-256 that 64 hexadecimal digits spell, in upper or lower case. `None` for any other text.
pub fn sha256_of_hex(text: impl AsRef<[u8]>) -> Option<[u8; 32]> {
    let mut octets = [0; 32];
    let length = base16ct::mixed::decode(text, &mut octets).ok()?.len();
    (length == octets.len()).then_some(octets)
}

/// Whether a text is a `scope-token`: `1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3).
///
/// `"` and `\`, which a quoted-string would have to escape, are not among them. The values of `acr_values` (RFC 9470 §3)
/// are held to the same production.
pub fn is_oauth_text(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

/// A text as a header value, alone or as an element of a list: UTF-8, in which every octet outside `%x21-7E`, every `%`
/// and every `,` is percent-encoded.
pub fn encoded(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, NOT_IN_A_LIST).into()
}

const NOT_IN_A_LIST: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b',');

/// Whether an upstream could read the header `name` as the header `own`.
///
/// Servers that turn headers into variables ignore case and replace punctuation (RFC 3875 §4.1.18), so that two names
/// are equal here when their letters and digits are, and punctuation is in the same positions.
pub fn folds_to(own: &[u8], name: &[u8]) -> bool {
    // Compared from the end, because many names begin with the same letters.
    let (own_bytes, bytes) = (own.iter().rev(), name.iter().rev());
    own.len() == name.len()
        && own_bytes
            .zip(bytes)
            .all(|(own, sent)| folded(*own) == folded(*sent))
}

/// A byte of a header's name, as [`folds_to`] compares it.
pub fn folded(byte: u8) -> u8 {
    FOLDED.get(usize::from(byte)).copied().unwrap_or(b'-')
}

/// A wrong index would not compile.
#[allow(clippy::indexing_slicing)]
const FOLDED: [u8; 256] = {
    let mut folded = [b'-'; 256];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            folded[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    folded
};

/// The octet of a percent-escape, given its two hexadecimal digits (RFC 3986 §2.1).
pub fn octet_of_digits(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_percent_encoded() {
        assert_eq!(
            encoded("a b,c%\r\né\u{7f}~!"),
            "a%20b%2Cc%25%0D%0A%C3%A9%7F~!"
        );
    }

    #[test]
    fn only_visible_ascii_and_spaces_can_be_quoted() {
        assert!(can_be_quoted(" !~\"\\"));
        for text in ["\u{7f}", "\n", "\0", "é"] {
            assert!(!can_be_quoted(text), "{text:?}");
        }
        for text in ["", "a b", "a\"", "a\\", "é"] {
            assert!(!is_oauth_text(text), "{text:?}");
        }
    }

    #[test]
    fn tokens_have_the_characters_of_rfc_9110() {
        for text in ["GET", "x-a", "!#$%&'*+-.^_`|~0"] {
            assert!(is_token(text), "{text}");
        }
        for text in ["", "a b", "a:b", "a/b", "(a)", "é", "a\0"] {
            assert!(!is_token(text), "{text:?}");
        }
    }

    #[test]
    fn names_fold_only_in_case_and_punctuation() {
        for name in ["x-user-id", "X_USER.ID", "x~user-id"] {
            assert!(folds_to(b"x-user-id", name.as_bytes()), "{name}");
        }
        for name in ["x-userid", "x-user-ids", "y-user-id", "x-user1id"] {
            assert!(!folds_to(b"x-user-id", name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn an_octet_has_two_hexadecimal_digits() {
        assert_eq!(octet_of_digits(b'2', b'f'), Some(b'/'));
        assert_eq!(octet_of_digits(b'F', b'F'), Some(255));
        assert_eq!(octet_of_digits(b'0', b'0'), Some(0));
        assert_eq!(octet_of_digits(b'g', b'0'), None);
        assert_eq!(octet_of_digits(b'0', b' '), None);
    }
}
