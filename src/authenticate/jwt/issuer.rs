//! The issuer of a provider's tokens (RFC 7519 §4.1.1).

use crate::authenticate::jose::claims::{ClaimPath, Claims};
use crate::authenticate::jose::jwk::Jwk;
use crate::json::Json;

/// The issuer of a provider's tokens. Issuers are compared character by character (RFC 7519 §4.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Issuer {
    /// One issuer.
    Exact(String),
    /// One issuer for each value of a claim, such as Entra's `{tid}`. The value is part of the issuer.
    PerClaim {
        /// The text before the value.
        before: String,
        /// The claim.
        claim: ClaimPath,
        /// The text after the value.
        after: String,
    },
}

impl Issuer {
    /// Whether a token with these claims names this issuer.
    pub(super) fn is_named_by(&self, claims: &Claims<'_>) -> bool {
        let Some(iss) = claims.get("iss").and_then(Json::as_str) else {
            return false;
        };
        match self {
            Self::Exact(issuer) => iss == issuer,
            Self::PerClaim {
                before,
                claim,
                after,
            } => {
                let value = claim.find::<Json<'_>>(claims).and_then(Json::as_str);
                let within = iss
                    .strip_prefix(before.as_str())
                    .and_then(|rest| rest.strip_suffix(after.as_str()));
                within.is_some() && within == value && value.is_some_and(is_one_segment)
            }
        }
    }

    /// Whether metadata of the issuer `issuer` belongs to this issuer. If there is one issuer for each value of a
    /// claim, they share their metadata, which has a placeholder in place of the value.
    pub fn publishes_as(&self, issuer: &str) -> bool {
        match self {
            Self::Exact(own) => own == issuer,
            Self::PerClaim { before, after, .. } => issuer
                .strip_prefix(before.as_str())
                .and_then(|rest| rest.strip_suffix(after.as_str()))
                .is_some_and(|claim| !claim.is_empty() && !claim.contains('/')),
        }
    }

    /// Whether a key can verify a token of this issuer, by the `issuer` of the key.
    pub fn can_use(&self, key: &Jwk) -> bool {
        match self {
            Self::Exact(own) => key.is_of(own),
            // A key with a placeholder serves any value, and a key without one serves one value.
            Self::PerClaim { before, after, .. } => {
                let of_one_value = |issuer: &str| self.publishes_as(issuer);
                key.is_of(&format!("{before}x{after}"))
                    || key.issuer().is_some_and(|own| of_one_value(own.as_str()))
            }
        }
    }

    /// Whether one token could name both issuers.
    pub fn overlaps(&self, other: &Self) -> bool {
        let edges = |issuer: &Self| match issuer {
            Self::Exact(text) => (text.clone(), text.clone()),
            Self::PerClaim { before, after, .. } => (before.clone(), after.clone()),
        };
        match (self, other) {
            (Self::Exact(one), Self::Exact(two)) => one == two,
            _ => {
                let ((before, after), (start, end)) = (edges(self), edges(other));
                (before.starts_with(&start) || start.starts_with(&before))
                    && (after.ends_with(&end) || end.ends_with(&after))
            }
        }
    }
}

/// Whether a claim's value can be one path segment of the issuer. Other values could change the host or the path.
fn is_one_segment(value: &str) -> bool {
    !value.is_empty()
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        && !value.bytes().all(|byte| byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::jose::claims::tests::claims;
    use serde_json::{Value, json};

    #[test]
    fn an_issuer_per_claim_has_the_value_of_the_claim_as_one_segment() {
        let issuer = Issuer::PerClaim {
            before: "https://login.example/".into(),
            claim: ClaimPath::known("tid"),
            after: "/v2.0".into(),
        };
        let named =
            |iss: &str, tid: Value| issuer.is_named_by(&claims(json!({"iss": iss, "tid": tid})));
        assert!(named("https://login.example/a-1/v2.0", json!("a-1")));
        assert!(!named("https://login.example/a/v2.0", json!("b")));
        assert!(!named("https://login.example/a/b/v2.0", json!("a/b")));
        assert!(!named("https://login.example/../v2.0", json!("..")));
        assert!(!named("https://login.example//v2.0", json!("")));
        assert!(!named("https://login.example/1/v2.0", json!(1)));
        assert!(!named("https://login.example/v2.0", json!("")));
    }

    #[test]
    fn issuers_that_one_token_could_name_overlap() {
        let exact = |text: &str| Issuer::Exact(text.into());
        let entra = Issuer::PerClaim {
            before: "https://a/".into(),
            claim: ClaimPath::known("tid"),
            after: "/v2".into(),
        };
        assert!(exact("https://a").overlaps(&exact("https://a")));
        assert!(!exact("https://a").overlaps(&exact("https://a/")));
        assert!(entra.overlaps(&exact("https://a/x/v2")));
        assert!(!entra.overlaps(&exact("https://b/x/v2")));
    }
}
