//! What a decision leaves behind in the store: applied once, by whoever carries the decision out.

use smallvec::SmallVec;

use super::Fetch;
use crate::store::{CallerId, Judged, Slot, Store, TokenId};
use crate::time::Timestamp;

/// What a decision leaves behind in the store.
#[derive(Debug, Default)]
pub struct Effects {
    /// What was learnt of each token.
    pub tokens: SmallVec<[TokenEffect; 1]>,
    /// Whose failure it was: counted for each of them.
    pub failures: Vec<CallerId>,
    /// How many conditions could not be evaluated.
    pub failed_conditions: u32,
    /// What should be fetched, although nobody waits for it; whoever fetches takes it from here.
    pub wanted: Option<Fetch>,
}

/// What was learnt of a token.
#[derive(Debug)]
pub enum TokenEffect {
    /// It was known.
    Found(Slot),
    /// It was verified for the first time.
    SeenOnce(Slot),
    /// It was judged, and is to be remembered.
    Judged {
        /// Where.
        slot: Slot,
        /// The token.
        id: TokenId,
        /// What is known of it now.
        judged: Judged,
        /// Its length.
        bytes: usize,
    },
}

impl Effects {
    /// Applies them.
    pub fn apply(self, store: &mut Store, now: Timestamp) {
        for effect in self.tokens {
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
        if let Some(failures) = &store.failures {
            for caller in self.failures {
                failures.count(caller, now);
            }
        }
    }
}
