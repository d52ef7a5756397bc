//! When keys are fetched, and what of a response is believed.
//!
//! One [`Record`] a source is shared by all workers of the host. Whoever finds that a fetch is due takes a lease, and
//! the others wait for what comes of it: a fleet of workers asks an issuer no more often than one would.
//!
//! 1. Keys are fetched again before they are old: after `refresh`, or the response's `max-age` if that is shorter, but
//!    not within a minute; and some of that time earlier, by chance, so that hosts do not ask all at once.
//! 2. A fetch that fails is tried again after a second, then two, then four, up to a minute; keys are kept.
//! 3. A token whose key is unknown may bring the next fetch forward, once in a cool-down.

mod metadata;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::metadata::{MetadataFault, jwks_uri};
use crate::authenticate::jwt::Issuer;
use crate::authenticate::signature::Algorithm;
use crate::store::COOL_DOWN;
use crate::time::Timestamp;
use crate::url::Url;

/// Keys are not fetched again sooner than this after they were, and a failed fetch is tried again no later: an issuer
/// that is back serves again within it.
const SHORTEST: Duration = Duration::from_secs(60);

/// A failed fetch is tried again after this, and then after twice as long each time.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// Longer responses are refused, in bytes.
pub const MAX_RESPONSE: usize = 512 * 1024;

/// A source of keys, as the document has it.
#[derive(Debug, Clone)]
pub struct RemoteKeys {
    /// The provider's name.
    pub provider: String,
    /// Where to ask.
    pub location: Location,
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// How old keys may grow before they are fetched again.
    pub refresh: Duration,
    /// The algorithms that the provider accepts, where it lists them.
    pub algorithms: Option<Vec<Algorithm>>,
}

/// Where keys are to be had.
#[derive(Debug, Clone)]
pub enum Location {
    /// At a known address.
    Jwks(Endpoint),
    /// At the address that the issuer's metadata names (OpenID Connect Discovery 1.0 §4, RFC 8414 §3).
    Discovery {
        /// Where the metadata is.
        metadata: Endpoint,
        /// Whose metadata it must be (RFC 8414 §3.3).
        issuer: Issuer,
        /// The cluster for the keys, where they are of another origin.
        jwks_cluster: Option<String>,
    },
}

/// An address, and the host's cluster that leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The cluster's name.
    pub cluster: String,
    /// The address.
    pub url: Url,
}

/// What workers tell each other of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// How many fetches have ended, well or not.
    pub ended: u64,
    /// When the last one ended, in milliseconds since the epoch.
    pub ended_at: i64,
    /// How many have failed since one went well.
    pub failures: u32,
    /// How many have gone well: tells key sets apart.
    pub version: u64,
    /// When the next is due, in milliseconds since the epoch.
    due: i64,
    /// Until when somebody is at it, in milliseconds since the epoch.
    leased: i64,
}

impl Record {
    /// Whether whoever asks should fetch now; `wanted` is whether a token with an unknown key has come.
    pub fn calls_for_a_fetch(&self, wanted: bool, now: Timestamp) -> bool {
        let now_millis = now.millis();
        let is_due = now_millis >= self.due;
        let cooled_down = Timestamp::from_millis(self.ended_at).plus(COOL_DOWN) <= now;
        now_millis >= self.leased && (is_due || wanted && cooled_down)
    }

    /// What of a record is believed: it is read from where others write too, and clocks are set back. Nobody is at it
    /// for longer than `lease`, and nothing is due later than it could be.
    #[must_use]
    pub fn believed(self, source: &RemoteKeys, lease: Duration, now: Timestamp) -> Self {
        // Workers read their clocks one after the other.
        let is_past = self.ended_at <= now.plus(SHORTEST).millis();
        let ended_at = if is_past { self.ended_at } else { 0 };
        let longest = source.refresh.max(SHORTEST).mul_f64(1.1);
        let latest = Timestamp::from_millis(ended_at).plus(longest).millis();
        let is_leased = self.leased <= now.plus(lease + SHORTEST).millis();
        Self {
            ended_at,
            due: self.due.min(latest),
            leased: if is_leased { self.leased } else { 0 },
            ..self
        }
    }

    /// The record where its keys cannot be read: they are fetched again.
    #[must_use]
    pub fn due_at_once(self) -> Self {
        Self { due: 0, ..self }
    }

    /// The record once nobody is at it any more.
    #[must_use]
    pub fn released(self) -> Self {
        Self { leased: 0, ..self }
    }

    /// The record while somebody fetches, who has so long for it.
    #[must_use]
    pub fn leased(self, timeout: Duration, now: Timestamp) -> Self {
        Self {
            leased: now.plus(timeout).millis(),
            ..self
        }
    }

    /// The record after a fetch that brought keys, which may be kept for `max_age` if that is known.
    #[must_use]
    pub fn succeeded(self, source: &RemoteKeys, max_age: Option<Duration>, now: Timestamp) -> Self {
        let age = max_age.map_or(source.refresh, |age| age.min(source.refresh).max(SHORTEST));
        let sooner = age.mul_f64(0.1 * chance(now, self.ended));
        Self {
            ended: self.ended.wrapping_add(1),
            ended_at: now.millis(),
            failures: 0,
            version: self.version.wrapping_add(1),
            due: now.plus(age.saturating_sub(sooner)).millis(),
            leased: 0,
        }
    }

    /// The record after a fetch that failed.
    #[must_use]
    pub fn failed(self, now: Timestamp) -> Self {
        let doubled = FIRST_RETRY.saturating_mul(1 << self.failures.min(16));
        let wait = doubled.min(SHORTEST);
        let longer = wait.mul_f64(0.1 * chance(now, self.ended));
        Self {
            ended: self.ended.wrapping_add(1),
            ended_at: now.millis(),
            failures: self.failures.saturating_add(1),
            due: now.plus(wait + longer).millis(),
            leased: 0,
            ..self
        }
    }
}

/// A number from 0 to 1 that differs from host to host and from time to time; nothing secret hangs on it.
fn chance(now: Timestamp, ended: u64) -> f64 {
    let mixed = (now.millis() as u64 ^ ended.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// How long a response may be kept, by its Cache-Control fields: zero where it may not be at all (RFC 9111 §5.2.2).
pub fn max_age<'a>(cache_control: impl Iterator<Item = &'a [u8]>) -> Option<Duration> {
    let mut age = None;
    for directive in cache_control.flat_map(|field| field.split(|byte| *byte == b',')) {
        let directive = String::from_utf8_lossy(directive.trim_ascii()).to_ascii_lowercase();
        let (name, value) = directive.split_once('=').unwrap_or((&directive, ""));
        let told = match name {
            "no-store" | "no-cache" => Some(0),
            "max-age" => value.trim_matches('"').parse().ok(),
            _ => None,
        };
        if let Some(seconds) = told {
            let told = Duration::from_secs(seconds);
            age = Some(age.map_or(told, |age: Duration| age.min(told)));
        }
    }
    age
}

#[cfg(test)]
mod tests;
