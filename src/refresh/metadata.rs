//! An issuer's metadata: where its keys are (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).

use serde_json::Value;

use crate::authenticate::jwt::Issuer;
use crate::json;
use crate::url::Url;

/// Why metadata is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataFault {
    /// It is no JSON object.
    #[error("the metadata is no JSON object")]
    NotAnObject,
    /// It is another issuer's (RFC 8414 §3.3).
    #[error("the metadata names another issuer than the document")]
    Issuer,
    /// It does not say where the keys are.
    #[error("the metadata has no usable `jwks_uri`")]
    JwksUri,
}

/// The address of the keys, from metadata that must be of `issuer`.
///
/// # Errors
/// [`MetadataFault`].
pub fn jwks_uri(metadata: &[u8], issuer: &Issuer) -> Result<Url, MetadataFault> {
    let Ok(Value::Object(members)) = json::parse_strict(metadata) else {
        return Err(MetadataFault::NotAnObject);
    };
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    if !text("issuer").is_some_and(|named| issuer.publishes_as(named)) {
        return Err(MetadataFault::Issuer);
    }
    text("jwks_uri")
        .and_then(Url::parse)
        .ok_or(MetadataFault::JwksUri)
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
    fn the_issuer_is_compared_and_the_address_taken() {
        let good =
            json!({"issuer": "https://a.example", "jwks_uri": "https://a.example/jwks", "x": 1});
        assert_eq!(read(good), Ok("https://a.example/jwks".to_owned()));
        let other = json!({"issuer": "https://a.example/", "jwks_uri": "https://a.example/jwks"});
        assert_eq!(read(other), Err(MetadataFault::Issuer));
        let nowhere = json!({"issuer": "https://a.example", "jwks_uri": "/jwks"});
        assert_eq!(read(nowhere), Err(MetadataFault::JwksUri));
        assert_eq!(read(json!([])), Err(MetadataFault::NotAnObject));
    }

    #[test]
    fn an_issuer_per_claim_publishes_a_template() {
        let entra = Issuer::PerClaim {
            before: "https://login.example/".into(),
            claim: "tid".into(),
            after: "/v2.0".into(),
        };
        let metadata = json!({
            "issuer": "https://login.example/{tenantid}/v2.0", "jwks_uri": "https://login.example/keys"
        });
        assert!(jwks_uri(metadata.to_string().as_bytes(), &entra).is_ok());
    }
}
