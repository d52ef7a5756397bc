//! The text of the current time, printed once a second.

use std::fmt::Write as _;

use super::Timestamp;

/// The text of the last timestamp that was asked for. Timestamps within one second have the same text, so that most
/// requests copy it.
///
/// ```
/// use countersign::time::{Timestamp, TimestampText};
///
/// let mut text = TimestampText::default();
/// assert_eq!(text.of(Timestamp::from_seconds(1_700_000_000)), "2023-11-14T22:13:20Z");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimestampText {
    second: Option<i64>,
    text: String,
}

impl TimestampText {
    /// The timestamp as [`Display`](std::fmt::Display) prints it. Empty after the year 9999, for which RFC 3339 has no form.
    pub fn of(&mut self, timestamp: Timestamp) -> &str {
        let second = timestamp.millis().div_euclid(1000);
        if self.second != Some(second) {
            self.text.clear();
            if write!(self.text, "{timestamp}").is_err() {
                self.text.clear();
            }
            self.second = Some(second);
        }
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_that_of_the_timestamp_whatever_was_printed_before() {
        let mut text = TimestampText::default();
        for millis in [
            0,
            999,
            1000,
            -1,
            0,
            1_700_000_000_999,
            1_700_000_001_000,
            1_700_000_000_000,
            253_402_300_799_999,
        ] {
            let timestamp = Timestamp::from_millis(millis);
            assert_eq!(text.of(timestamp), timestamp.to_string());
        }
        assert_eq!(text.of(Timestamp::from_millis(253_402_300_800_000)), "");
        assert_eq!(text.of(Timestamp::from_millis(i64::MAX)), "");
        assert_eq!(text.of(Timestamp::from_millis(0)), "1970-01-01T00:00:00Z");
    }
}
