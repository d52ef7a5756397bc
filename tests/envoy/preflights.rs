//! What follows the head of a preflight, which passes without a credential: a real Envoy, which speaks HTTP/2 and lets
//! WebSockets through, says whether anything does.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::http2::{
    DATA, END_HEADERS, END_STREAM, HEADERS, begin, block, ends_the_stream, exchange, frame,
};
use crate::support::token::read_key;
use crate::support::upstream::Upstream;

const NAME: &str = "all";

fn start(upstream: &Upstream) -> Envoy {
    let jwks = json!({"inline": {"keys": [read_key("tests/keys/es256.json").public_jwk()]}});
    let jwt = json!({"issuer": "https://as.example.com", "audiences": ["api"], "jwks": jwks});
    let document = json!({"providers": [{"name": "as", "jwt": jwt}]});
    let mut bootstrap = Bootstrap::new(upstream.port())
        .listener(NAME, &document)
        .into_json();
    let manager = &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
        [0]["typed_config"];
    manager["upgrade_configs"] = json!([{"upgrade_type": "websocket"}]);
    Envoy::start_with(&bootstrap, std::process::Stdio::null())
}

/// The status of a preflight over HTTP/2, with content that no field announces or without; the content that came back.
fn preflight_over_http2(server: SocketAddr, content: &[u8]) -> String {
    let head = block(&[
        (":method", "OPTIONS"),
        (":scheme", "http"),
        (":authority", "api.example.com"),
        (":path", "/x"),
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "GET"),
    ]);
    let mut sent = begin();
    if content.is_empty() {
        sent.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1, &head));
    } else {
        sent.extend(frame(HEADERS, END_HEADERS, 1, &head));
        sent.extend(frame(DATA, END_STREAM, 1, content));
    }
    let answer = exchange(server, &sent, |answer| ends_the_stream(answer).is_some());
    let content = ends_the_stream(&answer).expect("a whole answer");
    String::from_utf8_lossy(&content).into_owned()
}

#[test]
fn a_preflight_has_nothing_behind_its_head() {
    let upstream = Upstream::start();
    let envoy = start(&upstream);
    let server = envoy.listener(NAME);

    let error = |content: &str| {
        let body: Value = serde_json::from_str(content).expect("JSON");
        body["error"].as_str().map(str::to_owned)
    };
    assert_eq!(error(&preflight_over_http2(server, b"")), None);
    let refused = preflight_over_http2(server, b"content");
    assert_eq!(error(&refused).as_deref(), Some("unauthorized"));

    let upgrade =
        b"OPTIONS /x HTTP/1.1\r\nhost: api.example.com\r\norigin: https://app.example.com\r\n\
        access-control-request-method: GET\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    let answer = exchange(server, upgrade, |answer| answer.ends_with(b"}"));
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}
