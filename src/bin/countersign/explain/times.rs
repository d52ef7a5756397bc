//! Times and durations in sentences.

use std::time::Duration;

use countersign::time::Timestamp;
use humantime::format_duration;

/// A time, or its seconds since 1970 if no calendar has it.
pub fn time(time: Timestamp) -> String {
    const LAST: i64 = 253_402_300_799;
    let seconds = time.millis().div_euclid(1000);
    match (0..=LAST).contains(&seconds) {
        true => time.to_string(),
        false => seconds.to_string(),
    }
}

/// A duration by its two largest units.
pub fn lasting(duration: Duration) -> String {
    let text = format_duration(duration).to_string();
    let units = text.split(' ').take(2);
    units.collect::<Vec<_>>().join(" ")
}

/// The time from one moment to another, in whole seconds.
pub fn between(one: Timestamp, other: Timestamp) -> Duration {
    let millis = other.millis().saturating_sub(one.millis());
    Duration::from_secs(u64::try_from(millis).unwrap_or_default() / 1000)
}
