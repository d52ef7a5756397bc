//! A real issuer: discovery, its tokens, its keys changed while traffic flows, itself stopped and started.
//!
//! Needs Node.js and the packages of `tests/npm`; `make test-all` fetches them and runs this.

// Envoy's time is the real one.
#![allow(clippy::disallowed_methods)]

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support;
use crate::support::client::{self, Request};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::provider::Provider;
use crate::support::upstream::Upstream;

const ORDERS: &str = "https://orders.example.com";
/// For an unknown key nothing is fetched sooner than this after the last fetch.
const COOL_DOWN: Duration = Duration::from_secs(30);

fn document(provider: &Provider, refresh: &str) -> Value {
    let metadata = format!("{}/.well-known/openid-configuration", provider.issuer());
    let jwks = json!({"discovery": {"uri": metadata, "cluster": "issuer", "refresh": refresh}});
    let jwt = json!({"issuer": provider.issuer(), "audiences": [ORDERS], "token_type": "at+jwt", "jwks": jwks});
    json!({"providers": [{"name": "real", "jwt": jwt}]})
}

fn ask(envoy: &Envoy, listener: &str, token: &str) -> u16 {
    let authorization = format!("Bearer {token}");
    let request = Request {
        method: b"GET",
        target: b"/",
        headers: vec![
            (b"host", b"api.example.com"),
            (b"authorization", authorization.as_bytes()),
        ],
        body: b"",
    };
    client::send(envoy.listener(listener), &request)
        .unwrap()
        .status
}

#[test]
fn a_real_issuer_is_discovered_and_followed() {
    let (upstream, mut provider) = (Upstream::start(), Provider::start());
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port())
            .cluster("issuer", &[provider.port()])
            .concurrency(2)
            .listener("often", &document(&provider, "500ms"))
            .listener("rarely", &document(&provider, "10m")),
    );
    let first = provider.token(ORDERS);
    assert_eq!(ask(&envoy, "often", &first), 200);
    assert_eq!(ask(&envoy, "rarely", &first), 200);
    let fetched = Instant::now();
    assert_eq!(
        ask(
            &envoy,
            "often",
            &provider.token("https://other.example.com")
        ),
        401
    );

    // A new key is published, then used, then the old one is withdrawn: each of these tokens is new.
    let steps: [&[&str]; 3] = [
        &["rs256-1", "es256-2"],
        &["es256-2", "rs256-1"],
        &["es256-2"],
    ];
    let (mut asked, mut wrong) = (0, 0);
    for keys in steps {
        provider.keys(keys);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2) {
            asked += 1;
            if ask(&envoy, "often", &provider.token(ORDERS)) != 200 {
                wrong += 1;
            }
        }
    }
    support::say(&format!(
        "published before use: {asked} requests, {wrong} wrong answers"
    ));
    assert!(asked > 60);
    assert_eq!(wrong, 0);
    assert_eq!(ask(&envoy, "often", &first), 401, "its key is withdrawn");

    // A key that is used at once is refused for what is left of the cool-down, and then known.
    provider.keys(&["ed25519-3"]);
    let third = provider.token(ORDERS);
    let (mut asked, mut refused) = (0, 0);
    loop {
        asked += 1;
        assert!(fetched.elapsed() < COOL_DOWN + Duration::from_secs(5));
        match ask(&envoy, "rarely", &third) {
            200 => break,
            401 => refused += 1,
            other => panic!("{other}"),
        }
        sleep(Duration::from_millis(100));
    }
    support::say(&format!(
        "used at once: {refused} of {asked} refused, known {:?} after the first fetch",
        fetched.elapsed()
    ));
    assert!(refused > 0, "nobody asked within the cool-down");
    // The other worker looks ten times a second.
    sleep(Duration::from_millis(300));
    for _ in 0..10 {
        assert_eq!(ask(&envoy, "rarely", &third), 200);
        assert_eq!(ask(&envoy, "rarely", &first), 401, "its key is withdrawn");
    }

    // Without the issuer, what is known goes on.
    let known = provider.token(ORDERS);
    provider.stop();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        assert_eq!(ask(&envoy, "often", &known), 200);
        assert_eq!(ask(&envoy, "rarely", &known), 200);
    }
    provider.start_again();
    provider.keys(&["rs256-4"]);
    let fourth = provider.token(ORDERS);
    let begun = Instant::now();
    while ask(&envoy, "often", &fourth) != 200 {
        assert!(begun.elapsed() < Duration::from_secs(15), "it is back");
        sleep(Duration::from_millis(50));
    }
    support::say(&format!(
        "back after a stop: known {:?} later",
        begun.elapsed()
    ));
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}
