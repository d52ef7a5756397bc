//! What the upstream is told of the caller, and what it must not be told by anyone else.

pub mod template;

use serde_json::Value;

use self::template::Template;
use crate::authenticate::{Principal, base64url};
use crate::request::folds_to;

/// What the upstream is told of the caller.
#[derive(Debug, Default)]
pub struct Identity {
    /// Header fields, names in lower case, and what stands in them.
    pub headers: Vec<(String, Template)>,
    /// The field with the verified claims: base64url of their JSON.
    pub payload_header: Option<String>,
    /// Whether credentials end here.
    pub strip_credential: bool,
}

impl Identity {
    /// The fields that tell who the caller is; one whose template names something absent is left out.
    pub fn of<'i>(&'i self, principal: &Principal, provider: &str) -> Vec<(&'i str, String)> {
        let mut fields = Vec::with_capacity(self.headers.len() + 1);
        for (name, template) in &self.headers {
            if let Some(value) = template.fill(principal, provider) {
                fields.push((name.as_str(), value));
            }
        }
        if let Some(name) = &self.payload_header {
            let claims = Value::Object(principal.claims().clone()).to_string();
            fields.push((name.as_str(), base64url::encode(claims.as_bytes())));
        }
        fields
    }

    /// Whether an upstream could take a field of that name for one of these.
    pub fn is_claimed_by(&self, name: &[u8]) -> bool {
        let names = self.headers.iter().map(|(own, _)| own);
        names
            .chain(&self.payload_header)
            .any(|own| folds_to(own.as_bytes(), name))
    }

    /// Whether there is anything to tell.
    pub fn is_told(&self) -> bool {
        !self.headers.is_empty() || self.payload_header.is_some()
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
