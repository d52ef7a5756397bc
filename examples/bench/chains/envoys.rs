//! Envoy's own filters.

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use crate::credentials::{API_KEY, AUDIENCE, ISSUER, PASSWORD, SCOPE, USER};

const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";

/// `jwt_authn` with the same issuer, audience and keys, and a cache of so many tokens. It forwards the token, as the filter
/// does.
pub fn jwt_authn(jwks: &Value, cache: Option<usize>) -> Value {
    jwt_authn_with(jwks, cache, &["/orders".to_owned()])
}

/// The same, with a rule for each prefix.
pub fn jwt_authn_with(jwks: &Value, cache: Option<usize>, prefixes: &[String]) -> Value {
    let mut provider = json!({
        "issuer": ISSUER, "audiences": [AUDIENCE], "forward": true, "payload_in_metadata": "jwt",
        "local_jwks": {"inline_string": jwks.to_string()}
    });
    if let Some(size) = cache {
        provider["jwt_cache_config"] = json!({"jwt_cache_size": size});
    }
    let rule = |prefix: &String| json!({"match": {"prefix": prefix}, "requires": {"provider_name": "corp"}});
    json!({"name": JWT_AUTHN, "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"corp": provider},
        "rules": prefixes.iter().map(rule).collect::<Vec<_>>()
    }})
}

/// `rbac`, which checks the scope.
pub fn rbac() -> Value {
    rbac_with(&["/orders".to_owned()])
}

/// The same, with a policy for each prefix.
pub fn rbac_with(prefixes: &[String]) -> Value {
    let path = |matcher: Value| json!({"url_path": {"path": matcher}});
    let mut policies = json!({"health": {
        "permissions": [path(json!({"exact": "/healthz"}))],
        "principals": [{"any": true}]
    }});
    for (number, prefix) in prefixes.iter().enumerate() {
        policies[format!("read-{number}")] = json!({
            "permissions": [path(json!({"prefix": prefix}))],
            "principals": [{"metadata": {
                "filter": JWT_AUTHN,
                "path": [{"key": "jwt"}, {"key": "scope"}],
                "value": {"string_match": {"contains": SCOPE}}
            }}]
        });
    }
    json!({"name": "envoy.filters.http.rbac", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
        "rules": {"action": "ALLOW", "policies": policies}
    }})
}

pub fn api_key_auth() -> Value {
    json!({"name": "envoy.filters.http.api_key_auth", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth",
        "credentials": [{"key": API_KEY, "client": "shop"}],
        "key_sources": [{"header": "x-api-key"}]
    }})
}

/// It knows SHA-1 alone.
pub fn basic_auth() -> Value {
    let hash = Base64::encode_string(&Sha1::digest(PASSWORD));
    json!({"name": "envoy.filters.http.basic_auth", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.basic_auth.v3.BasicAuth",
        "users": {"inline_string": format!("{USER}:{{SHA}}{hash}")}
    }})
}
