//! Syntax-based normalization of paths and queries (RFC 3986 §6.2.2), by which two of them are compared.

use std::borrow::Cow;

use crate::grammar::octet_of_digits;

/// A path, or a path with its query, in normal form: percent-escapes are in upper case (RFC 3986 §6.2.2.1), and those of
/// unreserved characters are decoded (§6.2.2.2).
///
/// Nothing else is changed. Servers treat dot segments and empty segments differently, so that two texts which differ in
/// them can name two resources. A text with a broken escape is returned as it is: after a decoded octet, its `%` could
/// become an escape that the text does not have.
pub fn normalized(text: &[u8]) -> Cow<'_, [u8]> {
    let mut normal = Vec::new();
    let mut copied = 0;
    let percents = text.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    for (index, _) in percents {
        let digits = text.get(index + 1..).and_then(<[u8]>::first_chunk);
        let octet = digits.and_then(|[high, low]| octet_of_digits(*high, *low));
        let (Some([high, low]), Some(octet)) = (digits, octet) else {
            return Cow::Borrowed(text);
        };
        let in_upper_case = [b'%', high.to_ascii_uppercase(), low.to_ascii_uppercase()];
        let replacement = if is_unreserved(octet) {
            std::slice::from_ref(&octet)
        } else if in_upper_case.ends_with(&[*high, *low]) {
            continue;
        } else {
            &in_upper_case
        };
        normal.extend_from_slice(text.get(copied..index).unwrap_or_default());
        normal.extend_from_slice(replacement);
        copied = index + 3;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    normal.extend_from_slice(text.get(copied..).unwrap_or_default());
    Cow::Owned(normal)
}

/// Whether an octet is an unreserved character, which means the same with and without an escape (RFC 3986 §2.3).
fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        String::from_utf8(normalized(text.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn escapes_are_in_upper_case_and_those_of_unreserved_characters_are_decoded() {
        for (sent, normal) in [
            ("/v1/%7Ex", "/v1/~x"),
            ("/%61%2d%5f%2E%7e%30%5A?%61=%3d", "/a-_.~0Z?a=%3D"),
            ("/%c3%A9/%2f%5c", "/%C3%A9/%2F%5C"),
            ("/%41%2f%41", "/A%2FA"),
            ("%61", "a"),
        ] {
            assert_eq!(text(sent), normal);
        }
    }

    #[test]
    fn an_escape_is_decoded_once() {
        assert_eq!(text("/%2561"), "/%2561");
        assert_eq!(text("/%25%36%31"), "/%2561");
    }

    #[test]
    fn dot_segments_empty_segments_case_and_reserved_characters_stay() {
        for path in [
            "",
            "/",
            "/a/../b/./c",
            "//a//",
            "/A;b=c/@:!$&'()*+,",
            "/a?b?c#d",
        ] {
            assert!(
                matches!(normalized(path.as_bytes()), Cow::Borrowed(_)),
                "{path}"
            );
            assert_eq!(text(path), path);
        }
        assert_eq!(text("/a/%2e%2e/b"), "/a/../b");
    }

    #[test]
    fn a_text_in_normal_form_is_not_copied() {
        for path in ["/%2F%C3%A9", "/%25", "/%00"] {
            assert!(
                matches!(normalized(path.as_bytes()), Cow::Borrowed(_)),
                "{path}"
            );
        }
    }

    #[test]
    fn a_text_with_a_broken_escape_stays() {
        for path in [
            "/%", "/%2", "/%zz", "/%2%41", "/%61%", "/%%34%31", "/%61/%2g",
        ] {
            assert_eq!(text(path), path);
        }
    }

    /// Otherwise two texts could be equal after one normalization and differ after two.
    #[test]
    fn a_normal_form_is_its_own_normal_form() {
        let bytes = *b"%2567cC/a";
        let mut state = 1_u32;
        for _ in 0..20_000 {
            let sent: Vec<u8> = (0..12)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    bytes[(state >> 16) as usize % bytes.len()]
                })
                .collect();
            let once = normalized(&sent);
            assert_eq!(
                normalized(&once),
                once,
                "{:?}",
                String::from_utf8_lossy(&sent)
            );
        }
    }
}
