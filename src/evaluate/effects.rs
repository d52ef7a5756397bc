//! The effects of a decision on the store: committed once, before the decision is carried out.

use smallvec::SmallVec;

use super::Fetch;
use crate::authenticate::{ProviderId, SourceId};
use crate::reject::{LoginFault, ProofFault, Reject, Unavailable};
use crate::scheme::SchemeSet;
use crate::store::{CallerId, Judged, Recorded, Slot, Store, TokenId, UseId};
use crate::time::{Now, Timestamp};

/// The effects of a decision on the store.
#[derive(Debug, Default)]
pub struct Effects {
    /// What was learned about each token.
    pub tokens: SmallVec<[TokenEffect; 1]>,
    /// The callers whose count of failures increases.
    pub failures: Vec<CallerId>,
    /// When the evaluation began, if it computed a slow password hash.
    pub hashed: Option<Timestamp>,
    /// What may be used only once.
    pub uses: Vec<Use>,
    /// How many conditions could not be evaluated.
    pub failed_conditions: u32,
    /// What should be fetched although no request waits for it. The host makes this fetch.
    pub wanted: Option<Fetch>,
    /// The key sources under whose keys a signature failed.
    pub doubted: Vec<SourceId>,
    /// The provider of a token that was refused before all keys were tried that can have signed it.
    pub untried: Option<ProviderId>,
}

/// Something that a request uses, and that no other request may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// What is used.
    pub id: UseId,
    /// From this time on it is not valid anyway.
    pub until: Timestamp,
    /// What kind of thing it is.
    pub used: Used,
    /// The schemes whose challenges carry the error, if it was used before.
    pub schemes: SchemeSet,
}

/// The kinds of things that are used once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// A DPoP proof (RFC 9449 §11.1).
    Proof,
    /// A nonce with its count (RFC 7616 §3.4).
    Nonce,
}

/// Why a decision becomes a denial when its effects are committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// The reason.
    pub reject: Reject,
    /// The schemes whose challenges carry the error; none if they are those of the decision.
    pub schemes: Option<SchemeSet>,
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
    /// Whether there are none, as for most requests without a token.
    pub fn are_none(&self) -> bool {
        let Self {
            tokens,
            failures,
            hashed,
            uses,
            failed_conditions,
            wanted,
            doubted,
            untried,
        } = self;
        tokens.is_empty()
            && failures.is_empty()
            && hashed.is_none()
            && uses.is_empty()
            && *failed_conditions == 0
            && wanted.is_none()
            && doubted.is_empty()
            && untried.is_none()
    }

    /// Commits the effects: the last step of a decision, which may lose a race.
    ///
    /// Workers evaluate requests at the same time. If the failures that other workers counted meanwhile block the caller,
    /// a request that fails is denied for that reason, as it would be if it had come later.
    ///
    /// `now` is the time after the evaluation: it shows how long a password hash took.
    ///
    /// # Errors
    /// Why the request is denied instead: [`Reject::TooManyFailures`], or because it used something that was used before.
    pub fn commit<'c>(self, store: &mut Store, now: impl Into<Now<'c>>) -> Result<(), Lost> {
        let now = now.into();
        let failed = self.failures;
        commit_results(self.hashed, self.tokens, store, now);
        let mut blocked_for = None;
        if let Some(failures) = &store.failures {
            for caller in failed {
                blocked_for = blocked_for.max(failures.count(caller, now.get()));
            }
        }
        if let Some(retry_after) = blocked_for {
            return Err(Lost {
                reject: Reject::TooManyFailures { retry_after },
                schemes: None,
            });
        }
        // Each is recorded, also if another was used before.
        let mut lost = Ok(());
        for used in self.uses {
            if let Err(reject) = used.record(store, now.get()) {
                lost = lost.and(Err(Lost {
                    reject,
                    schemes: Some(used.schemes),
                }));
            }
        }
        lost
    }

    /// Forgets the failures and the uses that were noted since there were so many.
    pub(super) fn truncate(&mut self, (failures, uses): (usize, usize)) {
        self.failures.truncate(failures);
        self.uses.truncate(uses);
    }

    /// Notes a use. The credentials of a request are looked at twice if a rule hides.
    pub(super) fn use_once(&mut self, used: Use) {
        if !self.uses.contains(&used) {
            self.uses.push(used);
        }
    }

    /// Commits a slow password hash, if one was computed, and what was learned about tokens. The request waits and is
    /// evaluated again, which does not repeat the hash.
    pub fn commit_hash(self, store: &mut Store, now: Timestamp) {
        if self.hashed.is_some() {
            commit_results(self.hashed, self.tokens, store, now.into());
        }
    }
}

impl Use {
    #[cold]
    fn record(self, store: &Store, now: Timestamp) -> Result<(), Reject> {
        match store.replays.record(self.id, self.until, now) {
            Recorded::First => Ok(()),
            Recorded::Again => Err(match self.used {
                Used::Proof => Reject::Proof(ProofFault::Replayed),
                Used::Nonce => LoginFault::Stale.into(),
            }),
            Recorded::Full => Err(Reject::Unavailable(Unavailable::Replays)),
            Recorded::NotShared => Err(Reject::Unavailable(Unavailable::SharedData)),
        }
    }
}

fn commit_results(
    hashed: Option<Timestamp>,
    tokens: SmallVec<[TokenEffect; 1]>,
    store: &mut Store,
    now: Now<'_>,
) {
    if let Some(began) = hashed {
        store.hashing.spent(began, now.get());
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
            } => store.tokens.remember(slot, id, judged, bytes, now.get()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;
    use crate::credential::LocationId;
    use crate::store::{CacheSizes, Caller, Failures, Limits, Replays, TokenCache, TokenKey};

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn caller() -> CallerId {
        let limits = Limits {
            failures: 1,
            window: Duration::from_secs(1),
            block: Duration::from_secs(1),
        };
        Failures::new(limits).id(Caller::Address(Ipv4Addr::LOCALHOST.into()))
    }

    fn use_once() -> Use {
        Use {
            id: Replays::new().id(&[b"proof"]),
            until: NOW,
            used: Used::Proof,
            schemes: SchemeSet::default(),
        }
    }

    fn slot() -> Slot {
        let token = TokenKey {
            location: LocationId(0),
            choice: 0,
            octets: b"token",
        };
        let sizes = CacheSizes {
            verified: 1,
            refused: 1,
        };
        TokenCache::new(sizes).slot(token)
    }

    #[test]
    fn each_effect_alone_is_one() {
        assert!(Effects::default().are_none());
        let each: [fn(&mut Effects); 8] = [
            |effects| effects.tokens.push(TokenEffect::Found(slot())),
            |effects| effects.failures.push(caller()),
            |effects| effects.hashed = Some(NOW),
            |effects| effects.uses.push(use_once()),
            |effects| effects.failed_conditions = 1,
            |effects| effects.wanted = Some(Fetch::Keys(SourceId(0))),
            |effects| effects.doubted.push(SourceId(0)),
            |effects| effects.untried = Some(ProviderId(0)),
        ];
        for set in each {
            let mut effects = Effects::default();
            set(&mut effects);
            assert!(!effects.are_none(), "{effects:?}");
        }
    }
}
