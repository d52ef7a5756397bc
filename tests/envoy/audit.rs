//! What an audit line and an access log show of text that a client, or a token, has chosen: in a real Envoy.

mod level;

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use crate::support;
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::http2::{
    END_HEADERS, END_STREAM, HEADERS, begin, block, ends_the_stream, exchange, frame,
};
use crate::support::until;
use crate::support::upstream::Upstream;

const NAME: &str = "audited";

/// Ends a line, clears a screen, writes from right to left, is not seen.
const ODD: &str = "a\u{80}\u{9b}2J\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}\u{200b}z";
const SHOWN: &str = r"a\u0080\u009b2J\u2028\u2029\u202a\u202e\u2066\u2069\u200bz";

fn send(envoy: &Envoy, fields: &[(&str, &str)]) {
    let mut sent = begin();
    sent.extend(frame(HEADERS, END_STREAM | END_HEADERS, 1, &block(fields)));
    exchange(envoy.listener(NAME), &sent, |answer| {
        ends_the_stream(answer).is_some()
    });
}

#[test]
fn what_a_client_chooses_cannot_change_how_a_line_is_shown() {
    let (upstream, key) = (
        Upstream::start(),
        SigningKey::generate(Algorithm::Es256).with_kid(Some("one")),
    );
    let document = json!({
        "audit": {"log": "all"},
        "providers": [{"name": "as", "jwt": {
            "issuer": "https://as", "audiences": ["api"], "jwks": {"inline": {"keys": [key.public_jwk()]}},
        }}],
    });
    let envoy = Envoy::start(Bootstrap::new(upstream.port()).listener(NAME, &document));
    let head = |path: &'static str| {
        [
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", "api"),
            (":path", path),
        ]
    };
    let path: &'static str = format!("/{ODD}").leak();
    send(&envoy, &head(path));

    // A control character is no part of a subject.
    let subject = ODD.replace(['\u{80}', '\u{9b}'], "");
    let claims =
        json!({"iss": "https://as", "aud": "api", "sub": subject, "exp": support::now() + 600});
    let header = json!({"alg": "ES256", "kid": "one"});
    let token = key
        .sign(Algorithm::Es256, &header, claims.to_string().as_bytes())
        .unwrap();
    let authorization = format!("Bearer {token}");
    let credential = [("authorization", authorization.as_str()), ("x-case", "1")];
    send(&envoy, &[&head("/plain")[..], &credential].concat());

    let lines = || -> Vec<String> {
        let log = envoy.log();
        let lines = log.lines().filter(|line| line.contains("{\"event\""));
        lines.map(str::to_owned).collect()
    };
    until("both are logged", || lines().len() == 2);
    let shown_subject = SHOWN.replace(r"\u0080\u009b", "");
    for (line, shown) in lines().iter().zip([SHOWN, &shown_subject]) {
        assert!(line.is_ascii() && line.contains(shown), "{line}");
    }

    let entries = envoy.access_log_of(&["1".to_owned()]);
    assert_eq!(entries["1"]["subject"], Value::from(shown_subject));
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}
