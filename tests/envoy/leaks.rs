//! A log of Envoy that shows a secret fails the test that started this Envoy.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;

use crate::support::client::{self, Request};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::upstream::Upstream;

/// The logs of an Envoy whose access log shows the result of `format`, after a request with a token, a login and a key.
fn is_accepted_with(format: &str) -> bool {
    let document = json!({"default": "public", "providers": [{"name": "partners", "api_key": {
        "from": [{"header": "x-partner-key"}],
        "keys": [{"id": "acme", "sha256": "5e".repeat(32)}],
    }}]});
    let upstream = Upstream::start();
    let mut bootstrap = Bootstrap::new(upstream.port())
        .listener("api", &document)
        .into_json();
    let listener = &mut bootstrap["static_resources"]["listeners"][0];
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    manager["access_log"][0]["typed_config"]["log_format"]["json_format"]["shown"] = json!(format);
    let envoy = Envoy::start_with(&bootstrap, std::process::Stdio::null());
    let headers: [(&[u8], &[u8]); 5] = [
        (b"host", b"api.example.com"),
        (b"authorization", b"Bearer planted-leak.of-a-token"),
        // `alice:planted-password`
        (
            b"proxy-authorization",
            b"Basic YWxpY2U6cGxhbnRlZC1wYXNzd29yZA==",
        ),
        (b"x-partner-key", b"planted-key"),
        (b"x-shown", b"planted-password"),
    ];
    let request = Request {
        method: b"GET",
        target: b"/orders",
        headers: headers.to_vec(),
        body: b"",
    };
    assert_eq!(
        client::send(envoy.listener("api"), &request)
            .unwrap()
            .status,
        200
    );
    catch_unwind(AssertUnwindSafe(|| drop(envoy))).is_ok()
}

#[test]
fn a_planted_leak_is_found() {
    assert!(is_accepted_with("nothing"));
    for format in [
        "%REQ(AUTHORIZATION)%",
        // Only the beginning of the token.
        "%REQ(AUTHORIZATION):19%",
        // The password, decoded.
        "%REQ(X-SHOWN)%",
        "%REQ(X-PARTNER-KEY)%",
    ] {
        assert!(!is_accepted_with(format), "{format}");
    }
}
