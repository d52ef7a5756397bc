//! The fourth part of `make bench`: the CPU time of Envoy for a path with many readings, compared with a plain path of the
//! same length.
//!
//! The rules are public, so any client can cause this cost. The paths are measured in turns on one Envoy. A figure is the
//! minimum of its turns.
#![allow(clippy::restriction, reason = "an example may panic")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

#[allow(dead_code)]
#[path = "bench/load.rs"]
mod load;
#[path = "../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;

use load::{Load, Requests, request};
use serde_json::json;
use support::envoy::{Bootstrap, Envoy, module_path, wasm_filter};

/// The length of the paths, in bytes.
const LENGTH: usize = 2_000;
/// The text that is repeated to fill each path. The first is plain. The others are the most expensive of many random
/// combinations.
const UNITS: [&str; 10] = [
    "orders/4711/",
    "a;b/",
    "abcd%2f",
    "abcd%252f",
    "a/../",
    "a;b/..//%2f%255c%3b/./",
    "aaaa/aaaa/aaaa/aaaa/;%2f%5c//",
    "a%25252fb;c/..%5c",
    "%61%2e%2f",
    "%3f%3b%2f.",
];
const REQUESTS: usize = 4 * Load::CONNECTIONS;
const TURNS: usize = 25;
/// The most that a path may cost, as a multiple of the plain path.
const BOUND: f64 = 4.0;

fn main() -> ExitCode {
    // Envoy closes a connection after a 400. In shadow mode, the filter evaluates the request and then forwards it.
    let document = json!({
        "mode": "shadow",
        "rules": [
            {"name": "admin", "match": {"paths": ["/admin/**"]}, "respond": {"status": 403}},
            {"name": "public", "match": {"paths": ["/**"]}, "allow": "public"}
        ],
        "audit": {"log": "none"}
    });
    let answer = json!({
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": "ok\n"}}
    });
    let filter = wasm_filter("paths", &module_path(), &document);
    let envoy = Envoy::start(Bootstrap::new(1).routed_listener_with("paths", &[filter], &[answer]));
    let mut load = Load::new(envoy.listener("paths"));
    let arms = UNITS.map(|unit| Requests::new(vec![request(&path_of(unit), &[])], 200));
    let mut least = [f64::INFINITY; UNITS.len()];
    for _ in 0..TURNS {
        for (requests, least) in arms.iter().zip(&mut least) {
            let before = envoy.cpu_nanoseconds();
            load.send(requests, REQUESTS);
            let spent = (envoy.cpu_nanoseconds() - before) as f64 / REQUESTS as f64;
            *least = least.min(spent / 1_000.0);
        }
    }
    println!("| a path of {LENGTH} bytes, filled with | µs | multiple of the plain path |");
    println!("|---|--:|--:|");
    for (unit, spent) in UNITS.iter().zip(least) {
        println!("| `{unit}` | {spent:.0} | {:.2} |", spent / least[0]);
    }
    let most = least.into_iter().fold(0.0, f64::max) / least[0];
    if most > BOUND {
        eprintln!("error: a path costs {most:.2} times the plain path: expected at most {BOUND}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn path_of(unit: &str) -> String {
    let mut path = String::from("/public/");
    while path.len() + unit.len() <= LENGTH {
        path.push_str(unit);
    }
    path.push_str(&"x".repeat(LENGTH - path.len()));
    path
}
