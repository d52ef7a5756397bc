//! The time, and waiting.

use std::thread;
use std::time::{Duration, Instant};

/// Seconds since 1970: tests run at the real time, since Envoy's clock cannot be set.
#[allow(clippy::disallowed_methods)]
pub fn now() -> i64 {
    let since_1970 = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("the clock is after 1970");
    i64::try_from(since_1970.as_secs()).expect("the clock is before the year 292 billion")
}

/// How long anything may take that is waited for. An Envoy compiles the module in the meantime, on a machine that runs other
/// tests too.
const PATIENCE: Duration = Duration::from_secs(60);

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
