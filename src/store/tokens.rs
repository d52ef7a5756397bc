//! Tokens that were judged before, so that they need not be again.
//!
//! A token is looked up by a keyed hash of 128 bits over the place where it stood, the choice of providers and the
//! whole token. The key is random and never leaves the worker, so that nobody can search for two tokens of one hash;
//! and a cache belongs to one document, so that nothing judged by another is ever found.
//!
//! A token is remembered from the second time on that it was verified. Tokens that come once cost no more than a mark
//! in a table then, and however many come of them, none drives out one that is in use.
//!
//! What is remembered is that a signature and the claims were good. Whoever takes a token from here still checks what
//! may have changed: the time, what is revoked, and that the key is still its issuer's.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::rc::Rc;
use std::time::Duration;

use lru::LruCache;
use siphasher::sip128::{Hasher128, SipHasher24};

use crate::authenticate::Principal;
use crate::reject::TokenFault;
use crate::time::Timestamp;

/// How long a refusal is remembered.
const REFUSED_FOR: Duration = Duration::from_secs(30);

/// How many bytes of tokens the verified ones may have come from; what is kept of a token is at most about as long.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// How many tokens that came once are kept in mind at the most, eight bytes each.
const MAX_SEEN_ONCE: usize = 65_536;

/// A token, where it stood, and by whom it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenId(u128);

/// What is known of a token.
#[derive(Debug, Clone)]
pub enum Judged {
    /// It was verified.
    Verified(Rc<Principal>),
    /// It was refused, for a reason that does not pass.
    Refused(TokenFault),
}

/// A bounded memory of tokens; what was not asked for longest is forgotten first.
pub struct TokenCache {
    secret: (u64, u64),
    sizes: CacheSizes,
    verified: LruCache<TokenId, Verified>,
    refused: LruCache<TokenId, Refused>,
    /// Of the verified tokens.
    bytes: usize,
    /// Of tokens that were verified once: a part of the identity, in the slot that another part of it names.
    seen_once: Vec<u64>,
}

/// How many tokens are remembered; none of a kind switches it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSizes {
    /// Verified ones.
    pub verified: usize,
    /// Refused ones.
    pub refused: usize,
}

struct Verified {
    principal: Rc<Principal>,
    bytes: usize,
}

struct Refused {
    fault: TokenFault,
    until: Timestamp,
}

impl TokenCache {
    /// An empty memory.
    pub fn new(sizes: CacheSizes) -> Self {
        // The one source of chance that the standard library has: its maps are seeded by the operating system.
        let chance = RandomState::new();
        Self {
            secret: (chance.hash_one(1), chance.hash_one(2)),
            sizes,
            // The bounds are kept below: a bounded one would take all of its memory at once.
            verified: LruCache::unbounded(),
            refused: LruCache::unbounded(),
            bytes: 0,
            seen_once: vec![0; sizes.verified.min(MAX_SEEN_ONCE)],
        }
    }

    /// The identity of a token that stood at `place`, judged by the providers of `choice`.
    pub fn id(&self, place: usize, choice: usize, token: &str) -> TokenId {
        let mut hasher = SipHasher24::new_with_keys(self.secret.0, self.secret.1);
        hasher.write_usize(place);
        hasher.write_usize(choice);
        hasher.write(token.as_bytes());
        TokenId(hasher.finish128().as_u128())
    }

    /// What is known of a token now.
    pub fn find(&self, id: TokenId, now: Timestamp) -> Option<Judged> {
        if let Some(verified) = self.verified.peek(&id) {
            return Some(Judged::Verified(Rc::clone(&verified.principal)));
        }
        let refused = self.refused.peek(&id)?;
        (now < refused.until).then_some(Judged::Refused(refused.fault))
    }

    /// A token was found: it is kept longer than those that are not asked for.
    pub fn found(&mut self, id: TokenId) {
        self.verified.promote(&id);
    }

    /// Remembers a token of so many bytes.
    pub fn remember(&mut self, id: TokenId, judged: Judged, bytes: usize, now: Timestamp) {
        match judged {
            Judged::Verified(_) if !self.was_seen_before(id) => {}
            Judged::Verified(principal) => {
                let verified = Verified { principal, bytes };
                self.bytes += bytes;
                let replaced = self.verified.put(id, verified);
                self.bytes -= replaced.map_or(0, |verified| verified.bytes);
                self.forget_the_oldest();
            }
            Judged::Refused(fault) => {
                // Its key is gone, or it would have been found to be good.
                if let Some(gone) = self.verified.pop(&id) {
                    self.bytes -= gone.bytes;
                }
                if is_for_good(fault) {
                    let until = now.plus(REFUSED_FOR);
                    self.refused.put(id, Refused { fault, until });
                }
                while self.refused.len() > self.sizes.refused {
                    self.refused.pop_lru();
                }
            }
        }
    }

    /// Whether a token was verified before, as far as is known; now it was.
    fn was_seen_before(&mut self, id: TokenId) -> bool {
        let (slot, mark) = ((id.0 >> 64) as usize, id.0 as u64);
        let slots = self.seen_once.len().max(1);
        let known = self.seen_once.get_mut(slot % slots);
        known.is_some_and(|known| std::mem::replace(known, mark) == mark)
    }

    fn forget_the_oldest(&mut self) {
        while (self.verified.len() > self.sizes.verified || self.bytes > MAX_BYTES)
            && let Some((_, gone)) = self.verified.pop_lru()
        {
            self.bytes -= gone.bytes;
        }
    }

    /// Forgets every refusal.
    pub fn forget_refused(&mut self) {
        self.refused.clear();
    }
}

/// Whether a refusal costs enough to be remembered, and does not pass with time or with a new key.
fn is_for_good(fault: TokenFault) -> bool {
    match fault {
        TokenFault::Signature
        | TokenFault::Expired
        | TokenFault::Type
        | TokenFault::Audience
        | TokenFault::ClaimMissing
        | TokenFault::ClaimType
        | TokenFault::Binding
        | TokenFault::Revoked => true,
        // Found without a signature's cost.
        TokenFault::Malformed
        | TokenFault::Algorithm
        | TokenFault::Extension
        | TokenFault::Issuer
        // Passes.
        | TokenFault::Key
        | TokenFault::NotYetValid
        | TokenFault::Lifetime => false,
    }
}
