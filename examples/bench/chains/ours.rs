//! The filter's configurations.

use serde_json::{Value, json};

use crate::credentials::{AUDIENCE, Credentials, ISSUER, PASSWORD, SCOPE, USER, api_key_hash};
use crate::support::envoy::{module_path, wasm_filter};
use crate::support::possession::{ORIGIN, REALM, digest_provider};

/// The bcrypt cost that `countersign hash password` uses.
const COST: u32 = 10;

/// The filter with a document.
pub fn countersign(document: &Value) -> Value {
    wasm_filter("bench", &module_path(), document)
}

/// A public rule, and one that requires a token with a scope. Every other key has its default, except for these.
pub fn document(jwks: &Value, changes: &Value) -> Value {
    let mut document = json!({
        "realm": REALM,
        "origin": ORIGIN,
        "providers": [{"name": "corp", "jwt": {
            "issuer": ISSUER, "audiences": [AUDIENCE], "jwks": {"inline": jwks}
        }}],
        "rules": [
            {"name": "health", "match": {"paths": ["/healthz"]}, "allow": "public"},
            {"name": "read-orders", "match": {"paths": ["/orders/**"], "methods": ["GET"]}, "require": {"scopes": [SCOPE]}}
        ]
    });
    for (key, value) in changes.as_object().into_iter().flatten() {
        document[key] = value.clone();
    }
    document
}

/// The filter state of a typical access log.
pub fn less_state() -> Value {
    json!({"filter_state": ["reason", "subject"]})
}

pub fn api_key() -> Value {
    let key = json!({"id": "shop", "sha256": api_key_hash(), "scopes": [SCOPE]});
    json!({"name": "partners", "api_key": {"keys": [key]}})
}

pub fn basic() -> Value {
    let hash = bcrypt::hash(PASSWORD, COST).expect("bcrypt hashes");
    let user = json!({"name": USER, "password": hash, "scopes": [SCOPE]});
    json!({"name": "ops", "basic": {"users": [user]}})
}

/// The provider accepts the proofs of a whole round.
pub fn dpop(credentials: &Credentials) -> Value {
    credentials.issuer.provider(&json!({"window": "10m"}))
}

pub fn digest() -> Value {
    digest_provider(&json!({"nonce_ttl": "1h"}))
}
