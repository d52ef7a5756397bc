//! What the tests and the demo share: a real Envoy, an upstream that echoes, a client that sends any bytes, and the
//! tables of `tests/cases/`.

// Each test binary uses its own part of this.
#![allow(dead_code)]

pub mod case;
pub mod challenge;
pub mod client;
pub mod cookbook;
pub mod crd;
pub mod envoy;
pub mod example;
pub mod http2;
pub mod issuer;
pub mod provider;
pub mod token;
pub mod upstream;

use std::path::{Path, PathBuf};

/// A file of the repository.
pub fn in_repository(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Seconds since 1970: tests run at the real time, since Envoy's clock cannot be set.
#[allow(clippy::disallowed_methods)]
pub fn now() -> i64 {
    let since_1970 = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("the clock is after 1970");
    i64::try_from(since_1970.as_secs()).expect("the clock is before the year 292 billion")
}
