//! A real authorization server with opaque tokens: npm's `oidc-provider`, and curl as the client that gets them.
//!
//! Needs Node.js and the packages of `tests/npm`; `make test-all` fetches them and runs this.

// Envoy's time is the real one.
#![allow(clippy::disallowed_methods)]

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support;
use crate::support::client::{self, Request, Response};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::provider::Provider;
use crate::support::until;
use crate::support::upstream::Upstream;

const ORDERS: &str = "https://orders.example.com";
/// The resource whose tokens are opaque.
const OPAQUE: &str = "https://opaque.example.com";
const CACHE: Duration = Duration::from_secs(2);

fn document(provider: &Provider) -> Value {
    let metadata = format!("{}/.well-known/openid-configuration", provider.issuer());
    json!({
        "providers": [
            {"name": "real", "jwt": {
                "issuer": provider.issuer(), "audiences": [ORDERS],
                "jwks": {"discovery": {"uri": metadata, "cluster": "issuer"}},
            }},
            {"name": "opaque", "introspection": {
                "uri": format!("{}/token/introspection", provider.issuer()), "cluster": "issuer",
                "client_id": "gate", "client_secret": "a colon: and 100% + more", "audiences": [OPAQUE],
                "cache": "2s",
            }},
        ],
        "rules": [
            {"name": "write", "match": {"paths": ["/write"]}, "require": {"scopes": ["write"]}},
            {"name": "all", "match": {"paths": ["/**"]}, "require": {"scopes": ["read"]}},
        ],
        "identity": {"headers": {"x-auth-provider": "{provider}"}},
    })
}

/// What curl receives for a form with the client's secret.
fn curl(provider: &Provider, path: &str, fields: &[&str]) -> String {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail-with-body"]);
    let client = ["client_id=tests", "client_secret=known to everybody"];
    for field in client.iter().chain(fields) {
        curl.args(["--data-urlencode", field]);
    }
    let out = curl.arg(format!("{}{path}", provider.issuer())).output();
    let out = out.expect("curl runs");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{path}: {text}");
    text
}

fn token(provider: &Provider, resource: &str) -> String {
    let resource = format!("resource={resource}");
    let fields = ["grant_type=client_credentials", "scope=read", &resource];
    let answer: Value = serde_json::from_str(&curl(provider, "/token", &fields)).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

fn ask(envoy: &Envoy, path: &str, token: &str) -> Response {
    let authorization = format!("Bearer {token}");
    let request = Request {
        method: b"GET",
        target: path.as_bytes(),
        headers: vec![
            (b"host", b"api.example.com"),
            (b"authorization", authorization.as_bytes()),
        ],
        body: b"",
    };
    client::send(envoy.listener("api"), &request).unwrap()
}

#[test]
fn opaque_tokens_of_a_real_server_pass_until_they_are_revoked() {
    let (upstream, mut provider) = (Upstream::start(), Provider::start());
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port())
            .cluster("issuer", &[provider.port()])
            .listener("api", &document(&provider)),
    );
    let (opaque, jwt) = (token(&provider, OPAQUE), token(&provider, ORDERS));
    assert!(!opaque.contains('.'), "opaque");
    let passes = |token: &str, by: &str| {
        let response = ask(&envoy, "/x", token);
        assert_eq!(response.status, 200, "{}", envoy.log());
        let seen = String::from_utf8(response.body).unwrap();
        assert!(seen.contains(by), "{seen}");
    };
    passes(&opaque, "opaque");
    passes(&jwt, "real");
    assert_eq!(ask(&envoy, "/write", &opaque).status, 403);
    assert_eq!(ask(&envoy, "/x", "a-token-that-never-existed").status, 401);

    curl(&provider, "/token/revocation", &[&format!("token={opaque}")]);
    let begun = Instant::now();
    until("the revocation is seen", || ask(&envoy, "/x", &opaque).status == 401);
    support::say(&format!("revoked: refused {:?} later", begun.elapsed()));
    assert!(begun.elapsed() < CACHE + Duration::from_secs(2));

    let second = token(&provider, OPAQUE);
    passes(&second, "opaque");
    provider.stop();
    until("the cached answer ends", || ask(&envoy, "/x", &second).status == 503);
    provider.start_again();
    until("the server is back", || ask(&envoy, "/x", &second).status == 200);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}
