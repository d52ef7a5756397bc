//! What follows the head of a preflight, which passes without a credential: a real Envoy, which speaks HTTP/2 and lets
//! WebSockets through, says whether anything does.

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use support::envoy::{Bootstrap, Envoy};
use support::token::read_key;
use support::upstream::Upstream;

const NAME: &str = "all";
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

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

/// What comes back until `is_enough`, or until nothing more does.
fn exchange(server: SocketAddr, sent: &[u8], is_enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).expect("Envoy listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a socket has a timeout");
    stream.write_all(sent).expect("Envoy reads");
    let mut answer = Vec::new();
    let mut block = [0; 4096];
    while !is_enough(&answer) {
        match stream.read(&mut block) {
            Ok(length) if length > 0 => answer.extend_from_slice(&block[..length]),
            _ => break,
        }
    }
    answer
}

/// A frame of the stream 1, or of the connection (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame");
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags, 0, 0, 0, stream]);
    frame.extend_from_slice(payload);
    frame
}

/// Header fields, literal and not indexed (RFC 7541 §6.2.2).
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).expect("a short text"));
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
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
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend(frame(4, 0, 0, b""));
    if content.is_empty() {
        sent.extend(frame(1, END_HEADERS | END_STREAM, 1, &head));
    } else {
        sent.extend(frame(1, END_HEADERS, 1, &head));
        sent.extend(frame(0, END_STREAM, 1, content));
    }
    let answer = exchange(server, &sent, |answer| ends_the_stream(answer).is_some());
    let content = ends_the_stream(&answer).expect("a whole answer");
    String::from_utf8_lossy(&content).into_owned()
}

/// The content of the stream 1, once it has ended.
fn ends_the_stream(mut answer: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let (head, rest) = answer.split_first_chunk::<9>()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let (payload, rest) = rest.split_at_checked(length)?;
        answer = rest;
        if head[8] == 1 {
            if head[3] == 0 {
                content.extend_from_slice(payload);
            }
            if head[3] <= 1 && head[4] & END_STREAM != 0 {
                return Some(content);
            }
        }
    }
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
