//! Key sets as issuers spell them: `cargo run --profile fuzz --package countersign-fuzz --bin jwks -- SECONDS SEED`.

use std::process::ExitCode;

use countersign_fuzz::jwks::{Keys, check};
use countersign_fuzz::random::Random;
use countersign_fuzz::run;

fn main() -> ExitCode {
    let keys = Keys::new();
    run("jwks", |seed| check(&keys, &mut Random::new(seed)))
}
