//! What the upstream is told of the caller, and what it must not be told by anyone else.

pub mod template;

use serde_json::Value;

use self::template::Template;
use crate::authenticate::{Principal, base64url};
use crate::grammar::folds_to;
use crate::request::FieldNames;

/// How many bytes a value may have; a longer one is not told at all, since a part of it would say something else.
pub const MOST_BYTES: usize = 8 * 1024;

/// What the upstream is told of the caller.
#[derive(Debug, Default)]
pub struct Identity {
    /// Header fields, names in lower case, and what stands in them.
    pub headers: Vec<(String, Template)>,
    /// The field with the verified claims: base64url of their JSON.
    pub payload_header: Option<String>,
    /// The field that says of a caller whom nobody asked that they are nobody.
    pub anonymous_header: Option<String>,
    /// Fields that nobody may send either.
    pub remove: FieldNames,
    /// Whether credentials end here.
    pub strip_credential: bool,
}

impl Identity {
    /// The fields that tell who the caller is; one whose template names something absent, or whose value is longer than
    /// [`MOST_BYTES`], is left out.
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
        fields.retain(|(_, value)| value.len() <= MOST_BYTES);
        fields
    }

    /// The field that tells that there is no caller.
    pub fn of_nobody(&self) -> Option<(&str, String)> {
        let name = self.anonymous_header.as_deref()?;
        Some((name, "true".to_owned()))
    }

    /// Whether an upstream could take a field of that name for one of these.
    pub fn is_claimed_by(&self, name: &[u8]) -> bool {
        self.names().any(|own| folds_to(own.as_bytes(), name))
    }

    /// Every field that nobody else may send.
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
    fn every_spelling_that_folds_is_claimed() {
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
            assert!(identity.is_claimed_by(name.as_bytes()), "{name}");
        }
        for name in ["x-auth-subjec", "x-auth-subjects", "xx-auth-subject", ""] {
            assert!(!identity.is_claimed_by(name.as_bytes()), "{name}");
        }
    }
}
