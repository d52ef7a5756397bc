//! The results of tokens that were verified before, so that they need not be verified again.
//!
//! 1. A keyed hash of 128 bits identifies a token: of its location, the choice of providers, and the whole token. The
//!    key is random and never leaves the worker, so that a client cannot search for two tokens with the same hash.
//! 2. The cost of this hash grows with the length of the token. It is computed only if the token's slot is in use. The
//!    last bytes of the token select the slot: they are part of the signature, which differs between valid tokens. A
//!    forged token can have the last bytes of a valid token, but not its hash. A short credential selects the slot as a
//!    whole: several users can have the same password.
//! 3. A cache belongs to one configuration, so that results under another configuration are never found.
//! 4. A token is cached when it is verified for the second time. The first time only sets a mark in a table of fixed
//!    size. So tokens that are used once cannot displace cached tokens. What is costly to verify, as a password, is cached
//!    at once.
//! 5. The verified tokens take at most [`MAX_BYTES`] of memory. Each counts with twice its length, or with the memory
//!    that it takes if that is more. If the values of its claims would take far more memory than their text, the text
//!    is kept, and is parsed again for each request that reads the claims.
//! 6. A cached result means that the signature and the claims were valid. The caller of [`TokenCache::find`] must check
//!    again what can change: the time, the revoked tokens and subjects, and whether the key is still a key of the
//!    issuer.

use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::rc::Rc;
use std::time::Duration;

use lru::LruCache;
use siphasher::sip128::{Hasher128, SipHasher24};

use crate::authenticate::{Principal, ProviderId};
use crate::credential::LocationId;
use crate::reject::{Invalid, LoginFault, TokenFault};
use crate::time::Timestamp;

/// How long a rejection is cached.
const REFUSED_FOR: Duration = Duration::from_secs(30);

/// The most memory that the verified tokens may take, in bytes.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// The memory for an entry of the cache besides the caller, in bytes: the entry, and what the cache needs to find it.
const ENTRY: usize = size_of::<Verified>() + 12 * size_of::<usize>();

/// The most marks for tokens that were verified once. A mark takes eight bytes.
const MAX_SEEN_ONCE: usize = 65_536;

/// How many bytes at the end of a token select its slot.
const END: usize = 24;

/// The longest credential that selects its slot as a whole, in bytes.
const SHORT: usize = 256;

/// What identifies a token: the same token can have another result at another location or for another rule.
#[derive(Debug, Clone, Copy)]
pub struct TokenKey<'t> {
    /// The location where it was found.
    pub location: LocationId,
    /// The choice of providers that the rule accepts, or for a password the provider.
    pub choice: usize,
    /// The token.
    pub octets: &'t [u8],
}

/// The slot of a token in the cache, which the last bytes of the token select.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot(u64);

/// The hash of a token, its location and the choice of providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenId([u64; 2]);

/// The result of verifying a token.
#[derive(Debug, Clone)]
pub enum Judged {
    /// The token is valid, and proves this caller.
    Verified(Rc<Principal>),
    /// The token is not valid.
    Refused(Refused),
}

/// Why a token is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The fault.
    pub fault: Invalid,
    /// Whether the throttle counts it, each time that the token is presented.
    pub is_guess: bool,
    /// How long this is known at the longest. `None` if only the cache limits it.
    pub until: Option<Timestamp>,
}

impl From<Invalid> for Refused {
    fn from(fault: Invalid) -> Self {
        Self {
            fault,
            is_guess: fault.is_a_failure(),
            until: None,
        }
    }
}

type BySlot<T> = LruCache<Slot, T, BuildHasherDefault<SlotHasher>>;

/// The hasher for slots. A slot is already a keyed hash, so that it is its own hash.
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

/// A bounded cache of results. If it is full, it forgets the least recently used result.
pub struct TokenCache {
    secret: (u64, u64),
    sizes: CacheSizes,
    verified: BySlot<Verified>,
    refused: BySlot<Rejected>,
    /// The sum of [`Verified::bytes`].
    bytes: usize,
    /// The marks of tokens that were verified once: their slots. The slot selects the place of its mark.
    seen_once: Vec<u64>,
}

/// The most tokens in the cache. With 0, tokens of the kind are not cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSizes {
    /// Verified tokens.
    pub verified: usize,
    /// Rejected tokens.
    pub refused: usize,
}

struct Verified {
    id: TokenId,
    principal: Rc<Principal>,
    /// The length of the token.
    length: usize,
    /// How many bytes it counts in the limit of the cache.
    bytes: usize,
    /// Whether the caller held the claims as values when the bytes were counted.
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
        verified.count_bytes();
        verified
    }

    /// Drops claims that take too much memory, and counts the rest. A token counts with at least twice its length.
    fn count_bytes(&mut self) {
        if let Some(smaller) = self.principal.without_large_claims() {
            self.principal = Rc::new(smaller);
        }
        self.holds_claims = self.principal.holds_claims();
        self.bytes = (2 * self.length).max(ENTRY + self.principal.bytes());
    }
}

struct Rejected {
    id: TokenId,
    refused: Refused,
    until: Timestamp,
}

impl TokenCache {
    /// An empty cache.
    pub fn new(sizes: CacheSizes) -> Self {
        // The only source of random numbers in the standard library: the operating system seeds its maps.
        let random = RandomState::new();
        Self {
            secret: (random.hash_one(1), random.hash_one(2)),
            sizes,
            // `remember` keeps the limits. A bounded map would allocate all of its memory at once.
            verified: LruCache::unbounded_with_hasher(BuildHasherDefault::default()),
            refused: LruCache::unbounded_with_hasher(BuildHasherDefault::default()),
            bytes: 0,
            seen_once: vec![0; sizes.verified.min(MAX_SEEN_ONCE)],
        }
    }

    /// The slot of a token.
    pub fn slot(&self, token: TokenKey<'_>) -> Slot {
        let end = token.octets.last_chunk::<END>();
        let end = end.filter(|_| token.octets.len() > SHORT);
        let mut hasher = self.hasher(token);
        hasher.write(end.map_or(token.octets, |end| end));
        Slot(hasher.finish128().h1)
    }

    /// The identity of a token.
    pub fn id(&self, token: TokenKey<'_>) -> TokenId {
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

    /// The identity of a token at a provider that asks another server about it.
    pub fn id_at(&self, provider: ProviderId, octets: &[u8]) -> TokenId {
        self.id(TokenKey {
            // No location and no choice has these numbers.
            location: LocationId(u32::MAX as usize),
            choice: provider.0,
            octets,
        })
    }

    /// The cached result of a token. `slot` is the token's slot.
    pub fn find(&self, slot: Slot, token: TokenKey<'_>, now: Timestamp) -> Option<Judged> {
        if let Some(verified) = self.verified.peek(&slot)
            && verified.id == self.id(token)
        {
            return Some(Judged::Verified(Rc::clone(&verified.principal)));
        }
        let rejected = self.refused.peek(&slot)?;
        let is_known = now < rejected.until && rejected.id == self.id(token);
        is_known.then_some(Judged::Refused(rejected.refused))
    }

    /// The identity under which to cache the new result of a token. `None` if the token is valid and has no mark,
    /// because it was probably verified for the first time.
    pub fn id_to_remember(
        &self,
        slot: Slot,
        token: TokenKey<'_>,
        judged: &Judged,
    ) -> Option<TokenId> {
        let is_cached = match judged {
            Judged::Verified(principal) => {
                principal.is_costly() || self.seen_once.get(self.mark_place(slot)) == Some(&slot.0)
            }
            Judged::Refused(_) => true,
        };
        is_cached.then(|| self.id(token))
    }

    /// Marks a token that was verified for the first time.
    pub fn seen_once(&mut self, slot: Slot) {
        let place = self.mark_place(slot);
        if let Some(mark) = self.seen_once.get_mut(place) {
            *mark = slot.0;
        }
    }

    fn mark_place(&self, slot: Slot) -> usize {
        (slot.0 >> 32) as usize % self.seen_once.len().max(1)
    }

    /// Marks a cached token as used just now, so that it is forgotten after the others. If the caller now holds the
    /// claims as values, its bytes are counted again.
    pub fn found(&mut self, slot: Slot) {
        let found = self.verified.get_mut(&slot);
        if let Some(found) = found
            && found.holds_claims != found.principal.holds_claims()
        {
            self.bytes -= found.bytes;
            found.count_bytes();
            self.bytes += found.bytes;
            self.forget_the_oldest();
        }
    }

    /// Caches the result of a token that has this length.
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
            Judged::Refused(refused) => {
                // A cached token is rejected only after a change, for example because its key was removed.
                let is_known = |verified: &Verified| verified.id == id;
                if self.verified.peek(&slot).is_some_and(is_known)
                    && let Some(gone) = self.verified.pop(&slot)
                {
                    self.bytes -= gone.bytes;
                }
                let longest = now.plus(REFUSED_FOR);
                let until = refused.until.map_or(longest, |until| until.min(longest));
                if is_worth_caching(refused.fault) && now < until {
                    let rejected = Rejected { id, refused, until };
                    self.refused.put(slot, rejected);
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

    /// Forgets all rejected tokens.
    pub fn forget_refused(&mut self) {
        self.refused.clear();
    }
}

/// Whether a rejection is expensive to find, and stays the same with time and with new keys.
fn is_worth_caching(fault: Invalid) -> bool {
    match fault {
        Invalid::Token(fault) => is_worth_caching_of_token(fault),
        // An unknown user costs as much as a wrong password, and also the second time, so that nothing shows which it is.
        Invalid::Login(LoginFault::User | LoginFault::Password) => true,
        Invalid::Login(LoginFault::Malformed | LoginFault::Challenge | LoginFault::Stale)
        | Invalid::Key(_) => false,
    }
}

fn is_worth_caching_of_token(fault: TokenFault) -> bool {
    match fault {
        TokenFault::Signature
        | TokenFault::Expired
        | TokenFault::Type
        | TokenFault::Audience
        | TokenFault::ClaimMissing
        | TokenFault::ClaimType
        | TokenFault::ClaimMismatch
        | TokenFault::Binding
        | TokenFault::Revoked => true,
        // These are found without a signature verification, and cost little.
        TokenFault::Malformed
        | TokenFault::Algorithm
        | TokenFault::Extension
        | TokenFault::Issuer
        // The results of introspection are cached for themselves.
        | TokenFault::Inactive
        // It depends on the request.
        | TokenFault::Unbound
        // These can change: with new keys, or with time.
        | TokenFault::Key
        | TokenFault::NotYetValid
        | TokenFault::Lifetime => false,
    }
}
