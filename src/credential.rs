//! What the caller shows: RequestView → Presented.
//!
//! The rules, in order:
//! 1. No `authorization` field, or an empty one, is no credential.
//! 2. Two fields, or two credentials joined in one field by a comma, are refused: nobody can tell which one an
//!    upstream would take (RFC 9110 §5.3).
//! 3. A scheme that nobody serves is no credential (RFC 6750 §3.1).
//! 4. What follows the scheme and its spaces must be a `b64token` (RFC 6750 §2.1).

use crate::reject::{CredentialFault, MalformedCredential, Reject};
use crate::request::RequestView;
use crate::scheme::{Scheme, SchemeSet};

/// A credential, not yet judged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Presented<'a> {
    /// The scheme that it came under.
    pub scheme: Scheme,
    /// The token as sent.
    pub token: &'a str,
}

/// The token is a secret.
impl std::fmt::Debug for Presented<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Presented({})", self.scheme)
    }
}

/// The credential of a request, of the schemes that are `served`.
///
/// # Errors
/// [`Reject::Malformed`] where there are two, or one that breaks its grammar.
pub fn present<'a>(
    request: &RequestView<'a>,
    served: SchemeSet,
) -> Result<Option<Presented<'a>>, Reject> {
    let mut fields = request.values(b"authorization");
    let Some(value) = fields.next() else {
        return Ok(None);
    };
    if fields.next().is_some() || elements(value).skip(1).any(begins_a_credential) {
        let attempted = request
            .values(b"authorization")
            .flat_map(elements)
            .filter_map(|element| Scheme::from_name(split_scheme(element).0))
            .filter(|scheme| served.contains(*scheme))
            .collect();
        return Err(malformed(attempted, CredentialFault::Several));
    }
    let (name, rest) = split_scheme(value.trim_ascii());
    let Some(scheme) = Scheme::from_name(name).filter(|scheme| served.contains(*scheme)) else {
        return Ok(None);
    };
    let token = without_leading_spaces(rest);
    let fault = if rest.is_empty() || token.is_empty() {
        CredentialFault::Empty
    } else if token.len() == rest.len() || !is_b64token(token) {
        CredentialFault::Syntax
    } else if let Ok(token) = std::str::from_utf8(token) {
        return Ok(Some(Presented { scheme, token }));
    } else {
        CredentialFault::Syntax
    };
    Err(malformed(SchemeSet::default().with(scheme), fault))
}

fn malformed(attempted: SchemeSet, fault: CredentialFault) -> Reject {
    Reject::Malformed(MalformedCredential { attempted, fault })
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

/// The elements of a comma-separated field value, commas within quoted strings left alone (RFC 9110 §5.6.1).
///
/// A quote that is never closed encloses nothing: a server could split there, so it is split here.
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let closed = value.iter().filter(|byte| **byte == b'"').count() % 2 == 0;
    let mut quoted = false;
    let mut escaped = false;
    value
        .split(move |byte| {
            let splits = *byte == b',' && !(quoted && closed);
            if escaped {
                escaped = false;
            } else if *byte == b'\\' {
                escaped = quoted;
            } else if *byte == b'"' {
                quoted = !quoted;
            }
            splits
        })
        .map(<[u8]>::trim_ascii)
}

/// Whether a list element is the start of a further credential rather than a parameter (`name=value`).
fn begins_a_credential(element: &[u8]) -> bool {
    let (name, rest) = split_scheme(element);
    let rest = rest.trim_ascii_start();
    !name.is_empty()
        && !rest.starts_with(b"=")
        && (!rest.is_empty() || Scheme::from_name(name).is_some())
}

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 6750 §2.1).
fn is_b64token(token: &[u8]) -> bool {
    let body = token
        .iter()
        .rposition(|byte| *byte != b'=')
        .and_then(|last| token.get(..=last));
    body.is_some_and(|body| {
        body.iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte))
    })
}

/// `tchar` (RFC 9110 §5.6.2).
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present_all(values: &[&'static [u8]]) -> Result<Option<&'static str>, CredentialFault> {
        let request =
            RequestView::new(values.iter().map(|v| (&b"authorization"[..], *v)).collect());
        match present(&request, SchemeSet::default().with(Scheme::Bearer)) {
            Ok(presented) => Ok(presented.map(|presented| presented.token)),
            Err(Reject::Malformed(malformed)) => Err(malformed.fault),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn finds_the_token_whatever_the_case_and_the_spaces() {
        for value in [
            &b"Bearer a.b.c"[..],
            b"bEaReR a.b.c",
            b"BEARER   a.b.c",
            b"  Bearer a.b.c ",
        ] {
            assert_eq!(present_all(&[value]), Ok(Some("a.b.c")));
        }
    }

    #[test]
    fn a_scheme_that_nobody_serves_is_no_credential() {
        for value in [
            &b""[..],
            b"Negotiate abc",
            b"Hawk id=\"a, Bearer b\", mac=\"c\"",
            b"AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b;c, Signature=d",
            b"a.b.c",
        ] {
            assert_eq!(present_all(&[value]), Ok(None));
        }
        assert_eq!(present_all(&[]), Ok(None));
    }

    #[test]
    fn b_07_what_is_no_b64token_is_malformed() {
        for value in [
            &b"Bearer abc def"[..],
            b"Bearer ab=c",
            b"Bearer \"abc\"",
            b"Bearer abc!",
            b"Bearer\tabc",
            b"Bearer token=\"abc\"",
            b"Bearer =",
            b"Bearer \xe2\x82\xac",
            b"Bearer=abc",
        ] {
            assert_eq!(
                present_all(&[value]),
                Err(CredentialFault::Syntax),
                "{value:?}"
            );
        }
        for value in [&b"Bearer"[..], b"Bearer "] {
            assert_eq!(present_all(&[value]), Err(CredentialFault::Empty));
        }
    }

    #[test]
    fn h_37_h_38_two_credentials_are_refused_however_they_are_joined() {
        for values in [
            &[&b"Bearer a"[..], &b"Bearer a"[..]][..],
            &[b"Basic a", b"Bearer b"],
            &[b"Bearer a, Bearer b"],
            &[b"Basic x,Bearer y"],
            &[b"Digest a=\"b\", c=d, Bearer e"],
            &[b"Bearer a,Bearer"],
            &[b"Foo a=\"b, Bearer c"],
        ] {
            assert_eq!(
                present_all(values),
                Err(CredentialFault::Several),
                "{values:?}"
            );
        }
        assert_eq!(
            present_all(&[b"Bearer abc,def"]),
            Err(CredentialFault::Syntax)
        );
    }
}
