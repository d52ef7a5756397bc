//! Credentials in header fields (RFC 9110 §11.6.2).

use std::borrow::Cow;

use super::{Found, Grammar, is_b64token, is_of_body};
use crate::grammar::is_tchar;
use crate::reject::CredentialFault;
use crate::request::list::elements;
use crate::request::{Field, RequestView};

/// The credential after `scheme` in the field called `name`.
///
/// Two fields, or two credentials in one, are a fault if one of them is of this scheme, or if nobody can tell; a field
/// of another scheme holds nothing.
pub fn after_scheme<'a>(
    request: &RequestView<'a>,
    name: &str,
    scheme: &str,
    grammar: Grammar,
) -> Found<'a> {
    let mut fields = request.values(name.as_bytes());
    let Some(value) = fields.next() else {
        return Ok(None);
    };
    let is_repeated = fields.next().is_some();
    let (own, rest) = split_scheme(value.trim_ascii());
    let is_its = own.eq_ignore_ascii_case(scheme.as_bytes());
    let credential = without_leading_spaces(rest);
    let is_apart = credential.len() < rest.len();
    // Looked at first, since in a token there is no comma to look for.
    if is_its && is_apart && grammar.accepts(credential) && !is_repeated {
        return Ok(Some(Cow::Borrowed(credential)));
    }
    if is_repeated || holds_another(value, scheme) {
        Err(CredentialFault::Several)
    } else if !is_its {
        Ok(None)
    } else if credential.is_empty() {
        Err(CredentialFault::Empty)
    } else {
        Err(CredentialFault::Syntax)
    }
}

/// Whether a further credential stands after the first in a field, which could be one of `scheme`.
#[inline(never)]
fn holds_another(value: &[u8], scheme: &str) -> bool {
    value.contains(&b',')
        && elements(value)
            .skip(1)
            .any(|one| begins_a_credential(one, scheme))
}

/// The credential that is the whole field.
#[inline(never)]
pub fn alone<'a>(request: &RequestView<'a>, name: &str, grammar: Grammar) -> Found<'a> {
    match request.field(name.as_bytes()) {
        Field::None => Ok(None),
        Field::Many => Err(CredentialFault::Several),
        Field::One(value) => grammar.alone(Cow::Borrowed(value.trim_ascii())),
    }
}

/// Whether something stands in the fields called `name` without a scheme: not `scheme` alone, but what an upstream could take
/// for the token that should follow it.
pub fn stands_alone(request: &RequestView<'_>, name: &str, scheme: &str) -> bool {
    let is_alone = |one: &[u8]| {
        let is_token =
            one.iter().all(|byte| is_of_body(*byte) || *byte == b'=') && is_b64token(one);
        is_token && !one.eq_ignore_ascii_case(scheme.as_bytes())
    };
    request.values(name.as_bytes()).any(|value| {
        let value = value.trim_ascii();
        // A scheme is all there is, or a space follows it (RFC 9110 §11.4).
        let (own, rest) = split_scheme(value);
        let has_scheme = !own.is_empty() && (rest.is_empty() || rest.starts_with(b" "));
        let is_list = value.contains(&b',');
        !value.is_empty() && !has_scheme
            || is_list && elements(value).any(is_alone)
            || !is_list && is_alone(value)
    })
}

/// Whether some credential in the fields called `name` is of `scheme`.
pub fn attempts(request: &RequestView<'_>, name: &str, scheme: &str) -> bool {
    request
        .values(name.as_bytes())
        .flat_map(elements)
        .any(|element| {
            split_scheme(element)
                .0
                .eq_ignore_ascii_case(scheme.as_bytes())
        })
}

/// Without the spaces at its start; a tab is no separator here (RFC 9110 §11.4, `1*SP`).
fn without_leading_spaces(value: &[u8]) -> &[u8] {
    let start = value.iter().position(|byte| *byte != b' ');
    start
        .and_then(|start| value.get(start..))
        .unwrap_or_default()
}

/// The scheme's name and what follows it.
fn split_scheme(value: &[u8]) -> (&[u8], &[u8]) {
    let end = value
        .iter()
        .position(|byte| !is_tchar(*byte))
        .unwrap_or(value.len());
    value.split_at_checked(end).unwrap_or((value, b""))
}

/// Whether a list element is the start of a further credential rather than a parameter (`name=value`).
fn begins_a_credential(element: &[u8], scheme: &str) -> bool {
    let (name, rest) = split_scheme(element);
    let rest = rest.trim_ascii_start();
    let is_parameter = rest.starts_with(b"=");
    !name.is_empty()
        && !is_parameter
        && (!rest.is_empty() || name.eq_ignore_ascii_case(scheme.as_bytes()))
}
