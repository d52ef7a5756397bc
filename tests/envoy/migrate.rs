//! What `countersign migrate` writes never permits what the old filters denied, and its report announces every other status.
//!
//! Each example of `tests/migrate/` runs in one Envoy twice: behind the old filters, and behind the filter with the
//! configuration that the command wrote. Random requests go to both. `REQUESTS=20000` and `SEED=7` change how many, and
//! which; `EXAMPLE=istio` selects examples by a part of their names.

use std::process::Stdio;

use serde_json::json;

use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::migrate::compare::Listeners;
use crate::support::migrate::requests::Maker;
use crate::support::migrate::translated::Translated;
use crate::support::migrate::{Example, examples};
use crate::support::say;
use crate::support::upstream::Upstream;

/// How many requests an example gets by default.
const REQUESTS: usize = 200;

/// At least so many of a hundred requests that the old filters permitted are still permitted.
const KEPT: usize = 50;

#[test]
fn nothing_is_permitted_that_was_denied_and_every_other_status_is_announced() {
    let selected = std::env::var("EXAMPLE").unwrap_or_default();
    let mut examples = examples();
    assert!(examples.len() >= 12);
    examples.retain(|example| example.name.contains(&selected));
    compare(&examples, &[]);
}

#[test]
fn a_gate_without_rules_is_found_to_permit_too_much() {
    let examples = examples();
    let upstream = Upstream::start();
    let mut bootstrap = Bootstrap::new(upstream.port()).into_json();
    let open = Translated::open();
    let listeners = examples
        .iter()
        .flat_map(|example| [example.listener_before(), example.listener_after(&open)]);
    bootstrap["static_resources"]["listeners"] = json!(listeners.collect::<Vec<_>>());
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    for example in &examples {
        let old = envoy.listener(&example.old_name());
        let mut listeners = Listeners::new(old, envoy.listener(&example.new_name()));
        let mut maker = Maker::new(&example.requests, 1);
        let requests = std::iter::repeat_with(|| maker.next()).take(100);
        let outcome = listeners.compare(requests, &open);
        say(&format!("migrate: {}: {outcome}", example.name));
        let mut faults = outcome.faults.iter();
        let is_found = faults.any(|fault| fault.starts_with("PERMITTED"));
        assert!(is_found, "{}", example.name);
        assert!(outcome.both_permitted > 0, "{}", example.name);
    }
}

fn compare(examples: &[Example], options: &[&str]) {
    let program = env!("CARGO_BIN_EXE_countersign");
    let translated = examples
        .iter()
        .map(|example| Translated::run(program, example, options));
    let translated: Vec<Translated> = translated.collect();
    let upstream = Upstream::start();
    let mut bootstrap = Bootstrap::new(upstream.port()).into_json();
    let pairs = examples.iter().zip(&translated);
    let listeners =
        pairs.flat_map(|(example, one)| [example.listener_before(), example.listener_after(one)]);
    bootstrap["static_resources"]["listeners"] = json!(listeners.collect::<Vec<_>>());
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    let (count, seed) = (number("REQUESTS", REQUESTS), number("SEED", 1));
    let mut faults = Vec::new();
    for (example, one) in examples.iter().zip(&translated) {
        let old = envoy.listener(&example.old_name());
        let mut listeners = Listeners::new(old, envoy.listener(&example.new_name()));
        let mut maker = Maker::new(&example.requests, seed as u64);
        let requests = std::iter::repeat_with(|| maker.next()).take(count);
        let outcome = listeners.compare(requests, one);
        say(&format!("migrate: {}: {outcome}", example.name));
        let kept = outcome.both_permitted * 100;
        if outcome.old_permitted == 0 || kept < outcome.old_permitted * KEPT {
            let lost = one.lost();
            faults.push(format!(
                "{}: too little is permitted ({lost} constructs are lost)",
                example.name
            ));
        }
        let named = outcome.faults.iter();
        faults.extend(named.map(|fault| format!("{}: {fault}", example.name)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

fn number(name: &str, default: usize) -> usize {
    let written = std::env::var(name).ok();
    written.map_or(default, |text| text.parse().expect("a number"))
}
