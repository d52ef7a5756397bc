//! What authorization servers said of tokens, so that they are not asked again for each request.
//!
//! An evaluation cannot ask. It ends, the host asks, and the evaluation begins again: it finds the answer here. So an answer
//! is kept even if the configuration caches none, for the requests that waited for it.

use lru::LruCache;

use super::TokenId;
use crate::authenticate::introspection::{Answer, Known};
use crate::time::Timestamp;

/// The most answers that are kept.
const MAX_ANSWERS: usize = 10_000;

/// The most memory that the answers may take, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The memory for an answer besides its text, in bytes.
const ENTRY: usize = 128;

/// What authorization servers said of tokens.
pub struct Introspections {
    answers: LruCache<TokenId, Held>,
    bytes: usize,
}

struct Held {
    answer: Answer,
    until: Timestamp,
}

impl Held {
    fn bytes(&self) -> usize {
        ENTRY + self.answer.bytes()
    }
}

impl Default for Introspections {
    fn default() -> Self {
        Self {
            // `keep` keeps the limits. A bounded map would allocate all of its memory at once.
            answers: LruCache::unbounded(),
            bytes: 0,
        }
    }
}

impl Introspections {
    /// What is known of a token. `is_awaited` says that the request has waited for the answer: then it may be one that is
    /// not cached.
    pub fn find(&self, id: TokenId, is_awaited: bool, now: Timestamp) -> Option<Known<'_>> {
        let held = self.answers.peek(&id)?;
        let is_known = is_awaited || now < held.until;
        is_known.then_some(Known {
            answer: &held.answer,
            until: held.until,
        })
    }

    /// Keeps an answer until a time.
    pub fn keep(&mut self, id: TokenId, answer: Answer, until: Timestamp) {
        let held = Held { answer, until };
        self.bytes += held.bytes();
        let replaced = self.answers.put(id, held);
        self.bytes -= replaced.map_or(0, |held| held.bytes());
        while (self.answers.len() > MAX_ANSWERS || self.bytes > MAX_BYTES)
            && let Some((_, gone)) = self.answers.pop_lru()
        {
            self.bytes -= gone.bytes();
        }
    }

    /// Forgets what was known of a token, because the server did not answer.
    pub fn forget(&mut self, id: TokenId) {
        let gone = self.answers.pop(&id);
        self.bytes -= gone.map_or(0, |held| held.bytes());
    }
}
