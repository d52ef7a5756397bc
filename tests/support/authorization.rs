//! The servers that `envoy/credentials.yaml` and the pages of `docs/` ask, in one: an authorization server that introspects
//! opaque tokens (RFC 7662) and has the keys of the examples' issuer, and the list of the partners' keys.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::example;
use super::issuer::{Issuer, Page};

/// The issuer of the examples' tokens.
const ISSUER: &str = "https://login.example.com";
/// The client secret of the filter at the authorization server.
pub const GATE_SECRET: &str = "secret-of-the-gate";
/// `gate` with this secret, as a request has it.
const GATE: &str = "Basic Z2F0ZTpzZWNyZXQtb2YtdGhlLWdhdGU=";
/// The header without which the list of keys is not served.
pub const KEYS_AUTHORIZATION: &str = "Bearer reader-of-the-list";
/// A key of the list, which may read orders.
pub const PARTNER_KEY: &str = "acme-7Qm2xV9kLw";
/// The tokens that are active.
const ACTIVE: [&str; 2] = ["t-9f31-alice", "t-9f31-bob"];

/// Starts them on a free port of 127.0.0.1.
pub fn start() -> Issuer {
    start_at(Ipv4Addr::LOCALHOST, 0)
}

/// Starts them at this address.
pub fn start_at(address: Ipv4Addr, port: u16) -> Issuer {
    let server = Issuer::start_at(address, port);
    let introspection = |token| {
        Page::json(&introspected(token)).requiring("authorization", GATE, Page::status(401))
    };
    server.serve("/introspect", introspection("unknown"));
    for token in ACTIVE {
        server.serve(&format!("/introspect {token}"), introspection(token));
    }
    let list = Page::json(&keys());
    let list = list.requiring("authorization", KEYS_AUTHORIZATION, Page::status(401));
    server.serve("/keys", list);
    server.serve("/jwks", Page::json(&example::key_set()));
    let metadata = json!({"issuer": ISSUER, "jwks_uri": format!("{ISSUER}/jwks")});
    server.serve("/.well-known/openid-configuration", Page::json(&metadata));
    server
}

/// What the authorization server says of a token (RFC 7662 §2.2).
pub fn introspected(token: &str) -> Value {
    let active = |subject, scope| json!({"active": true, "sub": subject, "scope": scope});
    match token {
        "t-9f31-alice" => active("alice", "orders:read"),
        "t-9f31-bob" => active("bob", "invoices:read"),
        _ => json!({"active": false}),
    }
}

/// The list of keys, as it is fetched.
fn keys() -> Value {
    let digest = Sha256::digest(PARTNER_KEY);
    let digest: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
    json!({"keys": [{"id": "acme", "sha256": digest, "scopes": ["orders:read"]}]})
}
