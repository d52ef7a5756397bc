//! Two Envoys with the filter, with a client and a rate limit service that are not written in Rust.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::envoy::Envoy;
use crate::support::example;
use crate::support::gates::{GATES, Gates, connect};
use crate::support::handoff::RATELIMIT;
use crate::support::possession::{PASSWORD, USER, digest_provider, get};
use crate::support::ratelimit::Service;
use crate::support::upstream::Upstream;

const PATH: &str = "/orders/17";

/// The statuses of two requests by `curl --digest` on one connection, after the challenges that it answers.
fn curl(address: SocketAddr) -> Vec<String> {
    let url = format!("http://{address}{PATH}");
    let output = Command::new("curl")
        .args(["--digest", "--user", &format!("{USER}:{PASSWORD}")])
        .args(["--silent", "--write-out", "%{http_code} ", "--output"])
        .args(["/dev/null", &url, "--output", "/dev/null", &url])
        .output()
        .expect("curl runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    printed.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn curl_passes_if_all_of_its_requests_reach_one_envoy() {
    let gates = Gates::start(&[digest_provider(&json!({}))]);
    for balancer in [gates.by_hash(), gates.by_connection()] {
        assert_eq!(curl(balancer.address()), ["200", "200"]);
    }
    assert_eq!(curl(gates.in_turn().address()), ["401", "401"]);
    gates.end_well();
}

#[test]
fn a_rate_limit_service_counts_what_a_caller_sends_through_both_envoys() {
    let (mut service, upstream) = (Service::start(3), Upstream::start());
    let ports = [("upstream", upstream.port()), ("ratelimit", service.port())];
    let start = |_| Envoy::start_with(&example::bootstrap(RATELIMIT, &ports), Stdio::null());
    let envoys = GATES.map(start);
    let mint = example::Mint::new();
    let mut connections = envoys
        .each_ref()
        .map(|envoy| connect(envoy.listener("public")));
    let mut ask = |index: usize, subject: &str| {
        let authorization = format!("Bearer {}", mint.token(&json!({"sub": subject})));
        let request = get("/orders/1", &[("authorization".to_owned(), authorization)]);
        connections[index].ask(&request).unwrap().status
    };
    let alice = [0, 1, 0, 1, 0].map(|index| ask(index, "alice"));
    assert_eq!(alice, [200, 200, 200, 429, 429]);
    assert_eq!([0, 1].map(|index| ask(index, "bob")), [200, 200]);
    let counted = json!({"orders subject=alice": 5, "orders subject=bob": 2});
    assert_eq!(service.counted(), counted);
}
