//! Keys that are fetched, in a real Envoy.

mod support;

use std::time::{Duration, Instant};

use countersign::authenticate::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use support::client::{self, Request, Response};
use support::envoy::{Bootstrap, Envoy};
use support::issuer::{Issuer, Page};
use support::upstream::Upstream;

fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Algorithm::Es256).with_kid(Some(kid))
}

fn token(key: &SigningKey) -> String {
    let claims = json!({
        "iss": "https://login.example.com", "aud": "orders", "sub": "amy", "exp": support::now() + 600,
    });
    let algorithm = key.algorithm().unwrap();
    let header = json!({"alg": algorithm.name(), "kid": key.kid()});
    key.sign(algorithm, &header, claims.to_string().as_bytes())
        .unwrap()
}

fn provider(jwks: &Value) -> Value {
    json!({"name": "corp", "jwt": {
        "issuer": "https://login.example.com", "audiences": ["orders"], "jwks": jwks,
    }})
}

fn ask(envoy: &Envoy, listener: &str, token: &str) -> Response {
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
    client::send(envoy.listener(listener), &request).unwrap()
}

#[test]
fn smoke() {
    let (upstream, one) = (Upstream::start(), key("one"));
    let issuer = Issuer::with_keys(&[&one]);
    let remote = json!({"remote": {"uri": issuer.url("/jwks"), "cluster": "issuer"}});
    for concurrency in [1, 2] {
        let begun = Instant::now();
        let envoy = Envoy::start(
            Bootstrap::new(upstream.port())
                .cluster("issuer", &[issuer.port()])
                .concurrency(concurrency)
                .listener("remote", &json!({"providers": [provider(&remote)]})),
        );
        eprintln!("started {:?}", begun.elapsed());
        for _ in 0..40 {
            let t = Instant::now();
            let r = ask(&envoy, "remote", &token(&one));
            eprintln!(
                "{:?} {} {:?} asked {}",
                begun.elapsed(),
                r.status,
                t.elapsed(),
                issuer.asked("/jwks")
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        eprintln!("{}", envoy.log());
        eprintln!("{}", envoy.admin("/stats?filter=countersign"));
    }
    let _ = Page::closed();
}
