//! What a decision leaves behind in the store: committed once, before the decision is carried out.

use smallvec::SmallVec;

use super::Fetch;
use crate::reject::Reject;
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
    /// Commits them: the last step of a decision, which may lose a race.
    ///
    /// Workers evaluate at the same time. A failure that others have pushed beyond the limit meanwhile must not be
    /// answered as if it were within: it would say whether one more guess was right.
    ///
    /// # Errors
    /// What the request is denied with instead: [`Reject::TooManyFailures`].
    pub fn commit(self, store: &mut Store, now: Timestamp) -> Result<(), Reject> {
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
        let mut blocked_for = None;
        if let Some(failures) = &store.failures {
            for caller in self.failures {
                blocked_for = blocked_for.max(failures.count(caller, now));
            }
        }
        match blocked_for {
            None => Ok(()),
            Some(retry_after) => Err(Reject::TooManyFailures { retry_after }),
        }
    }
}
