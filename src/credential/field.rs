//! Credentials in headers (RFC 9110 §11.6.2).

use std::borrow::Cow;

use super::{Carrier, Found, Grammar, Location};
use crate::grammar::{is_tchar, split_token};
use crate::reject::CredentialFault;
use crate::request::list::{elements, has_comma};
use crate::request::{Field, RequestView};

/// Finds the credential after `scheme` in the header `name`.
///
/// A repeated header is always a fault, and so is a header that could contain two credentials. A header with another
/// scheme has no credential for this location.
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
    let (own, rest) = split_token(value.trim_ascii());
    let is_its = own.eq_ignore_ascii_case(scheme.as_bytes());
    let credential = without_leading_spaces(rest);
    let is_apart = credential.len() < rest.len();
    // A valid token contains no comma, so it is accepted before a second credential is searched for.
    if is_its && is_apart && grammar.accepts(credential) && !is_repeated {
        return Ok(Some(Cow::Borrowed(credential)));
    }
    if is_repeated || holds_another(value, scheme) {
        Err(CredentialFault::Several)
    } else if !is_its {
        Ok(None)
    } else if credential.is_empty() {
        Err(CredentialFault::Empty)
    } else if matches!(grammar, Grammar::Digest(_)) && is_apart {
        // Its parameters have commas between them. They are read now that no second credential follows one.
        Ok(Some(Cow::Borrowed(credential)))
    } else {
        Err(CredentialFault::Syntax)
    }
}

/// Whether a header could contain another credential after the first one.
#[inline(never)]
fn holds_another(value: &[u8], scheme: &str) -> bool {
    has_comma(value)
        && elements(value)
            .skip(1)
            .any(|one| begins_a_credential(one, scheme))
}

/// Whether the word `scheme` and a space are within a value. Some upstreams search for them instead of reading the
/// scheme at the start, and some split a value at the commas of a quoted string.
fn is_within(value: &[u8], scheme: &str) -> bool {
    let mut parts = value.windows(scheme.len() + 2);
    parts.any(|part| match part {
        [before, name @ .., b' ' | b'\t'] => {
            !is_tchar(*before) && name.eq_ignore_ascii_case(scheme.as_bytes())
        }
        _ => false,
    })
}

/// Finds the credential in the header `name`, which contains nothing else.
///
/// A value with a scheme has no credential for this location, if one of `locations` reads that scheme there, or if the
/// header always has a scheme ([`has_schemes`]).
#[inline(never)]
pub fn alone<'a>(
    request: &RequestView<'a>,
    locations: &[Location],
    name: &str,
    grammar: Grammar,
) -> Found<'a> {
    let value = match request.field(name.as_bytes()) {
        Field::None => return Ok(None),
        Field::Many => return Err(CredentialFault::Several),
        Field::One(value) => value.trim_ascii(),
    };
    // A comma joins two headers of this name (RFC 9110 §5.3). A token cannot contain it, and neither can a key.
    if grammar == Grammar::Key && has_comma(value) {
        return Err(CredentialFault::Several);
    }
    let found = grammar.alone(Cow::Borrowed(value));
    let (own, rest) = split_token(value);
    let is_read = |location: &Location| match &location.carrier {
        Carrier::Scheme { field, scheme } => {
            field == name && own.eq_ignore_ascii_case(scheme.as_bytes())
        }
        Carrier::Field(_) | Carrier::Cookie(_) | Carrier::Query(_) => false,
    };
    let has_scheme = !own.is_empty() && rest.starts_with(b" ");
    if found.is_err() && has_scheme && (has_schemes(name) || locations.iter().any(is_read)) {
        return Ok(None);
    }
    found
}

/// Whether the value of the header `name` begins with a scheme (RFC 9110 §11.6.2, §11.7.2).
pub fn has_schemes(name: &str) -> bool {
    matches!(name, "authorization" | "proxy-authorization")
}

/// Whether a header `name` contains something without a scheme, or after another scheme and `scheme`, that an upstream
/// could use as a credential, and that the filter does not verify. `alone` is the grammar of a credential that is alone in
/// this header, if the filter verifies such a credential.
///
/// The word `scheme` alone is not a credential.
pub fn has_credential_without_scheme(
    request: &RequestView<'_>,
    name: &str,
    scheme: &str,
    grammar: Grammar,
    alone: Option<Grammar>,
) -> bool {
    let mut values = request.values(name.as_bytes());
    values.any(|value| {
        // Nothing of a header that begins with `scheme` is without one, unless something follows a comma.
        let is_usual = begins_with_scheme(value, scheme) && !has_comma(value);
        !is_usual && is_without_scheme(value, scheme, grammar, alone)
    })
}

/// Whether a value begins with `scheme` and a space (RFC 9110 §11.4).
fn begins_with_scheme(value: &[u8], scheme: &str) -> bool {
    value
        .split_at_checked(scheme.len())
        .is_some_and(|(own, rest)| {
            own.eq_ignore_ascii_case(scheme.as_bytes()) && rest.starts_with(b" ")
        })
}

/// The same as [`has_credential_without_scheme`] for one value.
#[cold]
fn is_without_scheme(value: &[u8], scheme: &str, grammar: Grammar, alone: Option<Grammar>) -> bool {
    let is_scheme = |one: &[u8]| one.eq_ignore_ascii_case(scheme.as_bytes());
    let value = value.trim_ascii();
    if alone.is_some_and(|alone| alone.can_be(value)) {
        return false;
    }
    let (own, rest) = split_token(value);
    let has_scheme = !own.is_empty() && rest.starts_with(b" ");
    !value.is_empty() && !has_scheme && !is_scheme(value)
        || !is_scheme(own) && is_within(value, scheme)
        || has_comma(value) && elements(value).any(|one| grammar.can_be(one) && !is_scheme(one))
}

/// Whether a credential in the headers `name` has this scheme.
pub fn attempts(request: &RequestView<'_>, name: &str, scheme: &str) -> bool {
    request
        .values(name.as_bytes())
        .flat_map(elements)
        .any(|element| {
            split_token(element)
                .0
                .eq_ignore_ascii_case(scheme.as_bytes())
        })
}

/// A value without the spaces at its start. A tab is not a separator here (RFC 9110 §11.4, `1*SP`).
fn without_leading_spaces(value: &[u8]) -> &[u8] {
    let start = value.iter().position(|byte| *byte != b' ');
    start
        .and_then(|start| value.get(start..))
        .unwrap_or_default()
}

/// Whether a list element is the start of another credential, not a parameter (`name=value`).
///
/// A single word is the start of a credential only if it is `scheme`.
fn begins_a_credential(element: &[u8], scheme: &str) -> bool {
    let (name, rest) = split_token(element);
    let rest = rest.trim_ascii_start();
    let is_parameter = rest.starts_with(b"=");
    !name.is_empty()
        && !is_parameter
        && (!rest.is_empty() || name.eq_ignore_ascii_case(scheme.as_bytes()))
}
