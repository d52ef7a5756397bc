//! Who failed how often, so that whoever guesses is stopped: a table of fixed size that all workers share.
//!
//! A caller is known by 128 bits of a SHA-256 over a secret and what tells callers apart. The hash also says in which of
//! the [`BUCKETS`] cells it stands, each with room for [`bucket::SLOTS`] callers; a cell is read, changed and written back
//! under its version. The secret is made by chance and shared in a cell of its own: nobody outside can look for callers
//! who fall into one cell, to have another forgotten.
//!
//! Where a cell is full, the caller with the fewest failures makes room, the one whose last is longest ago before others.
//! A blocked one never does: where all are blocked, nobody else is counted in that cell until a block ends.
//!
//! Whatever else stands in a cell than what is written here is nothing known, and so is a moment that lies too far ahead:
//! however the clock jumps, nobody is blocked for more than twice as long as they should be.

mod bucket;

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::Duration;

use sha2::{Digest, Sha256};

use self::bucket::Bucket;
use crate::ports::{LocalData, Shared, SharedData, shared_key};
use crate::time::Timestamp;

/// How many cells hold callers.
const BUCKETS: u16 = 1024;

/// The cell of the secret.
const SECRET: u16 = BUCKETS;

/// How often a change is tried again where others are faster. Each time one of them was done, and workers are few.
const TRIES: u32 = 32;

/// How many failures lead to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// So many of them block, from 1 to [`Limits::MOST_FAILURES`].
    pub failures: u8,
    /// Within this.
    pub window: Duration,
    /// For so long.
    pub block: Duration,
}

impl Limits {
    /// The moment of each counted failure is kept, so that the window is exact.
    pub const MOST_FAILURES: u8 = 100;
    /// The shortest window and block: a client is told whole seconds.
    pub const SHORTEST: Duration = Duration::from_secs(1);
    /// The longest window and block: moments are kept as milliseconds before another, in 32 bits.
    pub const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
}

/// Whose failures are counted together.
#[derive(Debug, Clone, Copy)]
pub enum Caller<'a> {
    /// Whoever asks from there: an IPv4 address, or the /64 of an IPv6 address, within which a host chooses its own.
    Address(IpAddr),
    /// A user, whoever claims to be that one.
    User {
        /// The name of the provider that would vouch.
        provider: &'a str,
        /// The user's name there.
        name: &'a str,
    },
}

/// A caller, as the table knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallerId {
    bucket: u16,
    id: [u8; 16],
}

/// The table, as one worker sees it.
pub struct Failures {
    limits: Limits,
    secret: [u8; 16],
    /// The start of each cell's key in the shared data.
    prefix: String,
    shared: Option<Box<dyn SharedData>>,
    own: LocalData,
    /// Whether what was to be shared turned out not to be.
    is_alone: Cell<bool>,
}

impl Failures {
    /// An empty table, of one worker alone.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            secret: by_chance(),
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

    /// What the table knows a caller by.
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

    /// How many whole seconds a caller is blocked for, at least 1; none who is not.
    pub fn blocked_for(&self, caller: CallerId, now: Timestamp) -> Option<u32> {
        let value = self.data().get(&self.key(caller.bucket)).0?;
        let until = Bucket::read(&value, self.limits, now).blocked_until(caller.id)?;
        Some(self.seconds_until(until, now))
    }

    /// Counts a failure, unless the caller is blocked already: by failures that other workers have counted since this
    /// request was evaluated. For how many whole seconds it is blocked then, at least 1.
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
                // Once more, in the worker's own.
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
    let mut hash = Sha256::new();
    for name in names {
        hash.update((name.len() as u64).to_be_bytes());
        hash.update(name);
    }
    hash.update(format!("{limits:?}"));
    shared_key("failures", &hash.finalize())
}

/// The one source of chance that the standard library has: its maps are seeded by the operating system.
fn by_chance() -> [u8; 16] {
    let chance = RandomState::new();
    let halves = [chance.hash_one(1), chance.hash_one(2)].map(u128::from);
    let [high, low] = halves;
    (high << 64 | low).to_be_bytes()
}

#[cfg(test)]
mod tests;
