//! Random paths, compared with the servers of `upstreams`: `cargo run --profile fuzz --package countersign-fuzz --bin paths -- SECONDS SEED`.

use std::process::ExitCode;

use countersign_fuzz::paths::{Outcome, Policies, check, check_segments, random_path};
use countersign_fuzz::random::Random;
use countersign_fuzz::run;

fn main() -> ExitCode {
    let policies = Policies::new();
    run("paths", |seed| {
        let path = random_path(&mut Random::new(seed));
        check_segments(&policies, &path)?;
        Ok(match check(&policies, &path)? {
            Outcome::Denied => "denied",
            Outcome::Forwarded { is_plain: true } => "forwarded, plain",
            Outcome::Forwarded { is_plain: false } => "forwarded, several readings",
        })
    })
}
