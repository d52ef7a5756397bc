//! Metadata of issuers: `cargo run --profile fuzz --package countersign-fuzz --bin metadata -- SECONDS SEED`.

use std::process::ExitCode;

use countersign_fuzz::metadata::check;
use countersign_fuzz::random::Random;
use countersign_fuzz::run;

fn main() -> ExitCode {
    run("metadata", |seed| check(&mut Random::new(seed)))
}
