//! Timestamps as data. The core reads a clock only through [`Clock`], which its host provides.

mod clock;

mod text;

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use self::clock::{Clock, Now};
pub use self::text::TimestampText;

/// A point in time, in whole milliseconds since 1970-01-01T00:00:00Z. Arithmetic saturates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The timestamp of so many milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The timestamp of so many whole seconds after the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The timestamp of so many seconds after the Unix epoch, rounded to the millisecond. Values out of range saturate.
    pub fn from_fractional_seconds(seconds: f64) -> Self {
        Self((seconds * 1000.0).round() as i64)
    }

    /// The timestamp that a text names in the form of RFC 3339, such as `2027-01-01T00:00:00Z`. None if the text has another
    /// form.
    pub fn parse(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let millis = moment.unix_timestamp_nanos().div_euclid(1_000_000);
        i64::try_from(millis).ok().map(Self)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This timestamp plus a duration.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// The time from an earlier timestamp to this one; zero if the other is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// This timestamp minus a duration.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC, to the second: `2026-03-01T12:00:00Z`. A time before 1970 is printed as the epoch.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since_epoch = Duration::from_millis(u64::try_from(self.0).unwrap_or(0));
        match UNIX_EPOCH.checked_add(since_epoch) {
            Some(moment) => humantime::format_rfc3339_seconds(moment).fmt(formatter),
            None => Err(fmt::Error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc_3339() {
        assert_eq!(
            Timestamp::from_seconds(1_700_000_000).to_string(),
            "2023-11-14T22:13:20Z"
        );
    }

    #[test]
    fn reads_rfc_3339() {
        let seconds = Timestamp::from_seconds(1_700_000_000);
        for text in ["2023-11-14T22:13:20Z", "2023-11-14t23:13:20.0+01:00"] {
            assert_eq!(Timestamp::parse(text), Some(seconds), "{text}");
        }
        let millis = Timestamp::parse("1969-12-31T23:59:59.9995Z");
        assert_eq!(millis, Some(Timestamp::from_millis(-1)));
        for text in [
            "",
            "2023-11-14",
            "2023-11-14T22:13:20",
            "2023-13-14T22:13:20Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn saturates_at_both_ends() {
        assert_eq!(Timestamp::from_fractional_seconds(1e308).millis(), i64::MAX);
        assert_eq!(
            Timestamp::from_fractional_seconds(-1e308).millis(),
            i64::MIN
        );
        assert_eq!(
            Timestamp::from_seconds(i64::MAX)
                .plus(Duration::MAX)
                .millis(),
            i64::MAX
        );
    }
}
