//! The user name of a `Digest` credential: `username` or `username*` (RFC 7616 §3.4).

use std::borrow::Cow;

use crate::grammar::{is_tchar, octet_of_digits};

/// The user name in a `username`: UTF-8 without control characters. A client sends what is not ASCII as it is.
pub(super) fn quoted(octets: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    let user = match octets {
        Cow::Borrowed(octets) => Cow::Borrowed(std::str::from_utf8(octets).ok()?),
        Cow::Owned(octets) => Cow::Owned(String::from_utf8(octets).ok()?),
    };
    (!has_control_characters(&user)).then_some(user)
}

/// The user name in a `username*`, for example `UTF-8''J%C3%A4s%C3%B8n` (RFC 8187 §3.2.1).
///
/// The character set is UTF-8, or ISO-8859-1, which RFC 5987 §3.2 also required. The language is ignored.
pub(super) fn extended<'a>(value: &[u8]) -> Option<Cow<'a, str>> {
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    let (charset, language, text) = (parts.next()?, parts.next()?, parts.next()?);
    let is_language = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    if !language.iter().all(is_language) {
        return None;
    }
    let octets = decoded(text)?;
    let user = if charset.eq_ignore_ascii_case(b"utf-8") {
        String::from_utf8(octets).ok()?
    } else if charset.eq_ignore_ascii_case(b"iso-8859-1") {
        octets.into_iter().map(char::from).collect()
    } else {
        return None;
    };
    (!has_control_characters(&user)).then_some(Cow::Owned(user))
}

/// `value-chars` without percent-encoding (RFC 8187 §3.2.1).
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let (octet, after) = match (byte, after) {
            (b'%', [high, low, after @ ..]) => (octet_of_digits(*high, *low)?, after),
            // `attr-char`: every character of a token but these.
            (b'*' | b'\'' | b'%', _) => return None,
            (byte, after) => (is_tchar(*byte).then_some(*byte)?, after),
        };
        octets.push(octet);
        rest = after;
    }
    Some(octets)
}

fn has_control_characters(user: &str) -> bool {
    user.chars().any(char::is_control)
}
