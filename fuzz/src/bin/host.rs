//! Arbitrary header maps and properties, from a host's bytes to the audit line: `cargo run --profile fuzz --package countersign-fuzz --bin host -- SECONDS SEED`.

use std::process::ExitCode;

use countersign_fuzz::host::{Policies, check};
use countersign_fuzz::random::Random;
use countersign_fuzz::run;

fn main() -> ExitCode {
    let policies = Policies::new();
    run("host", |seed| check(&policies, &mut Random::new(seed)))
}
