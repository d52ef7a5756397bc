//! Credentials in the query (RFC 6750 §2.3), and queries without them.
//!
//! Only `&` separates parameters. Names are case-sensitive and are compared after percent-decoding, because a server
//! that decodes `access%5Ftoken` reads a token there.

use std::borrow::Cow;

use super::{Found, Grammar};
use crate::reject::CredentialFault;
use crate::request::RequestView;
use crate::request::parameter::is_parameter;
use crate::request::path::without_query;

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

/// `target` without the parameters that a server could read as one of `names`. `None` if it has no such parameter.
pub fn without_parameters<'n>(
    target: &[u8],
    names: impl Iterator<Item = &'n str> + Clone,
) -> Option<Vec<u8>> {
    without_parameters_that(target, |parameter| {
        names.clone().any(|name| is_parameter(parameter, name))
    })
}

/// `target` without the parameters that `is_removed` selects. `None` if it has no such parameter.
///
/// The other parameters stay as they were sent.
pub fn without_parameters_that(
    target: &[u8],
    is_removed: impl Fn(&[u8]) -> bool,
) -> Option<Vec<u8>> {
    if !parameters(target).any(&is_removed) {
        return None;
    }
    let path = without_query(target);
    let kept: Vec<&[u8]> = parameters(target)
        .filter(|parameter| !is_removed(parameter))
        .collect();
    let mut without = path.to_vec();
    if !kept.is_empty() {
        without.push(b'?');
        without.extend(kept.join(&b'&'));
    }
    Some(without)
}

fn parameters(target: &[u8]) -> impl Iterator<Item = &[u8]> {
    let query = target
        .get(without_query(target).len()..)
        .and_then(|rest| rest.strip_prefix(b"?"));
    query
        .into_iter()
        .flat_map(|query| query.split(|byte| *byte == b'&'))
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
