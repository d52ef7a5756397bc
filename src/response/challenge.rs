//! A challenge: the value of one `WWW-Authenticate` field (RFC 9110 §11.6.1).
//!
//! ```text
//! challenge   = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
//! auth-param  = token BWS "=" BWS ( token / quoted-string )
//! ```
//!
//! Written here: the scheme, `realm` first, every value a quoted-string, no parameter twice, no element empty. The
//! builder takes the scheme's parameters as methods, so that a parameter cannot be misspelt, and quotes in one place,
//! [`Challenge`]'s `Display`. Nothing of a request ever enters a challenge.

use std::fmt::{self, Write};

use crate::scheme::Scheme;

/// A challenge of one scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    scheme: Scheme,
    realm: String,
    error: Option<ErrorCode>,
    error_description: Option<&'static str>,
}

/// An error that a challenge names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// RFC 6750 §3.1: the request, or the credential's grammar, is wrong.
    InvalidRequest,
    /// RFC 6750 §3.1: the token is refused.
    InvalidToken,
}

impl ErrorCode {
    /// The code as the standards spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
        }
    }
}

impl Challenge {
    /// A plain challenge. RFC 6750 §3 wants at least one parameter after `Bearer`; `realm` is it.
    pub fn new(scheme: Scheme, realm: &str) -> Self {
        Self {
            scheme,
            realm: realm.to_owned(),
            error: None,
            error_description: None,
        }
    }

    /// Names the error (RFC 6750 §3).
    #[must_use]
    pub fn error(self, error: ErrorCode) -> Self {
        Self {
            error: Some(error),
            ..self
        }
    }

    /// Explains the error to a developer, in `%x20-21 / %x23-5B / %x5D-7E` (RFC 6750 §3).
    #[must_use]
    pub fn error_description(self, description: &'static str) -> Self {
        Self {
            error_description: Some(description),
            ..self
        }
    }

    fn parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let optional = [
            ("error", self.error.map(ErrorCode::name)),
            ("error_description", self.error_description),
        ];
        let optional = optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        std::iter::once(("realm", self.realm.as_str())).chain(optional)
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.scheme)?;
        let mut separator = " ";
        for (name, value) in self.parameters() {
            write!(formatter, "{separator}{name}=")?;
            write_quoted(formatter, value)?;
            separator = ", ";
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

/// Whether a text can stand in a challenge's quoted-string: `%x20-7E`, nothing that a header field cannot carry.
pub fn can_be_quoted(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h_10_only_quotes_and_backslashes_are_escaped() {
        let challenge = Challenge::new(Scheme::Bearer, r#"a"b\c, d"#);
        assert_eq!(challenge.to_string(), r#"Bearer realm="a\"b\\c, d""#);
    }

    #[test]
    fn realm_stands_first_and_parameters_are_separated_by_commas() {
        let challenge = Challenge::new(Scheme::Bearer, "api")
            .error_description("The access token expired")
            .error(ErrorCode::InvalidToken);
        assert_eq!(
            challenge.to_string(),
            r#"Bearer realm="api", error="invalid_token", error_description="The access token expired""#
        );
    }
}
