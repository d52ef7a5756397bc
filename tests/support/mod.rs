//! What the tests and the demo share: a real Envoy, an upstream that echoes, a client that sends any bytes, and the
//! tables of `tests/cases/`.

// Each test binary uses its own part of this.
#![allow(dead_code)]

pub mod authorization;
pub mod case;
pub mod certificate;
pub mod challenge;
pub mod client;
pub mod cookbook;
pub mod crd;
pub mod digest;
pub mod document;
pub mod envoy;
pub mod example;
pub mod expression;
pub mod http2;
pub mod issuer;
pub mod leaks;
pub mod migrate;
pub mod nonce;
pub mod possession;
pub mod proof;
pub mod provider;
pub mod ratelimit;
pub mod thumbprint;
pub mod tls;
pub mod token;
pub mod upstream;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

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

/// Prints a line, also when the test passes.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something to become so.
#[allow(clippy::disallowed_methods)]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(
            begun.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}
