//! Tokens that a real server binds to a key (RFC 9449) or to a certificate (RFC 8705), and a client that proves possession.
//!
//! Needs Node.js and the packages of `tests/npm` and `tests/clients`; `make test-all` fetches them and runs this.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clients::{address, node, run};
use crate::support::certificate::{Certificate, Names, SERVER, TRUSTED};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::provider::Provider;
use crate::support::tls;
use crate::support::upstream::Upstream;

/// The public origin. Clients connect to a listener as if a load balancer with this name were before it.
const ORIGIN: &str = "https://orders.example.com";
/// The resource whose tokens are JSON Web Tokens.
const JWT: &str = "https://orders.example.com";
/// The resource whose tokens are opaque.
const OPAQUE: &str = "https://opaque.example.com";

/// Accepts the tokens of both resources. `dpop` says how proofs are verified.
fn document(provider: &Provider, dpop: &Value) -> Value {
    let issuer = provider.issuer();
    let metadata = format!("{issuer}/.well-known/openid-configuration");
    json!({
        "realm": "orders",
        "origin": ORIGIN,
        "providers": [
            {"name": "real", "jwt": {
                "issuer": issuer, "audiences": [JWT], "dpop": dpop,
                "jwks": {"discovery": {"uri": metadata, "cluster": "issuer"}},
            }},
            {"name": "opaque", "introspection": {
                "uri": format!("{issuer}/token/introspection"), "cluster": "issuer",
                "client_id": "gate", "client_secret": "a colon: and 100% + more", "audiences": [OPAQUE],
                "dpop": dpop,
            }},
        ],
    })
}

#[test]
fn a_token_that_is_bound_to_a_key_passes_only_with_a_proof() {
    let (upstream, provider) = (Upstream::start(), Provider::start());
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port())
            .concurrency(2)
            .cluster("issuer", &[provider.port()])
            .listener("never", &document(&provider, &json!({})))
            .listener(
                "required",
                &document(&provider, &json!({"nonce": "required"})),
            ),
    );
    let variables = [
        ("ISSUER", &*provider.issuer()),
        ("ORIGIN", ORIGIN),
        ("JWT", JWT),
        ("OPAQUE", OPAQUE),
        ("NEVER", &*address(&envoy, "never")),
        ("REQUIRED", &*address(&envoy, "required")),
    ];
    run(&mut node("dpop.mjs", &variables), &envoy);
}

#[test]
fn a_token_that_is_bound_to_a_certificate_passes_only_over_its_connections() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, certificate: &Certificate| {
        let file = |suffix: &str| folder.path().join(format!("{name}{suffix}.pem"));
        fs::write(file(""), certificate.pem()).unwrap();
        fs::write(file(".key"), certificate.key_pem()).unwrap();
    };
    fs::write(folder.path().join("authority.pem"), TRUSTED.pem()).unwrap();
    write("server", &SERVER);
    for name in ["own", "other"] {
        // Two certificates of one client differ in their keys.
        write(name, &TRUSTED.certificate(&Names::dns("shop.example.com")));
    }
    let upstream = Upstream::start();
    let provider = Provider::start_with(Some(folder.path()));
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port())
            .concurrency(2)
            .cluster("issuer", &[provider.port()])
            .listener("tls", &document(&provider, &json!({})))
            .over_tls(&tls::optional()),
    );
    let folder = folder.path().display().to_string();
    let variables = [
        ("ISSUER", &*provider.issuer()),
        ("ORIGIN", ORIGIN),
        ("JWT", JWT),
        ("OPAQUE", OPAQUE),
        ("ADDRESS", &*address(&envoy, "tls")),
        ("FOLDER", &*folder),
    ];
    run(&mut node("mtls.mjs", &variables), &envoy);
}
