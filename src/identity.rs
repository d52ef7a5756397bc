//! The headers by which the filter tells the upstream who the caller is, and which it strips from requests.

pub mod template;

use serde_json::Value;

use self::template::Template;
use crate::authenticate::Principal;
use crate::authenticate::jose::base64url;
use crate::grammar::folds_to;
use crate::request::FieldNames;

/// The maximum length of a header's value, in bytes. A longer value is omitted, because a part of it could mean
/// something else.
pub const MAX_BYTES: usize = 8 * 1024;

/// The headers by which the filter tells the upstream who the caller is.
#[derive(Debug, Default)]
pub struct Identity {
    /// Header names in lower case, and the templates of their values.
    pub headers: Vec<(String, Template)>,
    /// The header with the verified claims: their JSON in base64url.
    pub payload_header: Option<String>,
    /// The header that marks a request as anonymous.
    pub anonymous_header: Option<String>,
    /// Other headers that are stripped from requests.
    pub remove: FieldNames,
    /// Whether credentials are stripped before the request is forwarded.
    pub strip_credential: bool,
}

impl Identity {
    /// The headers for a caller.
    ///
    /// A header is omitted if its template refers to an absent value, or if its value is longer than [`MAX_BYTES`].
    pub fn of<'i>(&'i self, principal: &Principal, provider: &str) -> Vec<(&'i str, String)> {
        let mut fields =
            Vec::with_capacity(self.headers.len() + usize::from(self.payload_header.is_some()));
        for (name, template) in &self.headers {
            if let Some(value) = template.fill(principal, provider) {
                fields.push((name.as_str(), value));
            }
        }
        if let Some(name) = &self.payload_header {
            let claims = Value::Object(principal.claims().clone()).to_string();
            fields.push((name.as_str(), base64url::encode(claims.as_bytes())));
        }
        fields.retain(|(_, value)| value.len() <= MAX_BYTES);
        fields
    }

    /// The header of an anonymous request.
    pub fn anonymous(&self) -> Option<(&str, String)> {
        let name = self.anonymous_header.as_deref()?;
        Some((name, "true".to_owned()))
    }

    /// Whether an upstream could read a header of that name as one of the identity headers.
    pub fn conflicts_with(&self, name: &[u8]) -> bool {
        self.names().any(|own| folds_to(own.as_bytes(), name))
    }

    /// The headers that are stripped from requests: the identity headers and those of `remove`.
    pub fn protected(&self) -> FieldNames {
        let mut protected = self.remove.clone();
        self.names().for_each(|own| protected.insert(own));
        protected
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let headers = self.headers.iter().map(|(own, _)| own);
        headers
            .chain(&self.payload_header)
            .chain(&self.anonymous_header)
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_identity_header_conflicts() {
        let identity = Identity {
            payload_header: Some("x-auth-subject".to_owned()),
            ..Identity::default()
        };
        assert!(identity.protected().have(b"X_Auth_Subject"));
        for name in [
            "x-auth-subject",
            "X_Auth_Subject",
            "x.auth-subject",
            "X-AUTH_SUBJECT",
        ] {
            assert!(identity.conflicts_with(name.as_bytes()), "{name}");
        }
        for name in ["x-auth-subjec", "x-auth-subjects", "xx-auth-subject", ""] {
            assert!(!identity.conflicts_with(name.as_bytes()), "{name}");
        }
    }
}
