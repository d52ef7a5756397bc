//! What outlives a request: tokens that were judged, the keys of issuers, and who failed how often.
//!
//! Nothing in here decides. An evaluation reads it; what it learns is applied afterwards, once.

mod cells;
mod failures;
mod tokens;

use std::rc::Rc;
use std::time::Duration;

pub use self::cells::{Cells, OwnCells, Put};
pub use self::failures::{Caller, CallerId, Failures, Limits};
pub use self::tokens::{CacheSizes, Judged, Slot, TokenCache, TokenId, TokenKey};
use crate::authenticate::keys::KeySet;
use crate::authenticate::{KeySourceId, KeysAtHand};
use crate::time::Timestamp;

/// How long nothing is fetched for another token whose key is unknown.
pub const COOL_DOWN: Duration = Duration::from_secs(30);

/// One worker's memory for one document.
pub struct Store {
    /// Tokens that were judged.
    pub tokens: TokenCache,
    /// Who failed how often, where that is counted.
    pub failures: Option<Failures>,
    sources: Vec<HeldKeys>,
}

/// What is held of one source of keys.
#[derive(Debug, Default)]
pub struct HeldKeys {
    /// The keys, once any were fetched.
    pub set: Option<Rc<KeySet>>,
    /// When a fetch last ended, well or not.
    pub attempted: Option<Timestamp>,
    /// Whether that fetch failed.
    pub failed: bool,
}

impl Store {
    /// An empty memory, for so many tokens and so many sources of keys; failures are counted where there are limits.
    pub fn new(tokens: CacheSizes, sources: usize, failures: Option<Limits>) -> Self {
        Self {
            tokens: TokenCache::new(tokens),
            failures: failures.map(Failures::new),
            sources: std::iter::repeat_with(HeldKeys::default)
                .take(sources)
                .collect(),
        }
    }

    /// What is held of a source.
    pub fn source(&self, id: KeySourceId) -> Option<&HeldKeys> {
        self.sources.get(id.0)
    }

    /// A fetch ended with these keys, at that moment.
    pub fn keys_fetched(&mut self, number: usize, set: KeySet, at: Timestamp) {
        if let Some(source) = self.sources.get_mut(number) {
            *source = HeldKeys {
                set: Some(Rc::new(set)),
                attempted: Some(at),
                failed: false,
            };
            // What an old key refused, a new one may accept.
            self.tokens.forget_refused();
        }
    }

    /// A fetch failed at that moment; what is held stays.
    pub fn fetch_failed(&mut self, number: usize, at: Timestamp) {
        if let Some(source) = self.sources.get_mut(number) {
            source.attempted = Some(at);
            source.failed = true;
        }
    }

    /// How many keys are held, of all sources.
    pub fn keys_held(&self) -> usize {
        let sets = self.sources.iter().filter_map(|source| source.set.as_ref());
        sets.map(|set| set.len()).sum()
    }
}

impl KeysAtHand for Store {
    fn keys(&self, source: KeySourceId) -> Option<&KeySet> {
        self.source(source)?.set.as_deref()
    }
}

impl HeldKeys {
    /// Whether a fetch could bring a key that is not held: none ended within the cool-down.
    pub fn may_have_newer(&self, now: Timestamp) -> bool {
        self.attempted
            .is_none_or(|attempted| now >= attempted.plus(COOL_DOWN))
    }
}
