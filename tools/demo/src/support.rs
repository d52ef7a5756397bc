//! The part of `tests/support` that the demo needs. The other part has dependencies that take minutes to build.

// The demo uses a part of each module.
#![allow(dead_code)]

#[path = "../../../tests/support/authorization.rs"]
pub mod authorization;
#[path = "../../../tests/support/certificate.rs"]
pub mod certificate;
#[path = "../../../tests/support/challenge.rs"]
pub mod challenge;
#[path = "../../../tests/support/client.rs"]
pub mod client;
#[path = "../../../tests/support/clock.rs"]
pub mod clock;
#[path = "../../../tests/support/cookbook.rs"]
pub mod cookbook;
#[path = "../../../tests/support/digest.rs"]
pub mod digest;
#[path = "../../../tests/support/envoy.rs"]
pub mod envoy;
#[path = "../../../tests/support/example.rs"]
pub mod example;
#[path = "../../../tests/support/issuer.rs"]
pub mod issuer;
#[path = "../../../tests/support/leaks.rs"]
pub mod leaks;
#[path = "../../../tests/support/nonce.rs"]
pub mod nonce;
#[path = "../../../tests/support/possession.rs"]
pub mod possession;
#[path = "../../../tests/support/proof.rs"]
pub mod proof;
#[path = "../../../tests/support/thumbprint.rs"]
pub mod thumbprint;
#[path = "../../../tests/support/tls.rs"]
pub mod tls;
#[path = "../../../tests/support/token.rs"]
pub mod token;
#[path = "../../../tests/support/upstream.rs"]
pub mod upstream;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub use clock::{now, until};

/// The folder of the repository. Unset, it is the one that this program was built from.
pub static REPOSITORY: OnceLock<PathBuf> = OnceLock::new();

/// A file of the repository.
pub fn in_repository(path: impl AsRef<Path>) -> PathBuf {
    let repository = REPOSITORY.get_or_init(|| {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        repository.expect("this package is in `tools`").to_owned()
    });
    repository.join(path)
}
