//! Random `Basic` credentials: how the filter reads them, compared with a plain reading:
//! `cargo run --profile fuzz --package countersign-fuzz --bin logins -- SECONDS SEED`.

use std::process::ExitCode;

use countersign_fuzz::logins::check;
use countersign_fuzz::random::Random;
use countersign_fuzz::run;

fn main() -> ExitCode {
    run("logins", |seed| check(&mut Random::new(seed)))
}
