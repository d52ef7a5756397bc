//! A challenge: the value of one `WWW-Authenticate` or `Proxy-Authenticate` header (RFC 9110 §11.6.1).
//!
//! ```text
//! challenge   = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
//! auth-param  = token BWS "=" BWS ( token / quoted-string )
//! ```
//!
//! A challenge has its scheme, then `realm`, then the other parameters. No parameter occurs twice, and none is empty. Each
//! value is a quoted-string, except those that Digest defines as tokens.
//!
//! Each scheme has one function, so that a parameter cannot be misspelt or given to a scheme that does not define it.
//! Values are quoted in one place, the `Display` of [`Challenge`]. No byte of a request enters a challenge.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::time::Duration;

use crate::authenticate::KeyPart;

/// A challenge of one scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge<'a> {
    scheme: &'a str,
    realm: &'a str,
    parameters: Vec<(&'static str, Value<'a>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value<'a> {
    Quoted(Cow<'a, str>),
    Token(&'static str),
}

/// The error code of a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// RFC 6750 §3.1: the request or its credential is malformed.
    InvalidRequest,
    /// RFC 6750 §3.1: the token is not valid.
    InvalidToken,
    /// RFC 6750 §3.1: the token is valid, and lacks a scope.
    InsufficientScope,
    /// RFC 9470 §3: the authentication is too weak or too long ago.
    InsufficientUserAuthentication,
    /// RFC 9449 §7.1: the proof of possession is not valid.
    InvalidDpopProof,
    /// RFC 9449 §9: the proof needs a nonce of the server.
    UseDpopNonce,
}

impl ErrorCode {
    /// The code as the RFCs spell it.
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

/// The parameters of the schemes of OAuth, after the realm. A parameter that is none or empty is left out.
#[derive(Debug, Clone, Default)]
pub struct OAuth<'a> {
    /// What is wrong with the credential (RFC 6750 §3).
    pub error: Option<ErrorCode>,
    /// The same in words, for a developer: `%x20-21 / %x23-5B / %x5D-7E` (RFC 6750 §3).
    pub error_description: Option<&'static str>,
    /// The authentication classes of which one is needed, the preferred first (RFC 9470 §3).
    pub acr_values: Vec<&'a str>,
    /// The greatest age of the authentication, sent in whole seconds (RFC 9470 §3).
    pub max_age: Option<Duration>,
    /// The scopes to ask for, each a `scope-token` (RFC 6750 §3).
    pub scope: Vec<&'a str>,
    /// The URL of the metadata of the resource (RFC 9728 §5.1).
    pub resource_metadata: Option<&'a str>,
}

/// The parameters of a Digest challenge, after the realm (RFC 7616 §3.3).
#[derive(Debug, Clone)]
pub struct Digest<'a> {
    /// The registered name of the algorithm: `SHA-256`. Each algorithm has a challenge, the strongest first (RFC 7616 §3.7).
    pub algorithm: &'static str,
    /// The server's nonce.
    pub nonce: &'a str,
    /// A value that the client returns unchanged.
    pub opaque: &'a str,
    /// Whether only the nonce was not valid. The client then repeats the request without asking for the password.
    pub stale: bool,
}

impl<'a> Challenge<'a> {
    fn new(scheme: &'a str, realm: &'a str) -> Self {
        Self {
            scheme,
            realm,
            parameters: Vec::new(),
        }
    }

    /// A `Bearer` challenge, or one of a scheme that the configuration names. RFC 6750 §3 requires at least one
    /// parameter: the realm.
    pub fn bearer(scheme: &'a str, realm: &'a str, oauth: &OAuth<'a>) -> Self {
        Self::new(scheme, realm).oauth(oauth)
    }

    /// A `DPoP` challenge, with the algorithms of proofs (RFC 9449 §7.1).
    pub fn dpop(realm: &'a str, algorithms: &[&str], oauth: &OAuth<'a>) -> Self {
        Self::new("DPoP", realm)
            .quoted("algs", algorithms.join(" "))
            .oauth(oauth)
    }

    /// A `Basic` challenge, with the only charset that RFC 7617 §2.1 defines.
    pub fn basic(realm: &'a str) -> Self {
        Self::new("Basic", realm).quoted("charset", "UTF-8")
    }

    /// A `Digest` challenge. `qop` and the nonce are quoted, the algorithm and the flags are not (RFC 7616 §3.3).
    pub fn digest(realm: &'a str, digest: &Digest<'a>) -> Self {
        let challenge = Self::new("Digest", realm)
            .quoted("qop", "auth")
            .token("algorithm", digest.algorithm)
            .quoted("nonce", digest.nonce)
            .quoted("opaque", digest.opaque);
        match digest.stale {
            true => challenge.token("stale", "true"),
            false => challenge,
        }
        .token("charset", "UTF-8")
    }

    /// A challenge for an API key. No scheme is registered for API keys, but every 401 must have a challenge (RFC 9110
    /// §15.5.2).
    pub fn api_key(realm: &'a str, part: KeyPart, name: &'a str) -> Self {
        let part = match part {
            KeyPart::Header => "header",
            KeyPart::Query => "query",
            KeyPart::Cookie => "cookie",
        };
        Self::new("ApiKey", realm)
            .quoted("in", part)
            .quoted("name", name)
    }

    fn oauth(self, oauth: &OAuth<'a>) -> Self {
        let seconds = oauth.max_age.map(|span| span.as_secs().to_string());
        let description = oauth.error_description;
        self.quoted(
            "error",
            oauth.error.map(ErrorCode::name).unwrap_or_default(),
        )
        .quoted("error_description", description.unwrap_or_default())
        .quoted("acr_values", oauth.acr_values.join(" "))
        .quoted("max_age", seconds.unwrap_or_default())
        .quoted("scope", oauth.scope.join(" "))
        .quoted(
            "resource_metadata",
            oauth.resource_metadata.unwrap_or_default(),
        )
    }

    /// Adds a parameter, unless its value is empty.
    fn quoted(mut self, name: &'static str, value: impl Into<Cow<'a, str>>) -> Self {
        let value = value.into();
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

impl fmt::Display for Challenge<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} realm=", self.scheme)?;
        write_quoted(formatter, self.realm)?;
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

/// Writes a `quoted-string` (RFC 9110 §5.6.4). Only `"` and `\` are escaped.
fn write_quoted(formatter: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    formatter.write_char('"')?;
    let mut rest = value;
    while let Some((plain, special)) = rest
        .find(['"', '\\'])
        .and_then(|at| rest.split_at_checked(at))
    {
        formatter.write_str(plain)?;
        formatter.write_char('\\')?;
        let (character, after) = special.split_at_checked(1).unwrap_or((special, ""));
        formatter.write_str(character)?;
        rest = after;
    }
    formatter.write_str(rest)?;
    formatter.write_char('"')
}

#[cfg(test)]
mod tests;
