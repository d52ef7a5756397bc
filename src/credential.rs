//! Finds the credentials that a client presents: RequestView → Presented, at the token locations of the providers.
//!
//! 1. An empty header, an empty cookie, and a scheme that is not configured for the header are not credentials
//!    (RFC 6750 §3.1).
//! 2. A request with two credentials is denied if an upstream could use the other one: a repeated header, two
//!    credentials in one header with a comma between them, a repeated cookie or query parameter, or two locations of
//!    one provider (RFC 9110 §5.3, RFC 6750 §2).
//! 3. A header that the client names in `Connection` is hop-by-hop (RFC 9110 §7.6.1). A credential in it is ignored.
//! 4. A token is a `b64token` (RFC 6750 §2.1). Any other value is a malformed credential, not a missing one. Browsers send
//!    the cookies of other applications on their own, so that in a cookie it is an invalid token, and not a fault of the
//!    request. A malformed `Basic` credential and a malformed API key are invalid everywhere: RFC 9110 §11.4 answers them
//!    as it answers a wrong one.
//! 5. Cookies are read last, so that a credential in a header can win over them.

mod cookie;
mod digest;
mod field;
mod login;
mod query;

use std::borrow::Cow;
use std::fmt;

use smallvec::SmallVec;

pub use self::cookie::{value_of, without_cookies_that};
pub use self::digest::DigestCredential;
pub use self::field::{has_credential_without_scheme, has_schemes};
pub use self::login::Login;
use crate::kinds;
use crate::reject::{
    CredentialFault, Invalid, KeyFault, LoginFault, MalformedCredential, Reject, TokenFault,
};
use crate::request::RequestView;
use crate::scheme::SchemeSet;

/// The part of a request that contains a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrier {
    /// A header with a scheme before the credential.
    Scheme {
        /// The header's name, in lower case.
        field: String,
        /// The scheme's name, as the configuration writes it. Its case does not matter in requests.
        scheme: String,
    },
    /// A header that contains only the credential. `Authorization` and `Proxy-Authorization` can contain a scheme of
    /// another location instead.
    Field(String),
    /// A cookie.
    Cookie(String),
    /// A query parameter.
    Query(String),
}

/// The part of a request that is removed so that a credential does not reach the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// A header that contains only credentials, by its name in lower case.
    Header(&'a str),
    /// A cookie, by its name.
    Cookie(&'a str),
    /// A query parameter, by its name.
    Parameter(&'a str),
}

impl Carrier {
    /// The part of a request that contains the credential. All that removes credentials goes by it, so that no carrier
    /// can be forgotten there.
    pub fn part(&self) -> Part<'_> {
        match self {
            Self::Scheme { field, .. } | Self::Field(field) => Part::Header(field),
            Self::Cookie(name) => Part::Cookie(name),
            Self::Query(name) => Part::Parameter(name),
        }
    }

    /// The name of the header that contains the credential, in lower case. `None` if it is in the query.
    pub fn field(&self) -> Option<&str> {
        match self.part() {
            Part::Header(name) => Some(name),
            Part::Cookie(_) => Some("cookie"),
            Part::Parameter(_) => None,
        }
    }

    /// The name of a cookie. `None` for another part.
    pub fn cookie(&self) -> Option<&str> {
        match self {
            Self::Cookie(name) => Some(name),
            Self::Scheme { .. } | Self::Field(_) | Self::Query(_) => None,
        }
    }

    /// The name of a header that contains only credentials, in lower case. `None` for a cookie or a query parameter.
    pub fn own_field(&self) -> Option<&str> {
        match self.part() {
            Part::Header(name) => Some(name),
            Part::Cookie(_) | Part::Parameter(_) => None,
        }
    }
}

/// The carrier as `explain` describes it.
impl fmt::Display for Carrier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme { scheme, .. } => write!(formatter, "a {scheme} credential"),
            Self::Field(name) => write!(formatter, "a credential in the header `{name}`"),
            Self::Cookie(name) => write!(formatter, "a credential in the cookie `{name}`"),
            Self::Query(name) => write!(formatter, "a credential in the query parameter `{name}`"),
        }
    }
}

/// A token location: where a provider looks for credentials, and the schemes of the challenges for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The part of the request.
    pub carrier: Carrier,
    /// The grammar of a credential at this location.
    pub grammar: Grammar,
    /// The schemes whose challenges carry the error of a credential at this location.
    pub schemes: SchemeSet,
}

/// Identifies a location by its position among the locations of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LocationId(pub usize);

/// The grammar of a credential: one variant for each form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 6750 §2.1).
    Token,
    /// The same, after the scheme `DPoP`: a token that is used with a proof (RFC 9449 §7.1).
    DpopToken,
    /// The `token68` of `Basic`, which contains a user name and a password (RFC 7617 §2).
    Basic,
    /// The parameters of `Digest` (RFC 7616 §3.4).
    Digest(kinds::Digest),
    /// An API key ([`is_api_key`]).
    Key,
}

/// A presented credential. It is not verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented<'a> {
    /// The location where it was found.
    pub location: LocationId,
    /// The schemes whose challenges carry its error.
    pub schemes: SchemeSet,
    /// The credential.
    pub shown: Shown<'a>,
}

/// A credential in the form that its grammar describes.
#[derive(Clone, PartialEq, Eq)]
pub enum Shown<'a> {
    /// A token. A token in the query is percent-decoded.
    Token(Cow<'a, [u8]>),
    /// A user name and a password.
    Login(Login),
    /// A user name, and a proof that the client knows the password.
    Digest(Box<DigestCredential<'a>>),
    /// An API key. A key in the query is percent-decoded.
    Key(Cow<'a, [u8]>),
    /// A value that is not a credential of the location's grammar.
    Malformed(Invalid),
}

impl Shown<'_> {
    /// The octets of the credential, by which a cache recognizes it.
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Token(octets) | Self::Key(octets) => octets,
            Self::Login(login) => login.octets(),
            Self::Digest(_) | Self::Malformed(_) => b"",
        }
    }

    /// Whether the result of verifying it is cached. To find an API key in a list costs no more than to find it in a cache,
    /// and a Digest credential is used once.
    pub fn is_cached(&self) -> bool {
        match self {
            Self::Token(_) | Self::Login(_) => true,
            Self::Digest(_) | Self::Key(_) | Self::Malformed(_) => false,
        }
    }
}

/// Prints only the kind, because a credential is a secret.
impl fmt::Debug for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => formatter.write_str("Token"),
            Self::Login(_) => formatter.write_str("Login"),
            Self::Digest(_) => formatter.write_str("Digest"),
            Self::Key(_) => formatter.write_str("Key"),
            Self::Malformed(_) => formatter.write_str("Malformed"),
        }
    }
}

/// Prints only the kind, because a credential is a secret.
impl fmt::Debug for Presented<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Presented({:?})", self.shown)
    }
}

/// The result of reading one location: the octets of the credential, `None` if there is no credential, or its fault.
type Found<'a> = Result<Option<Cow<'a, [u8]>>, CredentialFault>;

/// The credentials of a request, in the order of `locations`, but those in cookies last.
///
/// `is_read` says whether a location is read, given the credentials that were found before.
///
/// # Errors
/// [`Reject::Malformed`] if a credential violates its grammar, or a location has two credentials.
pub fn present<'a>(
    request: &RequestView<'a>,
    locations: &[Location],
    mut is_read: impl FnMut(LocationId, &[Presented<'a>]) -> bool,
) -> Result<SmallVec<[Presented<'a>; 1]>, Reject> {
    let mut presented = SmallVec::new();
    let numbered = || locations.iter().enumerate();
    let is_cookie = |served: &Location| served.carrier.cookie().is_some();
    let others = numbered().filter(|(_, served)| !is_cookie(served));
    let cookies = numbered().filter(|(_, served)| is_cookie(served));
    for (number, served) in others.chain(cookies) {
        // A hop-by-hop header is not meant for the upstream, so a credential in it must not decide.
        let is_hop_by_hop = |field: &str| request.is_hop_by_hop(field.as_bytes());
        let is_nominated = served.carrier.field().is_some_and(is_hop_by_hop);
        if is_nominated || !is_read(LocationId(number), &presented) {
            continue;
        }
        let grammar = served.grammar;
        let found: Found<'a> = match &served.carrier {
            Carrier::Scheme { field, scheme } => {
                field::after_scheme(request, field, scheme, grammar)
            }
            Carrier::Field(field) => field::alone(request, locations, field, grammar),
            Carrier::Cookie(name) => cookie::find(request, name, grammar),
            Carrier::Query(name) => query::find(request, name, grammar),
        };
        let shown = match found {
            Ok(None) => continue,
            Ok(Some(octets)) => match grammar.shown(octets, request) {
                Ok(shown) => shown,
                Err(fault) => return Err(malformed(served.schemes, fault)),
            },
            Err(fault) => match grammar.invalid(fault, is_cookie(served)) {
                Some(invalid) => Shown::Malformed(invalid),
                None => return Err(malformed(attempted(request, locations, served), fault)),
            },
        };
        presented.push(Presented {
            location: LocationId(number),
            schemes: served.schemes,
            shown,
        });
    }
    Ok(presented)
}

/// The fault of a request with two credentials where one is allowed.
pub fn several(attempted: SchemeSet) -> Reject {
    malformed(attempted, CredentialFault::Several)
}

fn malformed(attempted: SchemeSet, fault: CredentialFault) -> Reject {
    Reject::Malformed(MalformedCredential { attempted, fault })
}

/// The schemes that the client attempted with a malformed credential.
///
/// These are the schemes in the credential's header that are configured for it. If there are none, it is the scheme of
/// the credential's location.
#[cold]
fn attempted(request: &RequestView<'_>, locations: &[Location], at: &Location) -> SchemeSet {
    let Carrier::Scheme { field, .. } = &at.carrier else {
        return at.schemes;
    };
    let others = locations.iter().filter(|other| match &other.carrier {
        Carrier::Scheme {
            field: same,
            scheme,
        } => same == field && field::attempts(request, field, scheme),
        Carrier::Field(_) | Carrier::Cookie(_) | Carrier::Query(_) => false,
    });
    let tried: SchemeSet = others.map(|other| other.schemes).collect();
    if tried.is_empty() { at.schemes } else { tried }
}

impl Grammar {
    /// The same as [`Self::accepts`] for octets that most likely are not: ends at the first that shows it.
    fn can_be(self, octets: &[u8]) -> bool {
        match self {
            Self::Token | Self::DpopToken => {
                let mut octets_of_token = octets.iter();
                octets_of_token.all(|byte| is_allowed(*byte) || *byte == b'=')
                    && self.accepts(octets)
            }
            Self::Basic | Self::Digest(_) | Self::Key => self.accepts(octets),
        }
    }

    /// Whether octets are a credential of this grammar, and cannot contain a second one.
    fn accepts(self, octets: &[u8]) -> bool {
        match self {
            // `token68` has the same characters (RFC 9110 §11.2).
            Self::Token | Self::DpopToken | Self::Basic => is_b64token(octets),
            // A list, which is searched for a second credential before it is read (`field::after_scheme`).
            Self::Digest(_) => false,
            Self::Key => is_api_key(octets),
        }
    }

    /// What is wrong with a credential that breaks this grammar, if it is invalid in place of a fault of the request.
    fn invalid(self, fault: CredentialFault, is_cookie: bool) -> Option<Invalid> {
        match (self, fault) {
            (
                _,
                CredentialFault::Several | CredentialFault::Unsupported | CredentialFault::Target,
            ) => None,
            (Self::Token, CredentialFault::Syntax) if is_cookie => {
                Some(TokenFault::Malformed.into())
            }
            (
                Self::Token | Self::DpopToken | Self::Digest(_),
                CredentialFault::Syntax | CredentialFault::Empty,
            ) => None,
            (Self::Basic, CredentialFault::Syntax | CredentialFault::Empty) => {
                Some(LoginFault::Malformed.into())
            }
            (Self::Key, CredentialFault::Syntax | CredentialFault::Empty) => {
                Some(KeyFault::Malformed.into())
            }
        }
    }

    /// The credential in a value that contains nothing else. An empty value is not a credential.
    fn alone(self, value: Cow<'_, [u8]>) -> Found<'_> {
        if value.is_empty() {
            Ok(None)
        } else if self.accepts(&value) {
            Ok(Some(value))
        } else {
            Err(CredentialFault::Syntax)
        }
    }

    /// The credential with these octets, which were found at a location with this grammar.
    ///
    /// # Errors
    /// The fault of a `Digest` credential, which is read here.
    fn shown<'a>(
        self,
        octets: Cow<'a, [u8]>,
        request: &RequestView<'_>,
    ) -> Result<Shown<'a>, CredentialFault> {
        Ok(match self {
            Self::Token | Self::DpopToken => Shown::Token(octets),
            Self::Basic => match Login::read(&octets) {
                Some(login) => Shown::Login(login),
                None => Shown::Malformed(LoginFault::Malformed.into()),
            },
            Self::Digest(_) => {
                let Cow::Borrowed(octets) = octets else {
                    return Err(CredentialFault::Syntax);
                };
                let credential = DigestCredential::read(octets)?;
                if !credential.is_for(request) {
                    return Err(CredentialFault::Target);
                }
                Shown::Digest(Box::new(credential))
            }
            Self::Key => Shown::Key(octets),
        })
    }
}

/// The longest API key, in bytes.
pub const API_KEY_MAX: usize = 512;

/// Whether octets can be an API key: up to [`API_KEY_MAX`] visible ASCII characters without a comma, which joins repeated
/// headers.
pub fn is_api_key(octets: &[u8]) -> bool {
    let is_visible = |byte: &u8| byte.is_ascii_graphic() && *byte != b',';
    (1..=API_KEY_MAX).contains(&octets.len()) && octets.iter().all(is_visible)
}

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 6750 §2.1).
fn is_b64token(token: &[u8]) -> bool {
    let body = token
        .iter()
        .rposition(|byte| *byte != b'=')
        .and_then(|last| token.get(..=last));
    body.is_some_and(|body| {
        // Every byte of every token is checked here: the loop checks four at a time and has no early exit.
        let (quads, rest) = body.as_chunks();
        let are_allowed = |all, [a, b, c, d]: &[u8; 4]| {
            all & is_allowed(*a) & is_allowed(*b) & is_allowed(*c) & is_allowed(*d)
        };
        quads.iter().fold(true, are_allowed) && rest.iter().all(|byte| is_allowed(*byte))
    })
}

/// Whether a `b64token` may contain this byte before the `=` at its end.
fn is_allowed(byte: u8) -> bool {
    ALLOWED.get(usize::from(byte)) == Some(&true)
}

/// The bytes that a `b64token` may contain before the `=` at its end. An index out of range would not compile.
#[allow(clippy::indexing_slicing)]
const ALLOWED: [bool; 256] = {
    let mut is_allowed = [false; 256];
    let characters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
    let mut next = 0;
    while next < characters.len() {
        is_allowed[characters[next] as usize] = true;
        next += 1;
    }
    is_allowed
};

#[cfg(test)]
mod tests;
