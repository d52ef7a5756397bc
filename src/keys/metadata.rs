//! An issuer's metadata: where its keys are (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).
//!
//! ADFS has two issuers, and one metadata document and one key set for both: `issuer` for ID tokens, and
//! `access_token_issuer` for access tokens. A provider has one of them, and accepts the tokens of that one only.

use serde_json::Value;

use super::content::parse_body;
use crate::authenticate::jwt::Issuer;
use crate::url::Url;

/// The number of characters of a text from the metadata that a message shows.
const MAX_SHOWN: usize = 128;

/// Why metadata is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataFault {
    /// It is not a JSON object.
    #[error("the metadata is not a JSON object: check the URL")]
    NotAnObject,
    /// It is a JWK Set (RFC 7517 §5).
    #[error("this is a key set, not metadata: use `remote` in place of `discovery`")]
    IsKeySet,
    /// It is the metadata of another issuer (RFC 8414 §3.3).
    #[error(
        "the metadata is of another issuer: expected `{expected}`, found `{found}`: correct `issuer` or the URL"
    )]
    Issuer {
        /// The configured issuer.
        expected: String,
        /// The start of the issuer in the metadata, escaped; empty if the metadata names none.
        found: String,
    },
    /// It does not say where the keys are.
    #[error(
        "the metadata has no valid `jwks_uri`: expected an absolute `https` or `http` URL; or use `remote`"
    )]
    JwksUri,
}

/// The URL of the keys, from the metadata of `issuer`.
///
/// # Errors
/// [`MetadataFault`].
pub fn jwks_uri(metadata: &[u8], issuer: &Issuer) -> Result<Url, MetadataFault> {
    let Ok(Value::Object(members)) = parse_body(metadata) else {
        return Err(MetadataFault::NotAnObject);
    };
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let named = text("issuer");
    let is_own = |named: Option<&str>| named.is_some_and(|named| issuer.publishes_as(named));
    if !is_own(named) && !is_own(text("access_token_issuer")) {
        if named.is_none() && members.contains_key("keys") {
            return Err(MetadataFault::IsKeySet);
        }
        return Err(MetadataFault::Issuer {
            expected: configured(issuer),
            found: excerpt(named.unwrap_or_default()),
        });
    }
    text("jwks_uri")
        .and_then(Url::parse)
        .ok_or(MetadataFault::JwksUri)
}

/// An issuer as the configuration has it.
fn configured(issuer: &Issuer) -> String {
    match issuer {
        Issuer::Exact(issuer) => issuer.clone(),
        Issuer::PerClaim {
            before,
            claim,
            after,
        } => format!("{before}{{{claim}}}{after}"),
    }
}

/// The start of a text from the metadata, safe for a log line.
fn excerpt(text: &str) -> String {
    let shown = text.chars().take(MAX_SHOWN);
    shown.flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(metadata: Value) -> Result<String, MetadataFault> {
        let issuer = Issuer::Exact("https://a.example".into());
        jwks_uri(metadata.to_string().as_bytes(), &issuer).map(|url| url.to_string())
    }

    #[test]
    fn the_issuer_is_compared_and_the_url_returned() {
        let good =
            json!({"issuer": "https://a.example", "jwks_uri": "https://a.example/jwks", "x": 1});
        assert_eq!(read(good), Ok("https://a.example/jwks".to_owned()));
        let other = json!({"issuer": "https://a.example/", "jwks_uri": "https://a.example/jwks"});
        let fault = MetadataFault::Issuer {
            expected: "https://a.example".to_owned(),
            found: "https://a.example/".to_owned(),
        };
        assert_eq!(read(other), Err(fault));
        let nowhere = json!({"issuer": "https://a.example", "jwks_uri": "/jwks"});
        assert_eq!(read(nowhere), Err(MetadataFault::JwksUri));
        assert_eq!(read(json!([])), Err(MetadataFault::NotAnObject));
    }

    #[test]
    fn a_message_shows_a_bounded_and_escaped_excerpt() {
        let long = "\n".repeat(1_000);
        for (named, found) in [
            (json!(long), "\\n".repeat(MAX_SHOWN)),
            (json!(1), String::new()),
        ] {
            let metadata = json!({"issuer": named, "jwks_uri": "https://a.example/jwks"});
            let Err(MetadataFault::Issuer { found: shown, .. }) = read(metadata) else {
                panic!("{named}")
            };
            assert_eq!(shown, found);
        }
    }

    #[test]
    fn an_issuer_per_claim_publishes_a_template() {
        let entra = Issuer::PerClaim {
            before: "https://login.example/".into(),
            claim: crate::authenticate::jose::claims::ClaimPath::known("tid"),
            after: "/v2.0".into(),
        };
        let metadata = json!({
            "issuer": "https://login.example/{tenantid}/v2.0", "jwks_uri": "https://login.example/keys"
        });
        assert!(jwks_uri(metadata.to_string().as_bytes(), &entra).is_ok());
    }
}
