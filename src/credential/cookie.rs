//! Credentials in cookies (RFC 6265 §4.2).

use std::borrow::Cow;

use super::{Found, Grammar};
use crate::reject::CredentialFault;
use crate::request::RequestView;

/// Finds the credential in the cookie `name`. An empty value is a cleared cookie, not a credential.
///
/// Frameworks write quotes or `Bearer ` around the token, and percent-encode them. They are not part of the token: a
/// `b64token` contains no quote, no space and no `%`. `Bearer+` is not such a prefix, because a token can begin with it.
/// Escapes within the token are not decoded: no framework encodes the characters of a JWT, and an upstream that skips a
/// `%` in base64url would read other claims than the verified ones.
///
/// HTTP/2 can split the cookies into several headers (RFC 9113 §8.2.3), so all `cookie` headers are read. A pair
/// without `=` is not a cookie with that name.
#[inline(never)]
pub fn find<'a>(request: &RequestView<'a>, name: &str, grammar: Grammar) -> Found<'a> {
    let pairs = request
        .values(b"cookie")
        .flat_map(|field| field.split(|byte| *byte == b';'));
    let mut values = pairs.filter_map(|pair| value_of(pair, name));
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => grammar.alone(Cow::Borrowed(unwrapped(value))),
        (Some(_), Some(_)) => Err(CredentialFault::Several),
    }
}

/// The `cookie` header without the cookies that `is_removed` selects. The other cookies stay as they were sent.
///
/// `None` if the request has none of these cookies and at most one `cookie` header. A cookie that is not UTF-8 is
/// removed as well: a valid cookie is ASCII (RFC 6265 §4.1.1).
#[inline(never)]
pub fn without_cookies_that(
    request: &RequestView<'_>,
    is_removed: impl Fn(&[u8]) -> bool,
) -> Option<String> {
    let pairs = || {
        request
            .values(b"cookie")
            .flat_map(|field| field.split(|byte| *byte == b';'))
    };
    // A server that joins several headers with a comma reads another cookie than the filter. Envoy joins the headers
    // that HTTP/2 has split (RFC 9113 §8.2.3).
    let is_one_field = request.values(b"cookie").nth(1).is_none();
    if is_one_field && !pairs().any(&is_removed) {
        return None;
    }
    let kept = pairs().filter(|pair| !is_removed(pair));
    let kept: Vec<&str> = kept
        .filter_map(|pair| std::str::from_utf8(pair.trim_ascii()).ok())
        .collect();
    Some(kept.join("; "))
}

/// The value of a cookie, as sent, that the filter reads as the cookie `name`. None for another cookie.
pub fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (own, value) = pair.split_at_checked(equals)?;
    if own.trim_ascii() != name.as_bytes() {
        return None;
    }
    Some(between(b"\"", value.strip_prefix(b"=")?.trim_ascii()))
}

/// The token in a value, without quotes around it and without `Bearer` before it.
fn unwrapped(value: &[u8]) -> &[u8] {
    let value = between(b"%22", value);
    match value.split_at_checked(b"bearer".len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"bearer") => {
            let mut token = rest;
            while let Some(after) = token
                .strip_prefix(b" ")
                .or_else(|| token.strip_prefix(b"%20"))
            {
                token = after;
            }
            if token.is_empty() || token.len() == rest.len() {
                value
            } else {
                token
            }
        }
        _ => value,
    }
}

/// The text between two quotes, or the whole value.
fn between<'a>(quote: &[u8], value: &'a [u8]) -> &'a [u8] {
    let inner = value.strip_prefix(quote);
    let inner = inner.and_then(|rest| rest.strip_suffix(quote));
    inner.unwrap_or(value)
}
