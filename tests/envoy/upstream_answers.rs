//! What the upstream answers reaches the client as it is.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::thread;

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::json;

use crate::support;
use crate::support::client::{self, Request, Response};
use crate::support::envoy::{Bootstrap, Envoy};

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

/// The recipe for hiding, whole: what the filter answers is what the upstream answers, the order of fields included.
#[test]
fn a_hidden_path_is_answered_as_the_upstream_answers_what_is_not_there() {
    let key = SigningKey::generate(Algorithm::Es256).with_kid(Some("one"));
    let document = json!({
        "providers": [{"name": "as", "jwt": {
            "issuer": "https://as", "audiences": ["api"], "jwks": {"inline": {"keys": [key.public_jwk()]}},
        }}],
        "rules": [
            {"name": "admin", "match": {"paths": ["/admin/**"]}, "require": {"roles": ["admin"]}, "on_forbidden": "not_found"},
            {"name": "rest"},
        ],
        "responses": {"not_found": {
            "status": 404, "headers": {"content-type": "text/plain", "x-app": "shop"}, "body": "No such page\n",
        }},
    });
    let port = upstream(
        b"HTTP/1.1 404 Not Found\r\nserver: shop\r\ndate: Thu, 26 Nov 2026 07:00:00 GMT\r\ncontent-type: text/plain\r\n\
          x-app: shop\r\ncache-control: no-store\r\ncontent-length: 13\r\n\r\nNo such page\n",
    );
    let mut bootstrap = Bootstrap::new(port)
        .listener("public", &document)
        .into_json();
    let manager = &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
        [0]["typed_config"];
    let filters = manager["http_filters"].as_array_mut().unwrap();
    filters.last_mut().unwrap()["typed_config"]["suppress_envoy_headers"] = json!(true);
    manager["route_config"]["response_headers_to_remove"] = json!(["server", "date"]);
    let envoy = Envoy::start_with(&bootstrap, std::process::Stdio::null());

    let claims =
        json!({"iss": "https://as", "aud": "api", "sub": "amy", "exp": support::now() + 600});
    let header = json!({"alg": "ES256", "kid": "one"});
    let token = key
        .sign(Algorithm::Es256, &header, claims.to_string().as_bytes())
        .unwrap();
    let ask = |target: &str| {
        let authorization = format!("Bearer {token}");
        let request = Request {
            method: b"GET",
            target: target.as_bytes(),
            headers: vec![
                (b"host", b"api.example.com"),
                (b"authorization", authorization.as_bytes()),
            ],
            body: b"",
        };
        let mut response = client::send(envoy.listener("public"), &request).unwrap();
        for (name, value) in &mut response.headers {
            if name == "date" {
                value.clear();
            }
        }
        (response.status, response.headers, response.body)
    };
    let hidden = ask("/admin/users");
    assert_eq!(hidden, ask("/nowhere"));
    assert_eq!(hidden.0, 404);
}
