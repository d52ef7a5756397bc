//! What authorization servers said of tokens, so that they are not asked again for each request.
//!
//! An evaluation cannot ask. It ends, the host asks, and the evaluation begins again: it finds the answer here. So an answer
//! is kept even if the configuration caches none, for the requests that waited for it. A request that waited never receives
//! an answer from before its question, also if the server did not answer the question.

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
    received: Timestamp,
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
    /// What is known of a token. `since` is when the request asked: an answer that came since then may be one that is not
    /// cached.
    pub fn find(&self, id: TokenId, since: Option<Timestamp>, now: Timestamp) -> Option<Known<'_>> {
        let held = self.answers.peek(&id)?;
        let is_awaited = since.is_some_and(|since| since <= held.received);
        let is_known = is_awaited || now < held.until;
        is_known.then_some(Known {
            answer: &held.answer,
            until: held.until,
        })
    }

    /// Keeps an answer that was received now, until a time.
    pub fn keep(&mut self, id: TokenId, answer: Answer, now: Timestamp, until: Timestamp) {
        let held = Held {
            answer,
            received: now,
            until,
        };
        self.bytes += held.bytes();
        let replaced = self.answers.put(id, held);
        self.bytes -= replaced.map_or(0, |held| held.bytes());
        while (self.answers.len() > MAX_ANSWERS || self.bytes > MAX_BYTES)
            && let Some((_, gone)) = self.answers.pop_lru()
        {
            self.bytes -= gone.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::ProviderId;
    use crate::store::{CacheSizes, TokenCache};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// The identities of so many tokens.
    fn ids<const N: usize>() -> [TokenId; N] {
        let tokens = TokenCache::new(CacheSizes {
            verified: 0,
            refused: 0,
        });
        std::array::from_fn(|number| tokens.id_at(ProviderId(0), &number.to_be_bytes()))
    }

    #[test]
    fn an_answer_is_known_until_its_time() {
        let mut answers = Introspections::default();
        let [one, other] = ids();
        answers.keep(one, Answer::Inactive, at(100), at(110));
        assert!(answers.find(one, None, at(109)).is_some());
        assert!(answers.find(one, None, at(110)).is_none());
        assert!(answers.find(other, None, at(100)).is_none());
    }

    #[test]
    fn an_answer_that_is_not_cached_is_for_the_requests_that_asked_before_it() {
        let mut answers = Introspections::default();
        let [one] = ids();
        answers.keep(one, Answer::Inactive, at(100), at(100));
        assert!(answers.find(one, None, at(100)).is_none());
        assert!(answers.find(one, Some(at(99)), at(101)).is_some());
        assert!(answers.find(one, Some(at(100)), at(101)).is_some());
        // The server did not answer the question of this request.
        assert!(answers.find(one, Some(at(101)), at(102)).is_none());
    }

    #[test]
    fn the_answers_and_their_bytes_are_bounded() {
        let mut answers = Introspections::default();
        let ids: Box<[TokenId; MAX_ANSWERS + 10]> = Box::new(ids());
        for id in ids.iter() {
            answers.keep(*id, Answer::Inactive, at(0), at(10));
        }
        assert_eq!(answers.answers.len(), MAX_ANSWERS);
        assert!(answers.find(ids[9], None, at(1)).is_none(), "the oldest");
        assert!(answers.find(ids[10], None, at(1)).is_some());
        let large = 1024 * 1024;
        for id in ids.iter().take(100) {
            answers.keep(*id, Answer::Active(vec![0; large]), at(0), at(10));
        }
        assert!(answers.bytes <= MAX_BYTES);
        assert_eq!(answers.answers.len(), MAX_BYTES / (large + ENTRY));
        // An answer in place of another gives its memory back.
        for id in ids.iter().take(100).skip(85) {
            answers.keep(*id, Answer::Inactive, at(0), at(10));
        }
        assert_eq!(answers.bytes, 15 * ENTRY);
    }
}
