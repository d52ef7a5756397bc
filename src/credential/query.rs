//! Credentials in the query (RFC 6750 §2.3).
//!
//! Only `&` separates parameters. Names are case-sensitive and are compared after percent-decoding, because a server
//! that decodes `access%5Ftoken` reads a token there.

use std::borrow::Cow;

use super::{Found, Grammar};
use crate::reject::CredentialFault;
use crate::request::RequestView;
use crate::request::query::parameters;

/// Finds the credential in the parameter `name`.
#[inline(never)]
pub fn find<'a>(request: &RequestView<'a>, name: &str, grammar: Grammar) -> Found<'a> {
    let target = request.target().unwrap_or_default();
    let mut values = parameters(target).filter(|parameter| is_called(parameter, name));
    let Some(parameter) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(CredentialFault::Several);
    }
    match split(parameter).1 {
        b"" => Err(CredentialFault::Empty),
        value => grammar.alone(decoded(value)),
    }
}

/// Whether the name of a parameter, as sent, is `name` after decoding.
fn is_called(parameter: &[u8], name: &str) -> bool {
    *decoded(split(parameter).0) == *name.as_bytes()
}

fn split(parameter: &[u8]) -> (&[u8], &[u8]) {
    let end = parameter
        .iter()
        .position(|byte| *byte == b'=')
        .unwrap_or(parameter.len());
    let (name, rest) = parameter.split_at_checked(end).unwrap_or((parameter, b""));
    (name, rest.strip_prefix(b"=").unwrap_or(rest))
}

/// Percent-decodes a text once. An invalid escape stays as it is, so that the text is not a token.
fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    percent_encoding::percent_decode(text).into()
}
