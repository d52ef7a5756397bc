//! The second part of `make bench`: the time to find the rule of a request, by the number of rules.
//!
//! Consecutive requests match different rules, so that the processor's cache is used as in a proxy. A figure is the minimum
//! of several rounds, because other work on the machine only adds to it.
#![allow(clippy::restriction, reason = "an example may panic")]
#![allow(clippy::disallowed_methods)]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use countersign::authenticate::jose::signature::Algorithm;
use countersign::config;
use countersign::mint::SigningKey;
use countersign::plan::Policy;
use countersign::request::RequestView;
use countersign::request::path::Readings;
use serde_json::json;

const COUNTS: [usize; 4] = [10, 100, 1_000, 10_000];
const REQUESTS: usize = 20_000;
const ROUNDS: usize = 25;
/// The most that 1,000 rules may cost, as a multiple of 10 rules.
const BOUND: f64 = 1.5;

fn main() -> ExitCode {
    println!(
        "| rules | parse, ns | search, ns | total, ns | multiple of 10 rules | compilation, ms |"
    );
    println!("|---:|---:|---:|---:|---:|---:|");
    let mut of_ten = 0.0;
    let mut of_a_thousand = 0.0;
    for count in COUNTS {
        let begun = Instant::now();
        let document = document(count);
        let plan = config::load_value(&document)
            .expect("a valid document")
            .plan;
        let compiled = begun.elapsed().as_millis();
        let policy = plan.policy.expect("a policy");
        let targets: Vec<String> = (0..REQUESTS).map(|number| target(number, count)).collect();
        let read = least(&targets, read_only);
        let all = least(&targets, |target| find(&policy, target));
        match count {
            10 => of_ten = all,
            1_000 => of_a_thousand = all,
            _ => {}
        }
        println!(
            "| {count} | {read:.0} | {:.0} | {all:.0} | {:.2} | {compiled} |",
            all - read,
            all / of_ten
        );
    }
    let ratio = of_a_thousand / of_ten;
    if ratio > BOUND {
        eprintln!(
            "error: 1,000 rules cost {ratio:.2} times as much as 10: expected at most {BOUND}"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Typical rules: most match a path only, some also a host or methods.
fn document(count: usize) -> serde_json::Value {
    let rules: Vec<_> = (0..count)
        .map(|number| {
            let name = format!("rule-{number}");
            let path = path(number, "{id}");
            match number % 4 {
                0 => json!({"name": name, "match": {"paths": [path], "hosts": ["api.example.com"]}}),
                1 => json!({"name": name, "match": {"paths": [path], "methods": ["GET", "PUT"]}}),
                _ => json!({"name": name, "match": {"paths": [path]}, "require": {"scopes": ["read"]}}),
            }
        })
        .collect();
    let keys = json!({ "keys": [SigningKey::generate(Algorithm::Es256).public_jwk()] });
    json!({
        "providers": [{"name": "as", "jwt": {
            "issuer": "https://as.example.com", "audiences": ["orders"], "jwks": {"inline": keys}
        }}],
        "rules": rules,
    })
}

fn path(number: usize, id: &str) -> String {
    match number % 3 {
        0 => format!("/api/v1/service-{number}/items/{id}"),
        1 => format!("/team-{number}/{id}/**"),
        _ => format!("/api/{id}/resource-{number}"),
    }
}

/// The target of the request with this number. The requests are spread over all rules.
fn target(number: usize, count: usize) -> String {
    let rule = number.wrapping_mul(7_919) % count;
    path(rule, &number.to_string()).replace("**", "a/b")
}

fn request(target: &str) -> RequestView<'_> {
    RequestView::new(vec![
        (b":method", b"GET"),
        (b":path", target.as_bytes()),
        (b":authority", b"api.example.com"),
    ])
}

fn read_only(target: &str) -> bool {
    let request = request(target);
    black_box(request.host().is_ok()) && Readings::of_target(request.target()).is_ok()
}

fn find(policy: &Policy, target: &str) -> bool {
    let request = request(target);
    let host = request.host().expect("a host");
    let readings = Readings::of_target(request.target()).expect("a path");
    let fit = policy.rule_for(b"GET", &request, &readings, &host);
    fit.is_ok_and(|fit| fit.is_some())
}

/// The time of one target in the fastest round, in nanoseconds.
fn least(targets: &[String], judge: impl Fn(&str) -> bool) -> f64 {
    let rounds = (0..ROUNDS).map(|_| {
        let begun = Instant::now();
        for target in targets {
            assert!(black_box(judge(black_box(target))));
        }
        begun.elapsed().as_nanos() as f64 / targets.len() as f64
    });
    rounds.fold(f64::INFINITY, f64::min)
}
