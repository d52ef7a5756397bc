//! Random cookies, as upstreams read them after the filter: `cargo run --profile fuzz --package countersign-fuzz --bin cookies -- SECONDS SEED`.

use std::process::ExitCode;

use countersign_fuzz::cookies::{Setup, check};
use countersign_fuzz::random::Random;
use countersign_fuzz::run;

fn main() -> ExitCode {
    let setup = Setup::new();
    run("cookies", |seed| check(&setup, &mut Random::new(seed)))
}
