//! Counts failed authentications per caller, to block callers that guess credentials. All workers share the table.
//!
//! 1. The table has a fixed size: [`BUCKETS`] cells with [`bucket::SLOTS`] callers each.
//! 2. A SHA-256 of a secret and the caller's address or name identifies the caller. 128 of its bits are the caller's id in
//!    the cell, and 16 others select the cell. The secret is random, and the workers share it in an additional cell. A
//!    client cannot compute the cell of a caller, and so cannot fill the cell of another caller.
//! 3. A worker reads a cell, changes it, and writes it if its version is still the same.
//! 4. A new caller in a full cell replaces the caller with the fewest failures; among these, the caller whose last failure
//!    is the oldest. A blocked caller is not replaced. If all callers of a cell are blocked, no other caller is counted in
//!    it until a block ends.
//! 5. A cell in an unknown format counts as empty, and a time that is too far in the future is ignored. So if the clock
//!    jumps, no caller is blocked for more than twice the configured time.

mod bucket;

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::Duration;

use sha2::{Digest, Sha256};

use self::bucket::Bucket;
use crate::ports::{LocalData, Shared, SharedData, shared_key};
use crate::time::Timestamp;

/// The number of cells with callers.
const BUCKETS: u16 = 1024;

/// The number of the cell with the secret.
const SECRET: u16 = BUCKETS;

/// How often a worker tries to write a cell that other workers change at the same time. Each failed try means that another
/// worker succeeded, and there are few workers.
const TRIES: u32 = 32;

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
pub struct CallerId {
    bucket: u16,
    id: [u8; 16],
}

/// The table of failures, as used by one worker.
pub struct Failures {
    limits: Limits,
    secret: [u8; 16],
    /// The start of each cell's key in the shared data.
    prefix: String,
    shared: Option<Box<dyn SharedData>>,
    own: LocalData,
    /// Whether the host refused to share data, so that the worker counts alone.
    is_alone: Cell<bool>,
}

impl Failures {
    /// An empty table, which is not shared.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            secret: random(),
            prefix: String::new(),
            shared: None,
            own: LocalData::default(),
            is_alone: Cell::new(false),
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
        self.prefix = prefix(names, self.limits);
        let key = self.key(SECRET);
        for _ in 0..TRIES {
            let (value, version) = data.get(&key);
            if let Some(Ok(secret)) = value.map(<[u8; 16]>::try_from) {
                self.secret = secret;
                break;
            }
            if data.set(&key, &self.secret, version) != Shared::TooLate {
                break;
            }
        }
        self.shared = Some(data);
    }

    /// The identity of a caller in the table.
    pub fn id(&self, caller: Caller<'_>) -> CallerId {
        let mut hash = Sha256::new_with_prefix(self.secret);
        match caller {
            Caller::Address(address) => match address.to_canonical() {
                IpAddr::V4(address) => hash.update([&b"4"[..], &address.octets()].concat()),
                IpAddr::V6(address) => {
                    let network = u128::from(address) >> 64;
                    hash.update([&b"6"[..], &network.to_be_bytes()].concat());
                }
            },
            Caller::User { provider, name } => {
                hash.update(b"u");
                hash.update((provider.len() as u64).to_be_bytes());
                hash.update(provider);
                hash.update(name);
            }
        }
        let [id @ .., b14, b15] = *hash.finalize().first_chunk::<18>().unwrap_or(&[0; 18]);
        CallerId {
            bucket: u16::from_be_bytes([b14, b15]) % BUCKETS,
            id,
        }
    }

    /// How long a caller is blocked, in whole seconds, at least 1; none if it is not blocked.
    pub fn blocked_for(&self, caller: CallerId, now: Timestamp) -> Option<u32> {
        let value = self.data().get(&self.key(caller.bucket)).0?;
        let until = Bucket::read(&value, self.limits, now).blocked_until(caller.id)?;
        Some(self.seconds_until(until, now))
    }

    /// Counts a failure, unless the caller is already blocked.
    ///
    /// Another worker can have counted a failure since this request was evaluated. If the caller is blocked, the result is
    /// how long, in whole seconds, at least 1.
    pub fn count(&self, caller: CallerId, now: Timestamp) -> Option<u32> {
        let key = self.key(caller.bucket);
        for _ in 0..TRIES {
            let data = self.data();
            let (value, version) = data.get(&key);
            let value = value.unwrap_or_default();
            let mut bucket = Bucket::read(&value, self.limits, now);
            if let Some(until) = bucket.blocked_until(caller.id) {
                return Some(self.seconds_until(until, now));
            }
            if !bucket.count(caller.id, self.limits, now) {
                return None;
            }
            match data.set(&key, &bucket.to_bytes(), version) {
                Shared::Done => return None,
                Shared::TooLate => {}
                // The next try uses the data of this worker.
                Shared::Refused => self.is_alone.set(true),
            }
        }
        None
    }

    fn seconds_until(&self, until: Timestamp, now: Timestamp) -> u32 {
        let left = until.millis().saturating_sub(now.millis());
        let block = i64::try_from(self.limits.block.as_millis()).unwrap_or(i64::MAX);
        let seconds = left.min(block).max(1).saturating_add(999) / 1000;
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }

    /// The key of a cell.
    fn key(&self, number: u16) -> String {
        format!("{}.{number}", self.prefix)
    }

    fn data(&self) -> &dyn SharedData {
        match &self.shared {
            Some(data) if !self.is_alone.get() => data.as_ref(),
            Some(_) | None => &self.own,
        }
    }
}

/// The start of the keys of one filter, which differs between filters and between limits.
fn prefix(names: &[&[u8]], limits: Limits) -> String {
    shared_key("failures", &(names, limits))
}

/// 16 random octets, from the random seed of the standard library's maps. The standard library has no other source.
fn random() -> [u8; 16] {
    let seed = RandomState::new();
    let halves = [seed.hash_one(1), seed.hash_one(2)].map(u128::from);
    let [high, low] = halves;
    (high << 64 | low).to_be_bytes()
}

#[cfg(test)]
mod tests;
