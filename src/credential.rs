//! What a client presents: RequestView → Presented, at the locations of the providers.
//!
//! The rules:
//! 1. A location that holds nothing, an empty cookie, or a scheme that nobody serves there is no credential
//!    (RFC 6750 §3.1).
//! 2. Two credentials are refused wherever nobody could tell which one an upstream would take: a repeated field,
//!    two joined in one field by a comma, a repeated cookie or parameter, two locations of one provider
//!    (RFC 9110 §5.3, RFC 6750 §2).
//! 3. What the client nominates in `Connection` ends with the connection, and is no credential (RFC 9110 §7.6.1).
//! 4. A token is a `b64token` (RFC 6750 §2.1); what is none is malformed, not merely unknown.

mod cookie;
mod field;
mod query;

use std::borrow::Cow;
use std::fmt;

use smallvec::SmallVec;

pub use self::cookie::{is_cookie_called, without_cookies_that};
pub use self::field::stands_alone;
pub use self::query::{without_parameters, without_parameters_that};
use crate::reject::{CredentialFault, MalformedCredential, Reject};
use crate::request::RequestView;
use crate::scheme::{Scheme, SchemeSet};

/// The part of a request that carries a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrier {
    /// In a header field, after a scheme.
    Scheme {
        /// The field's name, in lower case.
        field: String,
        /// The scheme's name, in any case.
        scheme: String,
    },
    /// In a header field, alone.
    Field(String),
    /// In a cookie.
    Cookie(String),
    /// In a parameter of the query.
    Query(String),
}

impl Carrier {
    /// The name of the header field, where it is in one, in lower case.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Scheme { field, .. } | Self::Field(field) => Some(field),
            Self::Cookie(_) => Some("cookie"),
            Self::Query(_) => None,
        }
    }

    /// The name of the cookie, where it is one.
    pub fn cookie(&self) -> Option<&str> {
        match self {
            Self::Cookie(name) => Some(name),
            Self::Scheme { .. } | Self::Field(_) | Self::Query(_) => None,
        }
    }

    /// The name of the parameter of the query, where it is one.
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::Query(name) => Some(name),
            Self::Scheme { .. } | Self::Field(_) | Self::Cookie(_) => None,
        }
    }

    /// The name of the header field that holds nothing but credentials, where it is in one, in lower case.
    pub fn own_field(&self) -> Option<&str> {
        match self {
            Self::Scheme { field, .. } | Self::Field(field) => Some(field),
            Self::Cookie(_) | Self::Query(_) => None,
        }
    }
}

/// Where a provider looks for credentials, and the scheme of the challenge for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The part of the request.
    pub carrier: Carrier,
    /// What a credential is written like there.
    pub grammar: Grammar,
    /// The scheme of its challenge.
    pub scheme: Scheme,
}

/// A location, by its position among those of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LocationId(pub usize);

/// What a credential is written like: one variant for each form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 6750 §2.1).
    Token,
}

/// A credential as it was sent, not yet verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented<'a> {
    /// Where it was.
    pub location: LocationId,
    /// The scheme of the challenge for it.
    pub scheme: Scheme,
    /// What was there.
    pub shown: Shown<'a>,
}

/// What was at a location, by its grammar.
#[derive(Clone, PartialEq, Eq)]
pub enum Shown<'a> {
    /// A token, percent-decoded where it was in the query.
    Token(Cow<'a, [u8]>),
}

impl Shown<'_> {
    /// The octets that were sent, for what remembers a credential.
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Token(token) => token,
        }
    }
}

/// A credential is a secret.
impl fmt::Debug for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => formatter.write_str("Token"),
        }
    }
}

/// A credential is a secret.
impl fmt::Debug for Presented<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Presented({})", self.scheme)
    }
}

/// The octets of the credential at a location; a fault is what is wrong with what is there.
type Found<'a> = Result<Option<Cow<'a, [u8]>>, CredentialFault>;

/// The credentials of a request, in the order of the `locations`.
///
/// # Errors
/// [`Reject::Malformed`] where one breaks its grammar, or a location holds two.
pub fn present<'a>(
    request: &RequestView<'a>,
    locations: &[Location],
) -> Result<SmallVec<[Presented<'a>; 1]>, Reject> {
    let mut presented = SmallVec::new();
    for (number, served) in locations.iter().enumerate() {
        // What ends with the connection is not for the upstream, so it must not be judged as if it were.
        if served
            .carrier
            .field()
            .is_some_and(|field| request.is_hop_by_hop(field.as_bytes()))
        {
            continue;
        }
        let grammar = served.grammar;
        let found: Found<'a> = match &served.carrier {
            Carrier::Scheme { field, scheme } => {
                field::after_scheme(request, field, scheme, grammar)
            }
            Carrier::Field(field) => field::alone(request, field, grammar),
            Carrier::Cookie(name) => cookie::find(request, name, grammar),
            Carrier::Query(name) => query::find(request, name, grammar),
        };
        let attempted = || attempted(request, locations, served);
        if let Some(octets) = found.map_err(|fault| malformed(attempted(), fault))? {
            presented.push(Presented {
                location: LocationId(number),
                scheme: served.scheme,
                shown: grammar.shown(octets),
            });
        }
    }
    Ok(presented)
}

/// Two credentials where there may be one.
pub fn several(attempted: SchemeSet) -> Reject {
    malformed(attempted, CredentialFault::Several)
}

fn malformed(attempted: SchemeSet, fault: CredentialFault) -> Reject {
    Reject::Malformed(MalformedCredential { attempted, fault })
}

/// The schemes that a malformed credential attempted: that of its location, and where its field holds several, theirs.
#[cold]
fn attempted(request: &RequestView<'_>, locations: &[Location], at: &Location) -> SchemeSet {
    let own = SchemeSet::default().with(at.scheme);
    let Carrier::Scheme { field, .. } = &at.carrier else {
        return own;
    };
    let others = locations.iter().filter(|other| match &other.carrier {
        Carrier::Scheme {
            field: same,
            scheme,
        } => same == field && field::attempts(request, field, scheme),
        _ => false,
    });
    let tried: SchemeSet = others.map(|other| other.scheme).collect();
    if tried.is_empty() { own } else { tried }
}

impl Grammar {
    /// Whether octets are a credential of this grammar.
    fn accepts(self, octets: &[u8]) -> bool {
        match self {
            Self::Token => is_b64token(octets),
        }
    }

    /// The credential that is alone at a location; an empty value is none.
    fn alone(self, value: Cow<'_, [u8]>) -> Found<'_> {
        if value.is_empty() {
            Ok(None)
        } else if self.accepts(&value) {
            Ok(Some(value))
        } else {
            Err(CredentialFault::Syntax)
        }
    }

    /// Octets that this grammar accepts.
    fn shown(self, octets: Cow<'_, [u8]>) -> Shown<'_> {
        match self {
            Self::Token => Shown::Token(octets),
        }
    }
}

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 6750 §2.1).
fn is_b64token(token: &[u8]) -> bool {
    let body = token
        .iter()
        .rposition(|byte| *byte != b'=')
        .and_then(|last| token.get(..=last));
    body.is_some_and(|body| {
        // Four at a time and without a way out of the loop: every byte of every token passes here.
        let (quads, rest) = body.as_chunks();
        let are_of_body = |all, [a, b, c, d]: &[u8; 4]| {
            all & is_of_body(*a) & is_of_body(*b) & is_of_body(*c) & is_of_body(*d)
        };
        quads.iter().fold(true, are_of_body) && rest.iter().all(|byte| is_of_body(*byte))
    })
}

fn is_of_body(byte: u8) -> bool {
    IS_OF_BODY.get(usize::from(byte)) == Some(&true)
}

/// Which characters the body of a `b64token` may have. An index out of range would not compile.
#[allow(clippy::indexing_slicing)]
const IS_OF_BODY: [bool; 256] = {
    let mut is_of_body = [false; 256];
    let characters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
    let mut next = 0;
    while next < characters.len() {
        is_of_body[characters[next] as usize] = true;
        next += 1;
    }
    is_of_body
};

#[cfg(test)]
mod tests;
