//! Random DPoP proofs: how the filter verifies them, compared with a list of what is wrong with each:
//! `cargo run --profile fuzz --package countersign-fuzz --bin proofs -- SECONDS SEED`.

use std::process::ExitCode;

use countersign_fuzz::proofs::Proofs;
use countersign_fuzz::random::Random;
use countersign_fuzz::run;

fn main() -> ExitCode {
    let proofs = Proofs::new();
    run("proofs", |seed| proofs.check(&mut Random::new(seed)))
}
