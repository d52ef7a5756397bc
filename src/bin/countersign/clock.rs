//! The time that a verb uses: the time of `--now`, which makes a decision reproducible, or the current time.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign::time::Timestamp;

use crate::exit::Failure;

/// The time of `--now`, or the current time.
pub fn time(now: Option<&str>) -> Result<Timestamp, Failure> {
    match now {
        None => Ok(current_time()),
        Some(text) => parse(text).ok_or_else(|| {
            Failure::new(format_args!(
                "`--now`: expected a time such as `2026-03-01T12:00:00Z`, or seconds since 1970, found `{text}`"
            ))
        }),
    }
}

/// The last second of the year 9999: a later time cannot be printed.
const LAST: i64 = 253_402_300_799;

fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds)
            .filter(|seconds| *seconds <= LAST)
            .map(Timestamp::from_seconds);
    }
    humantime::parse_rfc3339_weak(text).ok().map(since_epoch)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the core takes the time as an argument; the command reads the clock here"
)]
fn current_time() -> Timestamp {
    since_epoch(SystemTime::now())
}

/// The timestamp of a time; a time before 1970 becomes 1970.
fn since_epoch(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
