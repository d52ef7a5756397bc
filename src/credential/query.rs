//! Credentials in the query (RFC 6750 §2.3), and queries without them.
//!
//! Parameters are separated by `&` alone. Names are compared after percent-decoding, case-sensitively: a server that
//! decodes `access%5Ftoken` would find the token there.

use std::borrow::Cow;

use super::{Found, Grammar};
use crate::reject::CredentialFault;
use crate::request::RequestView;
use crate::request::parameter::is_parameter;
use crate::request::path::without_query;

/// The value of the parameter called `name`.
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

/// `target` without the parameters that a server could take for one of `names`; nothing where it has none of them.
pub fn without_parameters<'n>(
    target: &[u8],
    names: impl Iterator<Item = &'n str> + Clone,
) -> Option<Vec<u8>> {
    without_parameters_that(target, |parameter| {
        names.clone().any(|name| is_parameter(parameter, name))
    })
}

/// `target` without the parameters that are meant, each as it was sent; nothing where it has none of them.
pub fn without_parameters_that(target: &[u8], is_meant: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    if !parameters(target).any(&is_meant) {
        return None;
    }
    let path = without_query(target);
    let kept: Vec<&[u8]> = parameters(target)
        .filter(|parameter| !is_meant(parameter))
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

/// Whether a parameter, as it was sent, is called so.
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

/// Percent-decoded once; a broken escape stays as it is, and is then no token.
fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    percent_encoding::percent_decode(text).into()
}
