//! What `countersign migrate` writes never permits what the old filters denied, and its report announces every other status.
//!
//! Each configuration runs in one Envoy twice: behind the old filters, and behind the filter with the configuration that the
//! command wrote. Random requests go to both. The configurations are the examples of `tests/migrate/`, and random ones, which
//! are written to `target/tmp/migrate/`.
//!
//! | variable | effect |
//! |---|---|
//! | `EXAMPLE=istio` | only the examples with this part of a name |
//! | `KIND=gateway` | only random configurations of this kind |
//! | `CONFIGURATIONS=500` | so many random configurations of each kind |
//! | `REQUESTS=20000` | so many requests for each configuration |
//! | `SEED=7` | other requests, and other random configurations |

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;

use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::migrate::compare::{Expected, Listeners, Outcome};
use crate::support::migrate::grammar::{KINDS, example};
use crate::support::migrate::requests::Maker;
use crate::support::migrate::translated::Translated;
use crate::support::migrate::{Example, examples};
use crate::support::say;
use crate::support::upstream::Upstream;

/// How many requests an example gets by default.
const REQUESTS: usize = 200;
/// How many requests a random configuration gets by default.
const FEWER_REQUESTS: usize = 100;
/// How many random configurations there are of each kind by default.
const CONFIGURATIONS: usize = 2;
/// The seed of the first random configuration by default: of each kind, one that permits some requests and denies others.
const FIRST: usize = 10;
/// How many configurations are in one Envoy.
const AT_ONCE: usize = 20;

/// The options with which more is carried over: the user vouches that some spellings are the same.
const ASSUMPTIONS: [&str; 6] = [
    "--assume",
    "trailing-slash",
    "--assume",
    "segments",
    "--assume",
    "hosts",
];

#[test]
fn nothing_is_permitted_that_was_denied_and_every_other_status_is_announced() {
    let (examples, outcomes) = of_examples(&[]);
    assert!(examples.len() >= 12 || std::env::var("EXAMPLE").is_ok());
    assert_without_faults(&examples, &outcomes);
}

#[test]
fn with_assumptions_most_of_what_was_permitted_still_is() {
    let (examples, outcomes) = of_examples(&ASSUMPTIONS);
    assert_without_faults(&examples, &outcomes);
    for (example, outcome) in examples.iter().zip(outcomes) {
        let kept = outcome.both_permitted * 100;
        assert!(outcome.old_permitted > 0, "{}", example.name);
        assert!(
            kept >= outcome.old_permitted * example.kept,
            "{}: {outcome}",
            example.name
        );
    }
}

fn of_examples(options: &[&str]) -> (Vec<Example>, Vec<Outcome>) {
    let selected = std::env::var("EXAMPLE").unwrap_or_default();
    let mut examples = examples();
    examples.retain(|example| example.name.contains(&selected));
    let translated = translate(&examples, options);
    let requests = number("REQUESTS", REQUESTS);
    let outcomes = run(&examples, &translated, requests, !options.is_empty());
    for (example, outcome) in examples.iter().zip(&outcomes) {
        say(&format!(
            "migrate {}: {}: {outcome}",
            options.join(" "),
            example.name
        ));
    }
    (examples, outcomes)
}

fn assert_without_faults(examples: &[Example], outcomes: &[Outcome]) {
    let pairs = examples.iter().zip(outcomes);
    let faults: Vec<String> = pairs
        .flat_map(|(example, outcome)| named(example, outcome))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn random_configurations_permit_no_more_than_before() {
    let (first, count) = (
        number("SEED", FIRST),
        number("CONFIGURATIONS", CONFIGURATIONS),
    );
    let kinds = std::env::var("KIND").unwrap_or_else(|_| KINDS.join(" "));
    // Not a temporary folder: a fault is understood with the configuration.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("migrate");
    fs::create_dir_all(&folder).unwrap();
    let mut faults = Vec::new();
    for kind in kinds.split(' ') {
        for options in [&[][..], &ASSUMPTIONS[..]] {
            let mut total = Outcome::default();
            let seeds: Vec<usize> = (first..first + count).collect();
            for seeds in seeds.chunks(AT_ONCE) {
                let examples = seeds
                    .iter()
                    .map(|seed| example(kind, *seed as u64, &folder));
                let examples: Vec<Example> = examples.collect();
                let translated = translate(&examples, options);
                let requests = number("REQUESTS", FEWER_REQUESTS);
                let outcomes = run(&examples, &translated, requests, !options.is_empty());
                for (example, outcome) in examples.iter().zip(outcomes) {
                    faults.extend(named(example, &outcome));
                    total.add(&outcome);
                }
            }
            let options = options.join(" ");
            say(&format!(
                "migrate {options}: {count} random configurations of {kind}: {total}"
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn a_gate_without_rules_is_found_to_permit_too_much() {
    let examples = examples();
    let open: Vec<Translated> = examples.iter().map(|_| Translated::open()).collect();
    let outcomes = run(&examples, &open, 100, false);
    for (example, outcome) in examples.iter().zip(outcomes) {
        let mut faults = outcome.faults.iter();
        let is_found = faults.any(|fault| fault.starts_with("PERMITTED"));
        assert!(is_found, "{}", example.name);
        assert!(outcome.both_permitted > 0, "{}", example.name);
    }
}

/// What the command writes for each configuration.
fn translate(examples: &[Example], options: &[&str]) -> Vec<Translated> {
    let program = env!("CARGO_BIN_EXE_countersign");
    let examples = examples.iter();
    examples
        .map(|example| Translated::run(program, example, options))
        .collect()
}

/// Sends requests to both listeners of each configuration, in one Envoy.
fn run(
    examples: &[Example],
    translated: &[Translated],
    requests: usize,
    are_spellings_equal: bool,
) -> Vec<Outcome> {
    let upstream = Upstream::start();
    let mut bootstrap = Bootstrap::new(upstream.port()).into_json();
    let pairs = examples.iter().zip(translated);
    let listeners =
        pairs.flat_map(|(example, one)| [example.listener_before(), example.listener_after(one)]);
    bootstrap["static_resources"]["listeners"] = json!(listeners.collect::<Vec<_>>());
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    let seed = number("SEED", 1) as u64;
    let pairs = examples.iter().zip(translated);
    let outcomes = pairs.map(|(example, one)| {
        let before = envoy.listener(&example.old_name());
        let mut listeners = Listeners::new(before, envoy.listener(&example.new_name()));
        let mut maker = Maker::new(&example.requests, seed);
        let requests = std::iter::repeat_with(|| maker.next()).take(requests);
        let expected = Expected {
            translated: one,
            identity: &example.requests.identity,
            are_spellings_equal,
            segments: example.segments(),
        };
        listeners.compare(requests, &expected)
    });
    let outcomes = outcomes.collect();
    assert_eq!(envoy.alarms(), Vec::<String>::new());
    outcomes
}

fn named(example: &Example, outcome: &Outcome) -> Vec<String> {
    let faults = outcome.faults.iter();
    faults
        .map(|fault| format!("{}: {fault}", example.name))
        .collect()
}

fn number(name: &str, default: usize) -> usize {
    let written = std::env::var(name).ok();
    written.map_or(default, |text| text.parse().expect("a number"))
}
