//! `make bench`: what a request costs with this filter, with Envoy's own filters, with an empty filter and without a filter.
//!
//! `make bench-counts` counts instructions and cache misses in place of time.
#![allow(clippy::restriction, reason = "an example may panic")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

mod bounds;
mod chains;
mod counts;
mod counts_page;
mod credentials;
mod load;
mod report;
mod rounds;
mod server;
mod situations;
mod statistics;
mod sweeps;

#[path = "../../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use credentials::Credentials;
use report::Report;
use rounds::{REQUESTS_OF_ALL_TURNS, Results};
use support::envoy::envoy_version;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Other>,
    /// The rounds of the main measurement
    #[arg(long, default_value_t = 31)]
    rounds: usize,
    /// The rounds of each sweep; with 0, there are no sweeps, and no page is written
    #[arg(long, default_value_t = 3)]
    sweep_rounds: usize,
    /// Succeed also if a bound is missed
    #[arg(long)]
    no_bounds: bool,
}

/// What is measured in place of time.
#[derive(Subcommand)]
enum Other {
    /// Count instructions and cache misses
    Counts(counts::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Other::Counts(arguments)) = &arguments.command {
        return match counts::run(arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(fault) => {
                eprintln!("error: {fault}");
                ExitCode::FAILURE
            }
        };
    }
    // One more, since one token is repeated.
    let tokens = REQUESTS_OF_ALL_TURNS.max(sweeps::REQUESTS_OF_ALL_TURNS) + 1;
    println!("==> signing {tokens} tokens with each key");
    let credentials = Credentials::mint(tokens);
    let mut results = Results::new();
    for round in 1..=arguments.rounds {
        println!("==> round {round} of {}", arguments.rounds);
        rounds::add_round(round, &credentials, &mut results);
    }
    let mut sweeps = match arguments.sweep_rounds {
        0 => Vec::new(),
        _ => sweeps::all(&credentials),
    };
    for sweep in &mut sweeps {
        for round in 1..=arguments.sweep_rounds {
            println!(
                "==> {}: round {round} of {}",
                sweep.name, arguments.sweep_rounds
            );
            sweep.add_round(round);
        }
    }
    let report = Report {
        results: &results,
        rounds: arguments.rounds,
        sweeps: &sweeps,
        sweep_rounds: arguments.sweep_rounds,
        setting: setting(),
    };
    println!("\n{}\n{}", report.bounds(), report.figures());
    if arguments.sweep_rounds > 0 {
        report.write();
    }
    let missed = report.missed();
    for missed in &missed {
        eprintln!("error: {missed}");
    }
    if missed.is_empty() || arguments.no_bounds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The machine and the version of Envoy.
fn setting() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "Envoy {}, {cores} cores of {}",
        envoy_version(),
        cpu.map_or("an unknown kind", |(_, name)| name)
    )
}
