//! What a worker keeps between requests: results of verified credentials, fetched keys and lists, counted failures, and the
//! time that it spent on password hashes.
//!
//! The store decides nothing. An evaluation only reads it. Its effects are applied to the store once, after the
//! evaluation.

mod cells;
mod failures;
mod hashing;
mod introspections;
mod replays;
mod tokens;

pub use self::failures::{Caller, CallerId, Failures, Limits};
pub use self::hashing::HashBudget;
pub use self::introspections::Introspections;
pub use self::replays::{Recorded, Replays, UseId};
pub use self::tokens::{CacheSizes, Judged, Refused, Slot, TokenCache, TokenId, TokenKey};
use std::rc::Rc;
use std::time::Duration;

use crate::authenticate::SourceId;
use crate::authenticate::jose::keys::KeySet;
use crate::keys::{FetchEvent, Fetched, HeldKeySets, HeldLists, Loaded, Source};
use crate::nonce::NonceKey;
use crate::ports::SharedData;
use crate::time::Timestamp;

/// What one worker keeps for one configuration.
pub struct Store {
    /// The results of tokens that were verified before.
    pub tokens: TokenCache,
    /// Counted failures. `None` if the configuration does not count them.
    pub failures: Option<Failures>,
    /// The fetched keys.
    pub keys: HeldKeySets,
    /// The fetched lists.
    pub lists: HeldLists,
    /// What authorization servers said of tokens.
    pub introspections: Introspections,
    /// The time for slow password hashes.
    pub hashing: HashBudget,
    /// The proofs and nonces that were used.
    pub replays: Replays,
    /// The key of the nonces of providers that have no own. None if the workers cannot share one.
    pub nonce_key: Option<NonceKey>,
}

impl Store {
    /// An empty store for these sources. Failures are counted if there are limits. Password hashes take `hashing` of each
    /// second.
    pub fn new(
        tokens: CacheSizes,
        sources: &[Source],
        failures: Option<Limits>,
        hashing: Duration,
    ) -> Self {
        Self {
            tokens: TokenCache::new(tokens),
            failures: failures.map(Failures::new),
            keys: HeldKeySets::new(sources.len()),
            lists: HeldLists::new(sources),
            introspections: Introspections::default(),
            hashing: HashBudget::new(hashing),
            replays: Replays::new(),
            nonce_key: NonceKey::random(),
        }
    }

    /// Shares what all workers must know with the other workers of the filter that `names` identify.
    pub fn share(&mut self, data: &Rc<impl SharedData + 'static>, names: &[&[u8]]) {
        if let Some(failures) = &mut self.failures {
            failures.share(Box::new(Rc::clone(data)), names);
        }
        self.nonce_key = NonceKey::shared(data, names);
        self.replays.share(Box::new(Rc::clone(data)), names);
    }

    /// Keeps the result of a fetch.
    pub fn fetch_ended(&mut self, event: FetchEvent) {
        match event.fetched {
            Fetched::Ok(Loaded::Keys(set)) => {
                self.replace_keys(event.source, set, event.at, event.after_doubt);
            }
            Fetched::Ok(Loaded::List(list)) => {
                self.lists.replace(event.source, list, event.at);
                // A refused password can be right from now on.
                self.tokens.forget_refused();
            }
            Fetched::Unchanged => self.lists.confirm(event.source, event.at),
            Fetched::Err => self.fetch_failed(event.source, event.at),
        }
    }

    /// Replaces the keys of a source, and forgets rejected tokens, because a new key may verify them.
    pub fn keys_fetched(&mut self, source: SourceId, set: KeySet, at: Timestamp) {
        self.replace_keys(source, set, at, false);
    }

    fn replace_keys(&mut self, source: SourceId, set: KeySet, at: Timestamp, after_doubt: bool) {
        if self.keys.replace(source, set, at, after_doubt) {
            self.tokens.forget_refused();
        }
    }

    /// Records that a fetch failed. What was fetched from the source before is kept.
    pub fn fetch_failed(&mut self, source: SourceId, at: Timestamp) {
        self.keys.failed(source, at);
        self.lists.failed(source, at);
    }
}
