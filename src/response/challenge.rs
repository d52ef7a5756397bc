//! A challenge: the value of one `WWW-Authenticate` or `Proxy-Authenticate` field (RFC 9110 §11.6.1).
//!
//! ```text
//! challenge   = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
//! auth-param  = token BWS "=" BWS ( token / quoted-string )
//! ```
//!
//! Written here: the scheme, `realm` first, no parameter twice, no element empty, every value a quoted-string but those
//! that Digest has as tokens. There is one function a scheme, so that a parameter can be neither misspelt nor given to a
//! scheme that does not have it, and quoting happens in one place, [`Challenge`]'s `Display`. Nothing of a request ever
//! enters a challenge.

use std::fmt::{self, Write};
use std::time::Duration;

/// A challenge of one scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    scheme: &'static str,
    realm: String,
    parameters: Vec<(&'static str, Value)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Quoted(String),
    Token(&'static str),
}

/// An error that a challenge names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// RFC 6750 §3.1: the request, or the credential's grammar, is wrong.
    InvalidRequest,
    /// RFC 6750 §3.1: the token is refused.
    InvalidToken,
    /// RFC 6750 §3.1: the token is good, and does not permit this.
    InsufficientScope,
    /// RFC 9470 §3: the authentication behind the token is too weak, or too long ago.
    InsufficientUserAuthentication,
    /// RFC 9449 §7.1: the proof of possession is wrong.
    InvalidDpopProof,
    /// RFC 9449 §9: the proof lacks the nonce that is asked for.
    UseDpopNonce,
}

impl ErrorCode {
    /// The code as the standards spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
        }
    }
}

/// What the schemes of OAuth say besides the realm; what is none, or empty, is left out.
#[derive(Debug, Clone, Default)]
pub struct OAuth<'a> {
    /// What was wrong with what was presented (RFC 6750 §3).
    pub error: Option<ErrorCode>,
    /// The same for a developer, in `%x20-21 / %x23-5B / %x5D-7E` (RFC 6750 §3).
    pub error_description: Option<&'static str>,
    /// Authentication classes of which one is needed, the preferred first (RFC 9470 §3).
    pub acr_values: Vec<&'a str>,
    /// How long ago the authentication may be (RFC 9470 §3), in whole seconds.
    pub max_age: Option<Duration>,
    /// Scopes to ask for, each a `scope-token` (RFC 6750 §3).
    pub scope: Vec<&'a str>,
    /// Where the metadata of the resource is (RFC 9728 §5.1).
    pub resource_metadata: Option<&'a str>,
}

/// What a Digest challenge says besides the realm (RFC 7616 §3.3).
#[derive(Debug, Clone)]
pub struct Digest<'a> {
    /// The algorithm, as registered: `SHA-256`. One challenge each, the strongest first (RFC 7616 §3.7).
    pub algorithm: &'static str,
    /// The server's nonce.
    pub nonce: &'a str,
    /// What the client returns unchanged.
    pub opaque: &'a str,
    /// Whether only the nonce was wrong, so that nobody need be asked for the password again.
    pub stale: bool,
    /// Whether user names may be hashed (RFC 7616 §3.4.4).
    pub userhash: bool,
}

/// Where an API key is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPlace {
    /// In a header field.
    Header,
    /// In a parameter of the query.
    Query,
    /// In a cookie.
    Cookie,
}

impl Challenge {
    fn new(scheme: &'static str, realm: &str) -> Self {
        Self {
            scheme,
            realm: realm.to_owned(),
            parameters: Vec::new(),
        }
    }

    /// A `Bearer` challenge. RFC 6750 §3 wants at least one parameter; the realm is it.
    pub fn bearer(realm: &str, oauth: &OAuth<'_>) -> Self {
        Self::new("Bearer", realm).oauth(oauth)
    }

    /// A `DPoP` challenge (RFC 9449 §7.1), with the algorithms of proofs.
    pub fn dpop(realm: &str, algorithms: &[&str], oauth: &OAuth<'_>) -> Self {
        Self::new("DPoP", realm)
            .quoted("algs", algorithms.join(" "))
            .oauth(oauth)
    }

    /// A `Basic` challenge; the one charset there is (RFC 7617 §2.1).
    pub fn basic(realm: &str) -> Self {
        Self::new("Basic", realm).quoted("charset", "UTF-8".to_owned())
    }

    /// A `Digest` challenge: `qop` and the nonce are quoted, the algorithm and the flags are not (RFC 7616 §3.3).
    pub fn digest(realm: &str, digest: &Digest<'_>) -> Self {
        let flag = |challenge: Self, name, set| {
            if set {
                challenge.token(name, "true")
            } else {
                challenge
            }
        };
        let challenge = Self::new("Digest", realm)
            .quoted("qop", "auth".to_owned())
            .token("algorithm", digest.algorithm)
            .quoted("nonce", digest.nonce.to_owned())
            .quoted("opaque", digest.opaque.to_owned());
        let challenge = flag(challenge, "stale", digest.stale);
        flag(
            challenge.token("charset", "UTF-8"),
            "userhash",
            digest.userhash,
        )
    }

    /// A challenge for an API key. No scheme is registered for them, and a 401 needs a challenge all the same.
    pub fn api_key(realm: &str, place: KeyPlace, name: &str) -> Self {
        let place = match place {
            KeyPlace::Header => "header",
            KeyPlace::Query => "query",
            KeyPlace::Cookie => "cookie",
        };
        Self::new("ApiKey", realm)
            .quoted("in", place.to_owned())
            .quoted("name", name.to_owned())
    }

    fn oauth(self, oauth: &OAuth<'_>) -> Self {
        let seconds = oauth.max_age.map(|span| span.as_secs().to_string());
        let error = oauth.error.map(|error| error.name().to_owned());
        self.quoted("error", error.unwrap_or_default())
            .quoted(
                "error_description",
                oauth.error_description.unwrap_or_default().to_owned(),
            )
            .quoted("acr_values", oauth.acr_values.join(" "))
            .quoted("max_age", seconds.unwrap_or_default())
            .quoted("scope", oauth.scope.join(" "))
            .quoted(
                "resource_metadata",
                oauth.resource_metadata.unwrap_or_default().to_owned(),
            )
    }

    /// With one more parameter; an empty one says nothing and is left out.
    fn quoted(mut self, name: &'static str, value: String) -> Self {
        if !value.is_empty() {
            self.parameters.push((name, Value::Quoted(value)));
        }
        self
    }

    fn token(mut self, name: &'static str, value: &'static str) -> Self {
        self.parameters.push((name, Value::Token(value)));
        self
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} realm=", self.scheme)?;
        write_quoted(formatter, &self.realm)?;
        for (name, value) in &self.parameters {
            write!(formatter, ", {name}=")?;
            match value {
                Value::Quoted(text) => write_quoted(formatter, text)?,
                Value::Token(token) => formatter.write_str(token)?,
            }
        }
        Ok(())
    }
}

/// `quoted-string` (RFC 9110 §5.6.4): `"` and `\` are escaped, nothing else.
fn write_quoted(formatter: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    formatter.write_char('"')?;
    for character in value.chars() {
        if matches!(character, '"' | '\\') {
            formatter.write_char('\\')?;
        }
        formatter.write_char(character)?;
    }
    formatter.write_char('"')
}

#[cfg(test)]
mod tests;
