//! Random claims and paths: how the filter finds a claim, compared with a plain search:
//! `cargo run --profile fuzz --package countersign-fuzz --bin claims -- SECONDS SEED`.

use std::process::ExitCode;

use countersign_fuzz::claims::check;
use countersign_fuzz::random::Random;
use countersign_fuzz::run;

fn main() -> ExitCode {
    run("claims", |seed| check(&mut Random::new(seed)))
}
