//! Credentials in cookies (RFC 6265 §4.2).

use std::borrow::Cow;

use super::{Found, Grammar};
use crate::reject::CredentialFault;
use crate::request::RequestView;

/// The value of the cookie called `name`; an empty one is a cookie that was cleared.
///
/// HTTP/2 splits cookies into several fields, so all of them are looked at (RFC 9113 §8.2.3). A pair without `=` is no
/// cookie of that name.
#[inline(never)]
pub fn find<'a>(request: &RequestView<'a>, name: &str, grammar: Grammar) -> Found<'a> {
    let pairs = request
        .values(b"cookie")
        .flat_map(|field| field.split(|byte| *byte == b';'));
    let mut values = pairs.filter_map(|pair| value_of(pair, name));
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => grammar.alone(Cow::Borrowed(value)),
        (Some(_), Some(_)) => Err(CredentialFault::Several),
    }
}

/// The cookies of a request but those that are meant, each as it was sent; nothing where it has none of them, and one field.
///
/// What is no text is left out too: no cookie that a server reads is (RFC 6265 §4.1.1).
#[inline(never)]
pub fn without_cookies_that(
    request: &RequestView<'_>,
    is_meant: impl Fn(&[u8]) -> bool,
) -> Option<String> {
    let pairs = || {
        request
            .values(b"cookie")
            .flat_map(|field| field.split(|byte| *byte == b';'))
    };
    // A server that joins several fields with a comma reads another cookie than the one that was judged. Envoy itself joins
    // those that HTTP/2 has split (RFC 9113 §8.2.3).
    let is_one_field = request.values(b"cookie").nth(1).is_none();
    if is_one_field && !pairs().any(&is_meant) {
        return None;
    }
    let kept = pairs().filter(|pair| !is_meant(pair));
    let kept: Vec<&str> = kept
        .filter_map(|pair| std::str::from_utf8(pair.trim_ascii()).ok())
        .collect();
    Some(kept.join("; "))
}

/// Whether a cookie, as it was sent, is the one that is judged under this name.
pub fn is_cookie_called(pair: &[u8], name: &str) -> bool {
    value_of(pair, name).is_some()
}

fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (own, value) = pair.split_at_checked(equals)?;
    if own.trim_ascii() != name.as_bytes() {
        return None;
    }
    let value = value.strip_prefix(b"=")?.trim_ascii();
    let within_quotes = value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""));
    Some(within_quotes.unwrap_or(value))
}
