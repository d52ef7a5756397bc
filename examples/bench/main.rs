//! `make bench`: the CPU time of Envoy for a request, with this filter, with Envoy's own filters, and without a filter.
//!
//! 1. Each arm is a separate Envoy with one worker. Envoy itself responds to every request that its filters forward. Each
//!    round starts a new Envoy for each arm.
//! 2. The arms take short turns, so that other work on the machine affects all of them. The compared ratios are those
//!    within a round.
//! 3. A figure is the CPU time of the whole process. On a busy machine the run takes longer, and the figure stays similar.
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

/// The requests of one arm in a turn; each connection sends the same number.
const REQUESTS: usize = 32 * Load::CONNECTIONS;
/// The turns of each arm in a round; the arms take turns one after the other.
const TURNS: usize = 4;
/// The requests before the measurement. After them, Envoy has its connections, and its caches are full.
const FIRST: usize = 2 * REQUESTS;
/// The rounds. Each round starts new processes, because the memory layout of a process changes its cost by about 10 %.
const ROUNDS: usize = 31;
/// The number of distinct tokens. Each Envoy receives each of them at most once.
const TOKENS: usize = FIRST + TURNS * REQUESTS;

/// The compared arms. A bound is the minimum of the ratio.
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
    Comparison::new("Countersign, DPoP", "Countersign, ES256 repeated"),
    Comparison::new("Countersign, Digest", "Countersign, ES256 repeated"),
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
            eprintln!("error: unknown argument `{argument}`: expected `--no-bounds`");
            return ExitCode::FAILURE;
        }
    }
    println!("==> signing 2 x {TOKENS} tokens");
    let tokens = Tokens::mint(TOKENS);
    let mut rounds: Vec<Vec<f64>> = Vec::new();
    let (mut names, mut machine) = (Vec::new(), String::new());
    for round in 1..=ROUNDS {
        println!(
            "==> round {round} of {ROUNDS}: for each arm, {FIRST} requests to warm up and {TURNS} turns of {REQUESTS} requests"
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

/// The machine and the version of Envoy.
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
