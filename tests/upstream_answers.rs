//! What the upstream answers reaches the client as it is.

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::thread;

use serde_json::json;

use support::client::{self, Request, Response};
use support::envoy::{Bootstrap, Envoy};

/// An upstream that answers whoever asks with these bytes.
fn upstream(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines
                .next()
                .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
            {}
            stream.write_all(answer).unwrap();
        }
    });
    port
}

/// What a client gets through a filter that has much to say of its own answers.
fn answer_through_the_filter(answer: &'static [u8]) -> Response {
    let document = json!({
        "origin": "https://api.example.com",
        "default": "public",
        "cors": {"allow_origins": ["https://app.example.com"]},
        "responses": {"login": {"uri": "https://login.example.com/?to={url}"}, "forbidden_challenge": true},
    });
    let envoy = Envoy::start(Bootstrap::new(upstream(answer)).listener("public", &document));
    let request = Request {
        method: b"GET",
        target: b"/",
        headers: vec![
            (b"host", b"api.example.com"),
            (b"authorization", b"Negotiate abc"),
            (b"origin", b"https://app.example.com"),
            (b"sec-fetch-mode", b"navigate"),
        ],
        body: b"",
    };
    let response = client::send(envoy.listener("public"), &request).unwrap();
    assert_eq!(envoy.alarms(), Vec::<String>::new());
    response
}

/// The fields but those of the host.
fn fields(response: &Response) -> Vec<(&str, &[u8])> {
    let of_the_host = [
        "connection",
        "date",
        "server",
        "x-envoy-upstream-service-time",
    ];
    let fields = response.headers.iter();
    fields
        .map(|(name, value)| (name.as_str(), value.as_slice()))
        .filter(|(name, _)| !of_the_host.contains(name))
        .collect()
}

#[test]
fn h_20_the_challenges_of_the_upstream_reach_the_client() {
    let response = answer_through_the_filter(
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nx-a: b\r\n\
          WWW-Authenticate: Basic realm=\"u\"\r\ncontent-length: 2\r\n\r\nno",
    );
    assert_eq!(response.status, 401);
    assert_eq!(response.body, b"no");
    assert_eq!(
        fields(&response),
        [
            ("www-authenticate", &b"Negotiate"[..]),
            ("x-a", b"b"),
            ("www-authenticate", b"Basic realm=\"u\""),
            ("content-length", b"2"),
        ]
    );
}

#[test]
fn h_43_what_the_upstream_says_of_caches_reaches_the_client() {
    let response = answer_through_the_filter(
        b"HTTP/1.1 200 OK\r\ncache-control: public, max-age=60\r\ncontent-length: 0\r\n\r\n",
    );
    assert_eq!(response.status, 200);
    assert_eq!(
        fields(&response),
        [
            ("cache-control", &b"public, max-age=60"[..]),
            ("content-length", b"0"),
        ]
    );
}
