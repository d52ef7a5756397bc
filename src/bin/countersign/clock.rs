//! The moment that a verb works at: the clock's, or one that is given, so that a decision can be replayed.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign::time::Timestamp;

use crate::ending::Failure;

/// The moment that `--now` names, or the clock's.
pub fn moment(given: Option<&str>) -> Result<Timestamp, Failure> {
    match given {
        None => Ok(clock()),
        Some(text) => parse(text).ok_or_else(|| {
            Failure::new(format_args!(
                "expected a moment such as `2026-03-01T12:00:00Z`, or seconds since 1970, in `--now`, found `{text}`"
            ))
        }),
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse() {
        return Some(Timestamp::from_seconds(seconds));
    }
    humantime::parse_rfc3339_weak(text).ok().map(since_epoch)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command is the edge of the core: here the time comes in"
)]
fn clock() -> Timestamp {
    since_epoch(SystemTime::now())
}

/// Before 1970 nothing was signed.
fn since_epoch(moment: SystemTime) -> Timestamp {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
