//! The keys that a worker holds.

use std::rc::Rc;
use std::time::Duration;

use crate::authenticate::jose::jwk::KeyId;
use crate::authenticate::jose::keys::KeySet;
use crate::authenticate::{KeysAtHand, SourceId};
use crate::time::Timestamp;

/// After a fetch, a token that no key verifies does not cause another fetch for this long.
pub const COOL_DOWN: Duration = Duration::from_secs(30);

/// The key sets of all key sources.
#[derive(Debug, Default)]
pub struct HeldKeySets {
    sources: Vec<HeldKeys>,
}

/// The keys of one key source.
#[derive(Debug, Default)]
pub struct HeldKeys {
    /// The keys; none before the first successful fetch.
    pub set: Option<Rc<KeySet>>,
    /// When the last successful fetch ended.
    pub confirmed: Option<Timestamp>,
    /// When the last fetch ended, successful or not.
    pub attempted: Option<Timestamp>,
    /// Whether the last fetch failed.
    pub failed: bool,
    /// The keys before the last fetch that followed a doubt, and when it ended.
    doubted: Option<(Rc<KeySet>, Timestamp)>,
    /// The last keys of which the issuer has withdrawn at least one.
    withdrawn: Option<Rc<KeySet>>,
}

/// The keys that sources had before, as keys at hand.
pub struct Withdrawn<'h>(pub &'h HeldKeySets);

impl HeldKeySets {
    /// No keys yet, for this number of sources.
    pub fn new(sources: usize) -> Self {
        let empty = std::iter::repeat_with(HeldKeys::default);
        Self {
            sources: empty.take(sources).collect(),
        }
    }

    /// The keys of a source; none if there is no such source.
    pub fn get(&self, source: SourceId) -> Option<&HeldKeys> {
        self.sources.get(source.0)
    }

    /// How many keys these sources have, and the oldest confirmation of their keys.
    pub fn summary(&self, sources: impl Iterator<Item = SourceId>) -> (usize, Option<Timestamp>) {
        let held = sources.filter_map(|source| self.get(source));
        held.fold((0, None), |(number, oldest), own| {
            let keys = own.set.as_ref().map_or(0, |set| set.len());
            let older = oldest.into_iter().chain(own.confirmed).min();
            (number + keys, older)
        })
    }

    /// Replaces the keys of a source; whether there is such a source. `after_doubt` says that a signature had failed under
    /// the old keys before the fetch began.
    pub(crate) fn replace(
        &mut self,
        source: SourceId,
        set: KeySet,
        at: Timestamp,
        after_doubt: bool,
    ) -> bool {
        let held = self.sources.get_mut(source.0);
        let is_known = held.is_some();
        if let Some(held) = held {
            let old = held.set.take();
            if after_doubt {
                held.doubted = old.clone().map(|old| (old, at));
            }
            held.withdrawn = old
                .filter(|old| !old.ids().all(|id| set.holds(id)))
                .or_else(|| held.withdrawn.take());
            held.set = Some(Rc::new(set));
            held.confirmed = Some(at);
            held.attempted = Some(at);
            held.failed = false;
        }
        is_known
    }

    /// Records that a fetch failed. The keys are kept.
    pub(crate) fn failed(&mut self, source: SourceId, at: Timestamp) {
        if let Some(held) = self.sources.get_mut(source.0) {
            held.attempted = Some(at);
            held.failed = true;
        }
    }
}

impl KeysAtHand for HeldKeySets {
    fn keys(&self, source: SourceId) -> Option<&KeySet> {
        self.get(source)?.set.as_deref()
    }
}

impl KeysAtHand for Withdrawn<'_> {
    fn keys(&self, source: SourceId) -> Option<&KeySet> {
        self.0.get(source)?.withdrawn.as_deref()
    }
}

impl HeldKeys {
    /// Whether a fetch can bring a key that is not held: no fetch ended within [`COOL_DOWN`].
    pub fn may_have_newer(&self, now: Timestamp) -> bool {
        self.cooled_at().is_none_or(|cooled| now >= cooled)
    }

    /// When a token that no key verifies can cause a fetch again. `None` if no fetch has ended.
    pub fn cooled_at(&self) -> Option<Timestamp> {
        self.attempted.map(|attempted| attempted.plus(COOL_DOWN))
    }

    /// Until when it is known that the issuer still uses a key: a signature failed, and a fetch after that returned the
    /// same key. `None` if that is not known.
    pub fn confirmed_until(&self, key: &KeyId) -> Option<Timestamp> {
        let (before, at) = self.doubted.as_ref()?;
        before.holds(key).then(|| at.plus(COOL_DOWN))
    }
}
