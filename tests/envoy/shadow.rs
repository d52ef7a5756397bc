//! Shadow mode, beyond what tables show: what is counted and logged of a refusal that is withheld, and that nobody waits.

// Envoy's time is the real one.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use crate::support;
use crate::support::client::{self, Request};
use crate::support::envoy::{Bootstrap, Envoy, no_starts};
use crate::support::issuer::{Issuer, Page};
use crate::support::until;
use crate::support::upstream::Upstream;

const ISSUER: &str = "https://login.example.com";

fn token(key: &SigningKey, expires_in: i64) -> String {
    let claims = json!({
        "iss": ISSUER, "aud": "orders", "sub": "amy", "exp": support::now() + expires_in,
    });
    let algorithm = key.algorithm().unwrap();
    let header = json!({"alg": algorithm.name(), "kid": key.kid()});
    key.sign(algorithm, &header, claims.to_string().as_bytes())
        .unwrap()
}

/// A document in shadow mode, with its keys from there.
fn document(jwks: &Value) -> Value {
    json!({
        "mode": "shadow",
        "providers": [{"name": "corp", "jwt": {"issuer": ISSUER, "audiences": ["orders"], "jwks": jwks}}],
        "rules": [
            {"name": "any", "match": {"paths": ["/any"]}},
            {"name": "write", "match": {"paths": ["/write"]}, "require": {"scopes": ["write"]}},
            {"name": "hidden", "match": {"paths": ["/hidden"]}, "require": {"roles": ["admin"]}, "on_forbidden": "not_found"},
            {"name": "closed", "match": {"paths": ["/closed"]}, "respond": {"status": 410}},
        ],
    })
}

/// Asks as the case of that number; the request must pass.
fn passes(envoy: &Envoy, number: &str, target: &str, token: Option<&str>) {
    let authorization = token.map(|token| format!("Bearer {token}"));
    let mut headers: Vec<(&[u8], &[u8])> = vec![
        (b"host", b"api.example.com"),
        (b"x-case", number.as_bytes()),
    ];
    if let Some(authorization) = &authorization {
        headers.push((b"authorization", authorization.as_bytes()));
    }
    let request = Request {
        method: b"GET",
        target: target.as_bytes(),
        headers,
        body: b"",
    };
    let response = client::send(envoy.listener("shadow"), &request).unwrap();
    assert_eq!(response.status, 200, "{target}");
    assert_eq!(response.values("x-upstream").count(), 1, "{target}");
}

/// The counters of decisions.
fn counters(envoy: &Envoy) -> BTreeMap<String, u64> {
    let mut counters = envoy.metrics();
    counters.retain(|name, value| *value > 0 && (name == "allowed" || name.contains("denied.")));
    counters
}

/// The audit lines in Envoy's log.
fn audit_lines(envoy: &Envoy) -> Vec<Value> {
    let log = envoy.log();
    let lines = log.lines().filter_map(|line| {
        let (start, end) = (line.find("{\"event\"")?, line.rfind('}')?);
        serde_json::from_str(line.get(start..=end)?).ok()
    });
    lines.collect()
}

#[test]
fn what_would_have_been_is_counted_and_logged() {
    let (upstream, key) = (Upstream::start(), SigningKey::generate(Algorithm::Es256));
    let jwks = json!({"inline": {"keys": [key.public_jwk()]}});
    let envoy = Envoy::start(Bootstrap::new(upstream.port()).listener("shadow", &document(&jwks)));
    let (good, expired) = (token(&key, 600), token(&key, -600));

    passes(&envoy, "0", "/any", None);
    passes(&envoy, "1", "/any", Some(&expired));
    passes(&envoy, "2", "/write", Some(&good));
    passes(&envoy, "3", "/hidden", Some(&good));
    passes(&envoy, "4", "/closed", None);
    passes(&envoy, "5", "/any", Some(&good));

    let expected = [
        ("allowed", 1),
        ("shadow_denied.401.invalid_token.token_expired.any.-", 1),
        ("shadow_denied.401.unauthorized.unauthorized.any.-", 1),
        (
            "shadow_denied.403.insufficient_scope.insufficient_scope.write.corp",
            1,
        ),
        ("shadow_denied.404.not_found.role_missing.hidden.corp", 1),
        ("shadow_denied.410.respond.respond.closed.-", 1),
    ];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    let expected = BTreeMap::from(expected);
    until("all is counted", || counters(&envoy) == expected);

    // What an access log shows: the reason, beside a status that is the upstream's.
    let numbers: Vec<String> = (0..6).map(|number| number.to_string()).collect();
    let entries = envoy.access_log_of(&numbers);
    for (number, reason, rule, subject) in [
        ("0", json!("unauthorized"), "any", Value::Null),
        ("1", json!("token_expired"), "any", Value::Null),
        ("2", json!("insufficient_scope"), "write", json!("amy")),
        ("3", json!("role_missing"), "hidden", json!("amy")),
        ("4", json!("respond"), "closed", Value::Null),
        ("5", Value::Null, "any", json!("amy")),
    ] {
        let entry = &entries[number];
        assert_eq!(entry["status"], 200, "{entry}");
        assert_eq!(entry["details"], "via_upstream", "{entry}");
        assert_eq!(entry["reason"], reason, "{entry}");
        assert_eq!(entry["rule"], rule, "{entry}");
        assert_eq!(entry["subject"], subject, "{entry}");
    }

    let lines = audit_lines(&envoy);
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            assert_eq!(line["event"], "shadow_denied");
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            (
                line["status"].as_u64().unwrap(),
                text("error"),
                text("path"),
            )
        })
        .collect();
    let expected = [
        (401, "unauthorized", "/any"),
        (401, "invalid_token", "/any"),
        (403, "insufficient_scope", "/write"),
        (404, "not_found", "/hidden"),
        (410, "respond", "/closed"),
    ];
    let expected =
        expected.map(|(status, error, path)| (status, error.to_owned(), path.to_owned()));
    assert_eq!(told, expected);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

#[test]
fn nobody_waits_for_keys() {
    let (upstream, issuer) = (Upstream::start(), Issuer::start());
    let key = SigningKey::generate(Algorithm::Es256).with_kid(Some("one"));
    issuer.serve("/jwks", Page::silence());
    // In enforce mode a request would wait for most of a minute.
    let jwks =
        json!({"remote": {"uri": issuer.url("/jwks"), "cluster": "issuer", "timeout": "50s"}});
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port())
            .cluster("issuer", &[issuer.port()])
            .listener("shadow", &document(&jwks)),
    );
    let quiet = no_starts();
    let begun = Instant::now();
    passes(&envoy, "0", "/any", Some(&token(&key, 600)));
    let taken = begun.elapsed();
    drop(quiet);
    assert!(taken < Duration::from_secs(10), "{taken:?}");
    let name = "shadow_denied.503.temporarily_unavailable.keys_unavailable.any.-";
    let expected = BTreeMap::from([(name.to_owned(), 1)]);
    until("the denial is counted", || counters(&envoy) == expected);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}
