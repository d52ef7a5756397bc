//! `make bench`: what a request costs with this filter, with Envoy's own filters, with an empty filter and without a filter.
//!
//! `make bench-counts` counts instructions and cache misses in place of time.
#![allow(clippy::restriction, reason = "an example may panic")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

mod bounds;
mod chains;
mod credentials;
mod load;
mod report;
mod rounds;
mod server;
mod situations;
mod statistics;

#[path = "../../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;

use bounds::BOUNDS;
use clap::Parser;
use credentials::Credentials;
use report::Report;
use rounds::{REQUESTS_OF_ALL_TURNS, Results};

#[derive(Parser)]
struct Arguments {
    /// The rounds of the main measurement
    #[arg(long, default_value_t = 31)]
    rounds: usize,
    /// Succeed also if a bound is missed
    #[arg(long)]
    no_bounds: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // One more, since one token is repeated.
    let tokens = REQUESTS_OF_ALL_TURNS + 1;
    println!("==> signing {tokens} tokens with each key");
    let credentials = Credentials::mint(tokens);
    let mut results = Results::new();
    for round in 1..=arguments.rounds {
        println!("==> round {round} of {}", arguments.rounds);
        rounds::add_round(round, &credentials, &mut results);
    }
    let report = Report { results: &results };
    println!("\n{}", report.markdown());
    let missed: Vec<String> = BOUNDS
        .iter()
        .filter_map(|bound| bound.missed(&results))
        .collect();
    for missed in &missed {
        eprintln!("error: {missed}");
    }
    if missed.is_empty() || arguments.no_bounds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
