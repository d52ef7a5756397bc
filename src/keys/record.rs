//! What workers share of a source: when the next fetch is due, and which worker makes it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::held::COOL_DOWN;
use super::source::Schedule;
use crate::time::Timestamp;

/// The shortest time from a successful fetch to the next, and the longest from a failed one: keys are available again
/// within a minute after an outage of the issuer.
const MINUTE: Duration = Duration::from_secs(60);

/// The wait after the first failed fetch. Each further failure doubles it.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The longest wait after a failed fetch of a list that is fetched more often than this.
const LIST_RETRY: Duration = Duration::from_secs(5);

/// The shared state of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The number of fetches that have ended, successful or not.
    pub ended: u64,
    /// When the last fetch ended, in milliseconds since the epoch.
    pub ended_at: i64,
    /// The number of failed fetches since the last successful one.
    pub failures: u32,
    /// The number of fetches with new content; identifies the content.
    pub version: u64,
    /// When a fetch last returned or confirmed the content, in milliseconds since the epoch.
    #[serde(default)]
    pub confirmed_at: i64,
    /// Whether a signature had failed before the last fetch that ended began.
    #[serde(default)]
    pub after_doubt: bool,
    /// When the next fetch is due, in milliseconds since the epoch.
    due: i64,
    /// When the lease ends, in milliseconds since the epoch; identifies the lease.
    pub leased: i64,
}

impl Record {
    /// Whether the worker that asks should fetch now. `is_wanted` says that a token has come that no key
    /// verifies.
    pub fn is_due(&self, is_wanted: bool, now: Timestamp) -> bool {
        let now_millis = now.millis();
        let is_due = now_millis >= self.due;
        let cooled_down = Timestamp::from_millis(self.ended_at).plus(COOL_DOWN) <= now;
        now_millis >= self.leased && (is_due || is_wanted && cooled_down)
    }

    /// The time until the next fetch is due.
    pub fn due_in(&self, now: Timestamp) -> Duration {
        let millis = self.due.saturating_sub(now.millis());
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// The record within the bounds that a worker can have written.
    ///
    /// Other code in the host can write the record, and a clock can be set back. So a lease lasts no longer than
    /// `lease` from now, the next fetch is due no later than `schedule` allows, and the content was not confirmed in the
    /// future.
    #[must_use]
    pub fn bounded(self, schedule: Schedule, lease: Duration, now: Timestamp) -> Self {
        // Workers read their clocks one after the other.
        let past = |at: i64| {
            if at <= now.plus(MINUTE).millis() {
                at
            } else {
                0
            }
        };
        let ended_at = past(self.ended_at);
        let latest = Timestamp::from_millis(ended_at).plus(schedule.longest_wait());
        let latest = latest.millis();
        let is_leased = self.leased <= now.plus(lease + MINUTE).millis();
        Self {
            ended_at,
            confirmed_at: past(self.confirmed_at),
            due: self.due.min(latest),
            leased: if is_leased { self.leased } else { 0 },
            ..self
        }
    }

    /// The record with the next fetch due now, because the shared content cannot be read.
    #[must_use]
    pub fn due_now(self) -> Self {
        Self { due: 0, ..self }
    }

    /// The record without a lease.
    #[must_use]
    pub fn released(self) -> Self {
        Self { leased: 0, ..self }
    }

    /// The record with a lease for this long.
    #[must_use]
    pub fn leased(self, lease: Duration, now: Timestamp) -> Self {
        Self {
            leased: now.plus(lease).millis(),
            ..self
        }
    }

    /// The record after a fetch with new content. `max_age` is the response's, if it has one.
    #[must_use]
    pub fn succeeded(self, schedule: Schedule, max_age: Option<Duration>, now: Timestamp) -> Self {
        let wait = match schedule {
            Schedule::Keys { refresh } => {
                let age = max_age.map_or(refresh, |age| age.min(refresh).max(MINUTE));
                let sooner = age.mul_f64(0.1 * random(now, self.ended));
                age.saturating_sub(sooner)
            }
            Schedule::List { refresh, .. } => refresh,
        };
        Self {
            ended: self.ended.wrapping_add(1),
            ended_at: now.millis(),
            failures: 0,
            version: self.version.wrapping_add(1),
            confirmed_at: now.millis(),
            after_doubt: self.after_doubt,
            due: now.plus(wait).millis(),
            leased: 0,
        }
    }

    /// The record after a fetch that confirmed the content.
    #[must_use]
    pub fn confirmed(self, schedule: Schedule, now: Timestamp) -> Self {
        Self {
            version: self.version,
            ..self.succeeded(schedule, None, now)
        }
    }

    /// The record after a failed fetch.
    #[must_use]
    pub fn failed(self, schedule: Schedule, now: Timestamp) -> Self {
        let doubled = FIRST_RETRY.saturating_mul(1 << self.failures.min(16));
        let wait = match schedule {
            Schedule::Keys { .. } => {
                let wait = doubled.min(MINUTE);
                wait + wait.mul_f64(0.1 * random(now, self.ended))
            }
            Schedule::List { refresh, .. } => doubled.min(refresh.clamp(LIST_RETRY, MINUTE)),
        };
        Self {
            ended: self.ended.wrapping_add(1),
            ended_at: now.millis(),
            failures: self.failures.saturating_add(1),
            due: now.plus(wait).millis(),
            leased: 0,
            ..self
        }
    }
}

impl Schedule {
    /// The longest time from the end of a fetch to the next one.
    fn longest_wait(self) -> Duration {
        match self {
            Self::Keys { refresh } => refresh.max(MINUTE).mul_f64(1.1),
            Self::List { refresh, .. } => refresh.max(LIST_RETRY),
        }
    }
}

/// A number from 0 to 1 that differs between hosts and between fetches. It need not be secret.
fn random(now: Timestamp, ended: u64) -> f64 {
    let mixed = (now.millis() as u64 ^ ended.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// How long a response may be kept, by its `Cache-Control` headers; none if they do not say. The shortest time counts,
/// and `no-store` and `no-cache` count as zero (RFC 9111 §5.2.2).
pub(super) fn max_age<'a>(cache_control: impl Iterator<Item = &'a [u8]>) -> Option<Duration> {
    let mut age = None;
    for directive in cache_control.flat_map(|field| field.split(|byte| *byte == b',')) {
        let directive = String::from_utf8_lossy(directive.trim_ascii()).to_ascii_lowercase();
        let (name, value) = directive.split_once('=').unwrap_or((&directive, ""));
        let seconds = match name {
            "no-store" | "no-cache" => Some(0),
            "max-age" => value.trim_matches('"').parse().ok(),
            _ => None,
        };
        if let Some(seconds) = seconds {
            let found = Duration::from_secs(seconds);
            age = Some(age.map_or(found, |age: Duration| age.min(found)));
        }
    }
    age
}

#[cfg(test)]
mod tests;
