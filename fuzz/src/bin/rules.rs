//! Random rules: the index, compared with a search of one rule after the other:
//! `cargo run --profile fuzz --package countersign-fuzz --bin rules -- SECONDS SEED`.

use std::process::ExitCode;

use countersign_fuzz::random::Random;
use countersign_fuzz::rules::{check, check_covering, random_policy};
use countersign_fuzz::run;

fn main() -> ExitCode {
    run("rules", |seed| {
        let mut random = Random::new(seed);
        let policy = random_policy(&mut random);
        check_covering(&policy, &mut random)?;
        let mut any = false;
        for _ in 0..8 {
            any |= check(&policy, &mut random)?;
        }
        Ok(if any {
            "a rule matches"
        } else {
            "no rule matches"
        })
    })
}
