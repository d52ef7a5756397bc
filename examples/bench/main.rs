//! `make bench`: what a request costs Envoy's process, with this filter, with Envoy's own, and with none.
//!
//! Each arm is an Envoy of its own with one worker, which answers every request that passes by itself, and is started anew
//! in each round. The arms take short turns, so that what else the machine does falls on all of them; what is compared are
//! the ratios within a round. The figure is CPU time of the whole process, so a busy machine lengthens the run and not the figure.
#![allow(clippy::restriction, reason = "an example may panic")]

mod arms;
mod load;
mod report;

#[path = "../../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;

use arms::{Arm, Tokens};
use load::Load;
use report::{Bound, Comparison, Report};
use support::envoy::Envoy;

/// Requests of one arm at a turn, as many on each connection.
const REQUESTS: usize = 32 * Load::CONNECTIONS;
/// The turns of each arm in a round, one arm after the other.
const TURNS: usize = 4;
/// Requests before those that are counted: by then an Envoy has made its connections, and its caches are full.
const FIRST: usize = 2 * REQUESTS;
/// Every arm is started anew in each: where a process lies in memory makes some ten percent of its cost, and stays with it.
const ROUNDS: usize = 31;
/// Distinct tokens, so that none comes twice to an Envoy.
const TOKENS: usize = FIRST + TURNS * REQUESTS;

/// What is held against what. A bound is the least ratio that is taken.
const COMPARISONS: &[Comparison] = &[
    Comparison::new("jwt_authn, RS256 repeated", "Countersign, RS256 repeated").at_least(1.7),
    Comparison::new(
        "jwt_authn, RS256 never seen",
        "Countersign, RS256 never seen",
    )
    .at_least(0.9),
    Comparison::new(
        "jwt_authn, ES256 never seen",
        "Countersign, ES256 never seen",
    ),
    Comparison::new(
        "jwt_authn with cache, RS256 repeated",
        "Countersign, RS256 repeated",
    ),
    Comparison::new(
        "jwt_authn with cache, and rbac, RS256 repeated",
        "Countersign, RS256 repeated",
    ),
    Comparison::new("jwt_authn, no token", "Countersign, no token"),
];

fn main() -> ExitCode {
    let mut bound = Bound::Held;
    for argument in std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
    {
        if argument == "--no-bounds" {
            bound = Bound::Shown;
        } else {
            eprintln!("error: unknown argument `{argument}`; there is `--no-bounds`");
            return ExitCode::FAILURE;
        }
    }
    println!("==> signing 2 x {TOKENS} tokens");
    let tokens = Tokens::mint(TOKENS);
    let mut rounds: Vec<Vec<f64>> = Vec::new();
    let (mut names, mut machine) = (Vec::new(), String::new());
    for round in 1..=ROUNDS {
        println!(
            "==> round {round} of {ROUNDS}: {TURNS} turns of {REQUESTS} requests an arm, after {FIRST} that are not counted"
        );
        let mut arms: Vec<Arm> = arms::all(&tokens);
        for arm in &mut arms {
            arm.run(FIRST);
        }
        let mut costs = vec![0.0; arms.len()];
        for _ in 0..TURNS {
            for (cost, arm) in costs.iter_mut().zip(&mut arms) {
                *cost += arm.run(REQUESTS) / TURNS as f64;
            }
        }
        rounds.push(costs);
        for arm in &arms {
            arm.assert_what_was_remembered();
        }
        names = arms.iter().map(|arm| arm.name).collect();
        machine = setting(&arms[0].envoy);
    }
    let report = Report {
        names,
        rounds,
        comparisons: COMPARISONS,
        setting: machine,
    };
    println!("\n{}", report.markdown());
    report.write(&support::in_repository("docs"));
    let missed = report.missed();
    for missed in &missed {
        eprintln!("error: {missed}");
    }
    if missed.is_empty() || bound == Bound::Shown {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The machine and the Envoy that this ran on.
fn setting(envoy: &Envoy) -> String {
    let info: serde_json::Value = serde_json::from_str(&envoy.admin("/server_info")).expect("JSON");
    let version = info["version"]
        .as_str()
        .and_then(|text| text.split('/').nth(1));
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "Envoy {}, {cores} cores of {}",
        version.unwrap_or("of an unknown version"),
        cpu.map_or("an unknown kind", |(_, name)| name)
    )
}
