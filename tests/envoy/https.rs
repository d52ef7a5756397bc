//! Plain HTTP and TLS, told apart by the connection: the filter in a real Envoy that listens to both.

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use crate::support;
use crate::support::client::{self, Request, Response};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::http2::{
    END_HEADERS, END_STREAM, HEADERS, begin, block, ends_the_stream, exchange, frame,
};
use crate::support::tls;
use crate::support::upstream::Upstream;

const PLAIN: &str = "plain";
const TLS: &str = "tls";

fn start(document: &Value, upstream: &Upstream) -> Envoy {
    let bootstrap = Bootstrap::new(upstream.port())
        .listener(PLAIN, document)
        .listener(TLS, document)
        .over_tls(&tls::server());
    Envoy::start(bootstrap)
}

fn ask(envoy: &Envoy, target: &str, headers: &[(&str, &str)]) -> Response {
    client::send(envoy.listener(PLAIN), &request(target, headers)).expect("an answer")
}

fn status_over_tls(envoy: &Envoy, target: &str) -> u16 {
    let answer = client::send_over_tls(envoy.listener(TLS), &request(target, &[]), None);
    answer.expect("an answer").status
}

fn request<'r>(target: &'r str, headers: &'r [(&str, &str)]) -> Request<'r> {
    let mut fields: Vec<(&[u8], &[u8])> = vec![(b"host", b"evil.example")];
    let further = headers.iter();
    fields.extend(further.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    Request {
        method: b"GET",
        target: target.as_bytes(),
        headers: fields,
        body: b"",
    }
}

/// H-35: whatever the credential, byte for byte.
#[test]
fn plain_http_is_refused_and_tls_is_not() {
    let document = json!({
        "https": "require",
        "rules": [{"name": "open", "match": {"paths": ["/open"]}, "allow": "public"}],
    });
    let upstream = Upstream::start();
    let envoy = start(&document, &upstream);
    let told = |headers: &[(&str, &str)]| {
        let response = ask(&envoy, "/open", headers);
        let body: Value = serde_json::from_slice(&response.body).expect("JSON");
        let challenges = response.values("www-authenticate").count();
        (response.status, body["error"].clone(), challenges)
    };
    let refused = (403, json!("https_required"), 0);
    assert_eq!(told(&[]), refused);
    assert_eq!(told(&[("authorization", "Bearer a.b.c")]), refused);
    assert_eq!(told(&[("x-forwarded-proto", "https")]), refused);
    assert_eq!(status_over_tls(&envoy, "/open"), 200);
    assert_eq!(status_over_tls(&envoy, "/closed"), 403);
}

#[test]
fn plain_http_is_sent_to_the_origin_and_nowhere_else() {
    let document = json!({
        "https": "redirect",
        "origin": "https://orders.example.com",
        "default": "public",
    });
    let upstream = Upstream::start();
    let envoy = start(&document, &upstream);
    for (target, location) in [
        ("/a?b=c", "https://orders.example.com/a?b=c"),
        ("/", "https://orders.example.com/"),
        (
            "/a?to=//evil.example/\\<\">",
            "https://orders.example.com/a?to=//evil.example/%5C%3C%22%3E",
        ),
        ("/@evil.example", "https://orders.example.com/@evil.example"),
    ] {
        let response = ask(&envoy, target, &[]);
        let locations: Vec<_> = response.values("location").collect();
        assert_eq!(
            (response.status, locations),
            (308, vec![location.as_bytes()]),
            "{target}"
        );
    }
    assert_eq!(status_over_tls(&envoy, "/a"), 200);
}

/// The content that comes back over HTTP/2 without TLS; the client says which scheme it is.
fn content_over_http2(envoy: &Envoy, scheme: &str, target: &str) -> String {
    let fields = [
        (":method", "GET"),
        (":scheme", scheme),
        (":authority", "api"),
        (":path", target),
    ];
    let mut sent = begin();
    sent.extend(frame(HEADERS, END_STREAM | END_HEADERS, 1, &block(&fields)));
    let answer = exchange(envoy.listener(PLAIN), &sent, |answer| {
        ends_the_stream(answer).is_some()
    });
    let content = ends_the_stream(&answer).expect("an answer");
    String::from_utf8(content).expect("text")
}

#[test]
fn a_condition_sees_the_scheme_of_the_connection() {
    let key = SigningKey::generate(Algorithm::Es256).with_kid(Some("one"));
    let rule = |scheme: &str| {
        json!({
            "name": scheme,
            "match": {"paths": [format!("/{scheme}")]},
            "require": {"cel": format!("request.scheme == '{scheme}'")},
        })
    };
    let document = json!({
        "providers": [{"name": "as", "jwt": {
            "issuer": "https://as",
            "audiences": ["api"],
            "jwks": {"inline": {"keys": [key.public_jwk()]}},
            "from": [{"query": "t"}],
        }}],
        "rules": [rule("https"), rule("http")],
    });
    let claims =
        json!({"iss": "https://as", "aud": "api", "sub": "amy", "exp": support::now() + 600});
    let header = json!({"alg": "ES256", "kid": "one"});
    let token = key
        .sign(Algorithm::Es256, &header, claims.to_string().as_bytes())
        .expect("signed");
    let upstream = Upstream::start();
    let envoy = start(&document, &upstream);
    let [https, http] = ["https", "http"].map(|path| format!("/{path}?t={token}"));
    // An upstream's content is the request; a refusal's names its error.
    let is_refused = |content: String| content.contains("\"forbidden\"");
    for scheme in ["http", "https"] {
        assert!(
            is_refused(content_over_http2(&envoy, scheme, &https)),
            "{scheme}"
        );
        assert!(
            !is_refused(content_over_http2(&envoy, scheme, &http)),
            "{scheme}"
        );
    }
    let forwarded = [("x-forwarded-proto", "https")];
    assert_eq!(ask(&envoy, &https, &forwarded).status, 403);
    assert_eq!(ask(&envoy, &http, &forwarded).status, 200);
    assert_eq!(status_over_tls(&envoy, &https), 200);
    assert_eq!(status_over_tls(&envoy, &http), 403);
}
