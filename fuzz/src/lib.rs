//! The code that the fuzz targets (`bin/`) and the tests share.

pub mod claims;
pub mod cookies;
pub mod digests;
pub mod host;
pub mod jwks;
pub mod logins;
pub mod metadata;
pub mod paths;
pub mod proofs;
pub mod random;
pub mod rules;
pub mod upstreams;

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Runs a fuzz target. The arguments of the command line are the number of seconds (default 60) and the first seed
/// (default 1).
///
/// `one` runs one round with its seed. It returns the kind of its result, which is counted, or a message if it has
/// found a fault.
#[allow(clippy::disallowed_methods)]
pub fn run(name: &str, mut one: impl FnMut(u64) -> Result<&'static str, String>) -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|text| {
        text.parse::<u64>()
            .unwrap_or_else(|error| panic!("expected a number, found {text:?}: {error}"))
    });
    let seconds = arguments.next().unwrap_or(60);
    let first = arguments.next().unwrap_or(1);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut counts = std::collections::BTreeMap::<&str, u64>::new();
    let mut seed = first;
    while Instant::now() < end {
        for _ in 0..256 {
            let _seed = NamedInPanic(seed);
            match one(seed) {
                Ok(kind) => *counts.entry(kind).or_default() += 1,
                Err(difference) => {
                    eprintln!("{name}, seed {seed}: {difference}");
                    return ExitCode::FAILURE;
                }
            }
            seed += 1;
        }
    }
    let rounds = seed - first;
    println!("{name}: {rounds} rounds in {seconds} s from seed {first}, no difference: {counts:?}");
    ExitCode::SUCCESS
}

/// Prints the seed of a round that panics.
struct NamedInPanic(u64);

impl Drop for NamedInPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed of the round is {}", self.0);
        }
    }
}
