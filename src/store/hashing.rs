//! How much time a worker spends on slow password hashes.
//!
//! A hash cannot be interrupted, and all other requests of the worker wait for it. So the time is bounded in two ways:
//!
//! 1. A budget is added each second. What is not spent is saved, for at most [`SAVED_FOR`]. A hash may begin while anything
//!    is saved, so that the last one can go into debt.
//! 2. After a hash, no other begins within [`PAUSE`]: requests that waited for it are served in between, so that a request
//!    waits for one hash and not for a row of them.

use std::time::Duration;

use crate::time::Timestamp;

/// For how long the budget is saved, in seconds.
const SAVED_FOR: i64 = 20;

/// How long no hash begins after another, in milliseconds. Envoy serves what has queued during a hash in less time.
const PAUSE: i64 = 5;

/// The shortest and the longest time that a hash counts with, in milliseconds. The clock can be set while it is computed.
const SHORTEST: i64 = 1;
const LONGEST: i64 = 10_000;

/// The time that a worker may spend on slow hashes.
#[derive(Debug)]
pub struct HashBudget {
    /// What is added, in microseconds for each second.
    share: i64,
    /// What was saved when the last hash ended, in microseconds. Negative if it is in debt.
    saved: i64,
    /// When the last hash ended.
    last: Option<Timestamp>,
}

impl HashBudget {
    /// A budget of so much time for each second. At first, everything that can be saved is there.
    pub fn new(share: Duration) -> Self {
        let share = i64::try_from(share.as_micros()).unwrap_or(i64::MAX);
        Self {
            share,
            saved: share.saturating_mul(SAVED_FOR),
            last: None,
        }
    }

    /// Whether a hash may begin now.
    pub fn allows(&self, now: Timestamp) -> bool {
        let Some(ended) = self.last else {
            return self.share > 0;
        };
        let since = now.millis().saturating_sub(ended.millis());
        // If the clock was set back, it is not known how long ago the last hash ended.
        since < 0 || (since >= PAUSE && self.saved_at(now) > 0)
    }

    /// Records a hash.
    pub fn spent(&mut self, began: Timestamp, ended: Timestamp) {
        let took = ended.millis().saturating_sub(began.millis());
        let took = took.clamp(SHORTEST, LONGEST);
        self.saved = self.saved_at(ended) - took * 1000;
        self.last = Some(ended);
    }

    fn saved_at(&self, now: Timestamp) -> i64 {
        let last = self.last.unwrap_or(now);
        let since = now.millis().saturating_sub(last.millis()).max(0);
        let added = since.saturating_mul(self.share) / 1000;
        let most = self.share.saturating_mul(SAVED_FOR);
        self.saved.saturating_add(added).min(most)
    }
}

#[cfg(test)]
mod tests;
