//! Conditions in CEL, beyond what tables show: what is counted and logged of those that fail.

// Envoy's time is the real one.
#![allow(clippy::disallowed_methods)]

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::json;

use crate::support;
use crate::support::client::{self, Request};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::until;
use crate::support::upstream::Upstream;

const ISSUER: &str = "https://login.example.com";

/// A claim's value, and a header field's, that no log may show.
const SECRETS: [&str; 2] = ["secret-of-a-claim", "secret-of-a-field"];

#[test]
fn failed_conditions_are_counted_and_their_values_logged_nowhere() {
    let (upstream, key) = (Upstream::start(), SigningKey::generate(Algorithm::Es256));
    let document = json!({
        "providers": [{"name": "corp", "jwt": {
            "issuer": ISSUER, "audiences": ["orders"],
            "jwks": {"inline": {"keys": [key.public_jwk()]}},
        }}],
        "rules": [
            {"name": "false", "match": {"paths": ["/false"]},
                "require": {"cel": "claims.note == request.headers['x-key']"}},
            {"name": "fails", "match": {"paths": ["/fails"]},
                "require": {"cel": "claims.note < 3 || request.headers['x-key'] < 3"}},
            {"name": "branch", "match": {"paths": ["/branch"]},
                "require": {"any_of": [{"cel": "claims.note < 3"}, {"cel": "claims.missing"}, {"cel": "true"}]}},
        ],
    });
    let claims = json!({
        "iss": ISSUER, "aud": "orders", "exp": support::now() + 600, "note": SECRETS[0],
    });
    let algorithm = key.algorithm().unwrap();
    let header = json!({"alg": algorithm.name(), "kid": key.kid()});
    let token = key
        .sign(algorithm, &header, claims.to_string().as_bytes())
        .unwrap();
    let envoy = Envoy::start(Bootstrap::new(upstream.port()).listener("cel", &document));

    for (target, status, failed) in [("/false", 403, 0), ("/fails", 403, 1), ("/branch", 200, 3)] {
        let authorization = format!("Bearer {token}");
        let request = Request {
            method: b"GET",
            target: target.as_bytes(),
            headers: vec![
                (b"host", b"api.example.com"),
                (b"x-case", target.as_bytes()),
                (b"authorization", authorization.as_bytes()),
                (b"x-key", SECRETS[1].as_bytes()),
            ],
            body: b"",
        };
        let response = client::send(envoy.listener("cel"), &request).unwrap();
        assert_eq!(response.status, status, "{target}");
        until(target, || envoy.counted("cel.failed") == failed);
    }
    let log = envoy.log();
    for reason in ["\"reason\":\"cel_false\"", "\"reason\":\"cel_failed\""] {
        assert!(log.contains(reason), "{log}");
    }
    for secret in SECRETS {
        assert!(!log.contains(secret), "{log}");
    }
}
