//! The fields that follow a request's content, which a table cannot write: a real Envoy says which of them arrive.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::envoy::{Bootstrap, Envoy, module_path, wasm_filter};
use crate::support::http2::{
    DATA, END_HEADERS, END_STREAM, HEADERS, begin, block, ends_the_stream, exchange, frame,
};
use crate::support::token::read_key;

const GATED: &str = "gated";
const OPEN: &str = "open";
const OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// The SHA-256 of `sk-acme`.
const SHA256: &str = "5f8eee912cd7c0ccb238560e8a22e7f78909e6dac18288188f7f4ea35112700d";

/// What a client says after the content: of itself, of the request, and what is harmless.
const TRAILERS: &[(&str, &str)] = &[
    ("x-auth-subject", "root"),
    ("x_auth_subject", "root"),
    ("x-auth-anonymous", "false"),
    ("x-forwarded-user", "root"),
    ("x-auth-request-email", "root"),
    ("x-http-method-override", "DELETE"),
    ("x-original-url", "/admin"),
    ("script_name", "/open"),
    ("x-forwarded-host", "internal.example.com"),
    ("x-api-version", "2"),
    ("x_api_version", "2"),
    ("tenant", "red"),
    ("authorization", "Bearer a.b.c"),
    ("proxy-authorization", "Basic x"),
    ("x-token", "a.b.c"),
    ("x-api-key", "sk-acme"),
    ("x_api_key", "sk-acme"),
    ("x-checksum", "kept"),
    ("x-auth-subjects", "kept"),
];

/// An upstream of HTTP/1.1 that answers one request, and has what it was sent.
struct Recorder {
    port: u16,
    recording: JoinHandle<String>,
}

impl Recorder {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let recording = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("Envoy connects");
            stream
                .set_read_timeout(Some(Duration::from_secs(10)))
                .expect("a socket has a timeout");
            let mut request = Vec::new();
            let mut bytes = [0; 4096];
            while !ends(&request) {
                match stream.read(&mut bytes) {
                    Ok(length) if length > 0 => request.extend_from_slice(&bytes[..length]),
                    _ => break,
                }
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
            String::from_utf8_lossy(&request).into_owned()
        });
        Self { port, recording }
    }

    /// The trailers of the request.
    fn trailers(self) -> Vec<String> {
        let request = self.recording.join().expect("a request came");
        assert!(ends(request.as_bytes()), "{request:?}");
        let (_, trailers) = request.split_once("\r\n0\r\n").expect("chunks");
        let lines = trailers.trim_end().split("\r\n").map(str::to_owned);
        lines.filter(|line| !line.is_empty()).collect()
    }
}

/// Whether a chunked request is whole (RFC 9112 §7.1).
fn ends(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    text.contains("\r\n0\r\n") && text.ends_with("\r\n\r\n")
}

/// An Envoy that takes trailers and passes them on.
fn start(upstream: u16) -> Envoy {
    let jwks = json!({"inline": {"keys": [read_key("tests/keys/es256.json").public_jwk()]}});
    let from = json!([{"header": "authorization", "scheme": "Bearer"}, {"header": "x-token"}]);
    let jwt = json!({"issuer": "https://as.example.com", "audiences": ["api"], "jwks": jwks, "from": from});
    let document = json!({
        "providers": [{"name": "as", "jwt": jwt}, {"name": "partners", "api_key": {"keys": [{"id": "acme", "sha256": SHA256}]}}],
        "identity": {
            "headers": {"x-auth-subject": "{subject}"},
            "anonymous_header": "x-auth-anonymous",
            "remove": ["x-forwarded-user", "x-auth-request-*"],
        },
        "rules": [
            {"name": "two", "match": {"headers": {"x-api-version": "2", "tenant": "red"}, "hosts": ["*.example.com"]}},
            {"name": "open", "match": {"paths": ["/open"], "methods": ["POST"]}, "allow": "public"},
            {"name": "guarded", "match": {"paths": ["/guarded"]}},
        ],
    });
    let mut bootstrap = Bootstrap::new(upstream)
        .listener_with(GATED, &[wasm_filter(GATED, &module_path(), &document)])
        .listener_with(OPEN, &[])
        .into_json();
    let resources = &mut bootstrap["static_resources"];
    let takes_trailers = json!({"enable_trailers": true});
    resources["clusters"][0]["typed_extension_protocol_options"] = json!({OPTIONS: {
        "@type": format!("type.googleapis.com/{OPTIONS}"),
        "explicit_http_config": {"http_protocol_options": takes_trailers}
    }});
    for listener in resources["listeners"].as_array_mut().expect("a list") {
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["http_protocol_options"] = takes_trailers.clone();
    }
    Envoy::start_with(&bootstrap, std::process::Stdio::null())
}

/// Sends content and what follows it over HTTP/2; the content of the answer.
fn over_http2(server: SocketAddr, path: &str) -> String {
    let head = block(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "api.example.com"),
        (":path", path),
    ]);
    let mut sent = begin();
    sent.extend(frame(HEADERS, END_HEADERS, 1, &head));
    sent.extend(frame(DATA, 0, 1, b"content"));
    sent.extend(frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        1,
        &block(TRAILERS),
    ));
    let answer = exchange(server, &sent, |answer| ends_the_stream(answer).is_some());
    let content = ends_the_stream(&answer).expect("a whole answer");
    String::from_utf8_lossy(&content).into_owned()
}

/// Sends the same over HTTP/1.1, and a chunk that is extended by a credential.
fn over_http1(server: SocketAddr, path: &str) -> String {
    let trailers: String = TRAILERS
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let sent = format!(
        "POST {path} HTTP/1.1\r\nhost: api.example.com\r\ntransfer-encoding: chunked\r\n\r\n\
         7;authorization=\"Bearer a.b.c\"\r\ncontent\r\n0\r\n{trailers}\r\n"
    );
    let is_whole = |answer: &[u8]| answer.ends_with(b"\r\n\r\nhi") || answer.ends_with(b"}");
    let answer = exchange(server, sent.as_bytes(), is_whole);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (_, content) = answer.split_once("\r\n\r\n").expect("an answer");
    content.to_owned()
}

#[test]
fn nobody_tells_in_trailers_who_the_caller_is() {
    for send in [over_http2, over_http1] {
        let arrived = |listener: &str| {
            let upstream = Recorder::start();
            let envoy = start(upstream.port);
            let content = send(envoy.listener(listener), "/open");
            assert_eq!(content, "hi", "{}", envoy.access_log());
            assert!(envoy.alarms().is_empty(), "{:?}", envoy.alarms());
            upstream.trailers()
        };
        let sent: Vec<String> = TRAILERS
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        assert_eq!(arrived(OPEN), sent, "without the filter");
        assert_eq!(
            arrived(GATED),
            ["x-checksum: kept", "x-auth-subjects: kept"]
        );
    }
}

#[test]
fn a_credential_in_trailers_is_none() {
    let upstream = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let envoy = start(upstream.local_addr().expect("an address").port());
    for send in [over_http2, over_http1] {
        let content = send(envoy.listener(GATED), "/guarded");
        let body: Value = serde_json::from_str(&content).expect("JSON");
        assert_eq!(body["error"], "unauthorized");
    }
    assert!(envoy.alarms().is_empty(), "{:?}", envoy.alarms());
}
