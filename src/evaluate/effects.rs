//! The effects of a decision on the store: committed once, before the decision is carried out.

use smallvec::SmallVec;

use super::Fetch;
use crate::authenticate::{ProviderId, SourceId};
use crate::reject::Reject;
use crate::store::{CallerId, Judged, Slot, Store, TokenId};
use crate::time::Timestamp;

/// The effects of a decision on the store.
#[derive(Debug, Default)]
pub struct Effects {
    /// What was learned about each token.
    pub tokens: SmallVec<[TokenEffect; 1]>,
    /// The callers whose count of failures increases.
    pub failures: Vec<CallerId>,
    /// When the evaluation began, if it computed a slow password hash.
    pub hashed: Option<Timestamp>,
    /// How many conditions could not be evaluated.
    pub failed_conditions: u32,
    /// What should be fetched although no request waits for it. The host makes this fetch.
    pub wanted: Option<Fetch>,
    /// The key sources under whose keys a signature failed.
    pub doubted: Vec<SourceId>,
    /// The provider of a token that was refused before all keys were tried that can have signed it.
    pub untried: Option<ProviderId>,
}

/// What was learned about a token.
#[derive(Debug)]
pub enum TokenEffect {
    /// The token was cached.
    Found(Slot),
    /// The token was verified for the first time.
    SeenOnce(Slot),
    /// The token was verified or refused, and the result is cached.
    Judged {
        /// Where the result is cached.
        slot: Slot,
        /// The identity of the token.
        id: TokenId,
        /// The result.
        judged: Judged,
        /// The length of the token, in bytes.
        bytes: usize,
    },
}

impl Effects {
    /// Commits the effects: the last step of a decision, which may lose a race.
    ///
    /// Workers evaluate requests at the same time. If the failures that other workers counted meanwhile block the caller,
    /// a request that fails is denied for that reason, as it would be if it had come later.
    ///
    /// `now` is the time after the evaluation: it shows how long a password hash took.
    ///
    /// # Errors
    /// Why the request is denied instead: [`Reject::TooManyFailures`].
    pub fn commit(self, store: &mut Store, now: Timestamp) -> Result<(), Reject> {
        let failed = self.failures;
        commit_results(self.hashed, self.tokens, store, now);
        let mut blocked_for = None;
        if let Some(failures) = &store.failures {
            for caller in failed {
                blocked_for = blocked_for.max(failures.count(caller, now));
            }
        }
        match blocked_for {
            None => Ok(()),
            Some(retry_after) => Err(Reject::TooManyFailures { retry_after }),
        }
    }

    /// Commits a slow password hash, if one was computed, and what was learned about tokens. The request waits and is
    /// evaluated again, which does not repeat the hash.
    pub fn commit_hash(self, store: &mut Store, now: Timestamp) {
        if self.hashed.is_some() {
            commit_results(self.hashed, self.tokens, store, now);
        }
    }
}

fn commit_results(
    hashed: Option<Timestamp>,
    tokens: SmallVec<[TokenEffect; 1]>,
    store: &mut Store,
    now: Timestamp,
) {
    if let Some(began) = hashed {
        store.hashing.spent(began, now);
    }
    for effect in tokens {
        match effect {
            TokenEffect::Found(slot) => store.tokens.found(slot),
            TokenEffect::SeenOnce(slot) => store.tokens.seen_once(slot),
            TokenEffect::Judged {
                slot,
                id,
                judged,
                bytes,
            } => store.tokens.remember(slot, id, judged, bytes, now),
        }
    }
}
