//! Tokens that were judged before, so that they need not be again.
//!
//! A token is known by a keyed hash of 128 bits over the place where it stood, the choice of providers and the whole
//! token. The key is random and never leaves the worker, so that nobody can search for two tokens of one hash; and a
//! cache belongs to one document, so that nothing judged by another is ever found.
//!
//! That hash costs as much as the token is long, so it is made only where the token's slot is taken, which its last
//! bytes name: of two good tokens their signatures differ there, and a forged one that ends like another is told from it
//! by its hash.
//!
//! A token is remembered from the second time on that it was verified. Tokens that come once cost no more than a mark
//! in a table then, and however many come of them, none drives out one that is in use.
//!
//! What is remembered of tokens takes no more than [`MAX_BYTES`] of memory, twice their length: a token that takes more
//! counts for a longer one. Where the values of its claims would take far more than their text, the text is kept, and read
//! again for each request that looks at them.
//!
//! What is remembered is that a signature and the claims were good. Whoever takes a token from here still checks what
//! may have changed: the time, what is revoked, and that the key is still its issuer's.

use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::rc::Rc;
use std::time::Duration;

use lru::LruCache;
use siphasher::sip128::{Hasher128, SipHasher24};

use crate::authenticate::Principal;
use crate::credential::LocationId;
use crate::reject::TokenFault;
use crate::time::Timestamp;

/// How long a refusal is remembered.
const REFUSED_FOR: Duration = Duration::from_secs(30);

/// How many bytes of memory all that is kept of verified tokens may take.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// What a token is kept in, beside what is kept of it: its place among the others, and what names that place.
const PLACE: usize = size_of::<Verified>() + 12 * size_of::<usize>();

/// How many tokens that came once are kept in mind at the most, eight bytes each.
const MAX_SEEN_ONCE: usize = 65_536;

/// How much of a token's end names its slot, in bytes.
const END: usize = 24;

/// What a token is known by.
#[derive(Debug, Clone, Copy)]
pub struct TokenKey<'t> {
    /// Where it was.
    pub location: LocationId,
    /// The choice of providers.
    pub choice: usize,
    /// The token.
    pub octets: &'t [u8],
}

/// Where a token would be remembered, by its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot(u64);

/// What all of a token, its place and its choice of providers hash to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenId([u64; 2]);

/// What is known of a token.
#[derive(Debug, Clone)]
pub enum Judged {
    /// It was verified.
    Verified(Rc<Principal>),
    /// It was refused, for a reason that does not pass.
    Refused(TokenFault),
}

type BySlot<T> = LruCache<Slot, T, BuildHasherDefault<SlotHasher>>;

/// A slot is a keyed hash already, of one `u64`; nothing else is hashed by this.
#[derive(Default)]
struct SlotHasher(u64);

impl Hasher for SlotHasher {
    fn write_u64(&mut self, slot: u64) {
        self.0 = slot;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A bounded memory of tokens; what was not asked for longest is forgotten first.
pub struct TokenCache {
    secret: (u64, u64),
    sizes: CacheSizes,
    verified: BySlot<Verified>,
    refused: BySlot<Refused>,
    /// What the verified tokens count for, in bytes.
    bytes: usize,
    /// The slots of tokens that were verified once, each at the place that it names itself.
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
    id: TokenId,
    principal: Rc<Principal>,
    /// The length of the token.
    length: usize,
    /// What it counts for.
    bytes: usize,
    /// Whether the caller's claims were there as values when that was counted.
    holds_claims: bool,
}

impl Verified {
    fn new(id: TokenId, principal: Rc<Principal>, length: usize) -> Self {
        let mut verified = Self {
            id,
            principal,
            length,
            bytes: 0,
            holds_claims: false,
        };
        verified.weigh();
        verified
    }

    /// Lets go of what takes too much, and counts what is left: a token counts for twice its length at least.
    fn weigh(&mut self) {
        if let Some(smaller) = self.principal.without_large_claims() {
            self.principal = Rc::new(smaller);
        }
        self.holds_claims = self.principal.holds_claims();
        self.bytes = (2 * self.length).max(PLACE + self.principal.bytes());
    }
}

struct Refused {
    id: TokenId,
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
            verified: LruCache::unbounded_with_hasher(BuildHasherDefault::default()),
            refused: LruCache::unbounded_with_hasher(BuildHasherDefault::default()),
            bytes: 0,
            seen_once: vec![0; sizes.verified.min(MAX_SEEN_ONCE)],
        }
    }

    /// The slot of a token.
    pub fn slot(&self, token: TokenKey<'_>) -> Slot {
        let end = token.octets.last_chunk::<END>();
        let mut hasher = self.hasher(token);
        hasher.write(end.map_or(token.octets, |end| end));
        Slot(hasher.finish128().h1)
    }

    fn id(&self, token: TokenKey<'_>) -> TokenId {
        let mut hasher = self.hasher(token);
        hasher.write(token.octets);
        let hash = hasher.finish128();
        TokenId([hash.h1, hash.h2])
    }

    fn hasher(&self, token: TokenKey<'_>) -> SipHasher24 {
        let mut hasher = SipHasher24::new_with_keys(self.secret.0, self.secret.1);
        hasher.write_u64((token.location.0 as u64) << 32 | token.choice as u64);
        hasher
    }

    /// What is known now of a token, whose slot this is.
    pub fn find(&self, slot: Slot, token: TokenKey<'_>, now: Timestamp) -> Option<Judged> {
        if let Some(verified) = self.verified.peek(&slot)
            && verified.id == self.id(token)
        {
            return Some(Judged::Verified(Rc::clone(&verified.principal)));
        }
        let refused = self.refused.peek(&slot)?;
        let is_known = now < refused.until && refused.id == self.id(token);
        is_known.then_some(Judged::Refused(refused.fault))
    }

    /// The identity by which a token is to be remembered that was judged just now; none where it was verified for the
    /// first time, as far as is known.
    pub fn id_to_remember(
        &self,
        slot: Slot,
        token: TokenKey<'_>,
        judged: &Judged,
    ) -> Option<TokenId> {
        let is_to_be = match judged {
            Judged::Verified(_) => self.seen_once.get(self.mark_place(slot)) == Some(&slot.0),
            Judged::Refused(_) => true,
        };
        is_to_be.then(|| self.id(token))
    }

    /// A token was verified for the first time.
    pub fn seen_once(&mut self, slot: Slot) {
        let place = self.mark_place(slot);
        if let Some(mark) = self.seen_once.get_mut(place) {
            *mark = slot.0;
        }
    }

    fn mark_place(&self, slot: Slot) -> usize {
        (slot.0 >> 32) as usize % self.seen_once.len().max(1)
    }

    /// A token was found: it is kept longer than those that are not asked for.
    pub fn found(&mut self, slot: Slot) {
        let found = self.verified.get_mut(&slot);
        if let Some(found) = found
            && found.holds_claims != found.principal.holds_claims()
        {
            self.bytes -= found.bytes;
            found.weigh();
            self.bytes += found.bytes;
            self.forget_the_oldest();
        }
    }

    /// Remembers a token of that length.
    pub fn remember(
        &mut self,
        slot: Slot,
        id: TokenId,
        judged: Judged,
        length: usize,
        now: Timestamp,
    ) {
        match judged {
            Judged::Verified(principal) => {
                let verified = Verified::new(id, principal, length);
                self.bytes += verified.bytes;
                let replaced = self.verified.put(slot, verified);
                self.bytes -= replaced.map_or(0, |verified| verified.bytes);
                self.forget_the_oldest();
            }
            Judged::Refused(fault) => {
                // Its key is gone, or it would have been found to be good.
                let is_known = |verified: &Verified| verified.id == id;
                if self.verified.peek(&slot).is_some_and(is_known)
                    && let Some(gone) = self.verified.pop(&slot)
                {
                    self.bytes -= gone.bytes;
                }
                if is_for_good(fault) {
                    let until = now.plus(REFUSED_FOR);
                    self.refused.put(slot, Refused { id, fault, until });
                }
                while self.refused.len() > self.sizes.refused {
                    self.refused.pop_lru();
                }
            }
        }
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
