//! What a decision leaves behind in the store: applied once, by whoever carries the decision out.

use super::Fetch;
use crate::store::{CallerId, Judged, Store, TokenId};
use crate::time::Timestamp;

/// What a decision leaves behind in the store.
#[derive(Debug, Default)]
pub struct Effects {
    /// What was learnt of each token.
    pub tokens: Vec<TokenEffect>,
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
    Found(TokenId),
    /// It was judged.
    Judged {
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
                TokenEffect::Found(id) => store.tokens.found(id),
                TokenEffect::Judged { id, judged, bytes } => {
                    store.tokens.remember(id, judged, bytes, now);
                }
            }
        }
        if let Some(failures) = &store.failures {
            for caller in self.failures {
                failures.count(caller, now);
            }
        }
    }
}
