//! What differs between versions of Envoy, printed as `host: NAME = VALUE` for `scripts/test-matrix`.
//!
//! What must be the same with every version is a test elsewhere.

use serde_json::json;

use crate::support;
use crate::support::client::{self, Request};
use crate::support::envoy::{Bootstrap, Envoy, envoy_version};
use crate::support::upstream::Upstream;

/// The part of the log line before and after the algorithms that Envoy verifies.
const SIGNATURES: (&str, &str) = ("countersign: signatures: ", " by the host;");
const LISTENER: &str = "normalising";

fn say(name: &str, value: &str) {
    support::say(&format!("host: {name} = {value}"));
}

#[test]
fn the_host_has_a_version_and_verifies_signatures() {
    let upstream = Upstream::start();
    // A path is ambiguous only if rules differ.
    let document = json!({"rules": [
        {"name": "b", "match": {"paths": ["/b"]}, "respond": {"status": 410}},
        {"name": "open", "allow": "public"},
    ]});
    let bootstrap = Bootstrap::new(upstream.port()).normalising_listener(LISTENER, &document);
    let envoy = Envoy::start(bootstrap);

    say("version", &envoy_version());

    let log = envoy.log();
    let algorithms = log.split_once(SIGNATURES.0).map(|(_, rest)| rest);
    let algorithms = algorithms.and_then(|rest| rest.split_once(SIGNATURES.1));
    let (algorithms, _) = algorithms.expect("a line that says who verifies signatures");
    say("signatures", algorithms);

    let request = Request {
        method: b"GET",
        target: b"/a/..;/b",
        headers: vec![(b"host", b"api")],
        body: b"",
    };
    let response = client::send(envoy.listener(LISTENER), &request).expect("an answer");
    let outcome = match response.status {
        410 => "resolved by Envoy",
        400 => "denied by the filter with 400",
        other => panic!("expected 400 or 410, found {other}"),
    };
    say("parent-with-parameters", outcome);
}
