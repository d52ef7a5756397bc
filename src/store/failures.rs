//! Counts failed authentications per caller, to block callers that guess credentials. All workers share the table.
//!
//! 1. The table has a fixed size: [`BUCKETS`] [cells](super::cells) with [`bucket::SLOTS`] callers each.
//! 2. A caller's address or name identifies the caller.
//! 3. A new caller in a full cell replaces the caller with the fewest failures; among these, the caller whose last failure
//!    is the oldest. A blocked caller is not replaced. If all callers of a cell are blocked, no other caller is counted in
//!    it until a block ends.
//! 4. A cell in an unknown format counts as empty, and a time that is too far in the future is ignored. So if the clock
//!    jumps, no caller is blocked for more than twice the configured time.

mod bucket;

use std::net::IpAddr;
use std::time::Duration;

use self::bucket::Bucket;
use super::cells::{Cells, Place, Updated};
use crate::ports::{SharedData, shared_key};
use crate::time::Timestamp;

/// The number of cells with callers.
const BUCKETS: u16 = 1024;

/// The limits after which a caller is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// The number of failures that block a caller, from 1 to [`Limits::MOST_FAILURES`].
    pub failures: u8,
    /// The time in which the failures are counted.
    pub window: Duration,
    /// How long the caller is blocked.
    pub block: Duration,
}

impl Limits {
    /// The most failures that can be configured. The time of each counted failure is stored, so that the window is exact.
    pub const MOST_FAILURES: u8 = 100;
    /// The shortest window and block, because `Retry-After` has whole seconds.
    pub const SHORTEST: Duration = Duration::from_secs(1);
    /// The longest window and block, because a time is stored as 32 bits of milliseconds before another time.
    pub const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
}

/// A caller whose failures are counted together.
#[derive(Debug, Clone, Copy)]
pub enum Caller<'a> {
    /// A client address: an IPv4 address, or the /64 network of an IPv6 address, in which a host can choose any address.
    Address(IpAddr),
    /// The user that a credential names, verified or not.
    User {
        /// The name of the provider that would verify the credential.
        provider: &'a str,
        /// The user's name at the provider.
        name: &'a str,
    },
}

/// The identity of a caller in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallerId(Place);

/// The table of failures, as used by one worker.
pub struct Failures {
    limits: Limits,
    cells: Cells,
}

impl Failures {
    /// An empty table, which is not shared.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            cells: Cells::new(BUCKETS),
        }
    }

    /// The limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Shares the table with the other workers of the filter that `names` identify, as long as its limits are the same.
    ///
    /// If the host does not share data, the worker counts alone.
    pub fn share(&mut self, data: Box<dyn SharedData>, names: &[&[u8]]) {
        self.cells.share(data, prefix(names, self.limits));
    }

    /// The identity of a caller in the table.
    pub fn id(&self, caller: Caller<'_>) -> CallerId {
        CallerId(match caller {
            Caller::Address(address) => match address.to_canonical() {
                IpAddr::V4(address) => self.cells.place(&[b"4", &address.octets()]),
                IpAddr::V6(address) => {
                    let network = u128::from(address) >> 64;
                    self.cells.place(&[b"6", &network.to_be_bytes()])
                }
            },
            Caller::User { provider, name } => {
                self.cells
                    .place(&[b"u", provider.as_bytes(), name.as_bytes()])
            }
        })
    }

    /// How long a caller is blocked, in whole seconds, at least 1; none if it is not blocked.
    pub fn blocked_for(&self, caller: CallerId, now: Timestamp) -> Option<u32> {
        let value = self.cells.read(caller.0.cell)?;
        let until = Bucket::read(&value, self.limits, now).blocked_until(caller.0.id)?;
        Some(self.seconds_until(until, now))
    }

    /// Counts a failure, unless the caller is already blocked.
    ///
    /// Another worker can have counted a failure since this request was evaluated. If the caller is blocked, the result is
    /// how long, in whole seconds, at least 1.
    pub fn count(&self, caller: CallerId, now: Timestamp) -> Option<u32> {
        let Place { cell, id } = caller.0;
        let mut blocked = None;
        let mut change = |value: Option<Vec<u8>>| {
            let mut bucket = Bucket::read(&value.unwrap_or_default(), self.limits, now);
            blocked = bucket.blocked_until(id);
            let is_changed = blocked.is_none() && bucket.count(id, self.limits, now);
            is_changed.then(|| bucket.to_bytes())
        };
        if self.cells.update(cell, &mut change) == Updated::Refused {
            self.cells.leave();
            self.cells.update(cell, &mut change);
        }
        blocked.map(|until| self.seconds_until(until, now))
    }

    fn seconds_until(&self, until: Timestamp, now: Timestamp) -> u32 {
        let left = until.millis().saturating_sub(now.millis());
        let block = i64::try_from(self.limits.block.as_millis()).unwrap_or(i64::MAX);
        let seconds = left.min(block).max(1).saturating_add(999) / 1000;
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }
}

/// The start of the keys of one filter, which differs between filters and between limits.
fn prefix(names: &[&[u8]], limits: Limits) -> String {
    shared_key("failures", &(names, limits))
}

#[cfg(test)]
mod tests;
