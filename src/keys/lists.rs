//! The lists of credentials that a worker holds.

use std::time::Duration;

use super::content::List;
use super::source::{Schedule, Source};
use crate::authenticate::api_key::list::ApiKeys;
use crate::authenticate::basic::users::UserList;
use crate::authenticate::{ListsAtHand, SourceId};
use crate::time::{Now, Timestamp};

/// How far ahead the clock of another worker can be.
const SKEW: Duration = Duration::from_secs(60);

/// The lists of all sources.
#[derive(Debug, Default)]
pub struct HeldLists {
    sources: Vec<HeldList>,
}

/// The list of one source.
#[derive(Debug, Default)]
pub struct HeldList {
    /// The list; none before the first successful fetch.
    pub list: Option<List>,
    /// When a fetch last returned the list, or confirmed it.
    pub confirmed: Option<Timestamp>,
    /// When the last fetch ended, successful or not.
    pub attempted: Option<Timestamp>,
    /// Whether the last fetch failed.
    pub failed: bool,
    /// How long the list is used after it was confirmed.
    max_stale: Duration,
}

/// The lists that may be used at a time.
#[derive(Clone, Copy)]
pub struct CurrentLists<'h> {
    /// The lists.
    pub held: &'h HeldLists,
    /// The time.
    pub now: Now<'h>,
}

impl HeldLists {
    /// No lists yet, for these sources.
    pub fn new(sources: &[Source]) -> Self {
        let empty = sources.iter().map(|source| HeldList {
            max_stale: match source.schedule {
                Schedule::Keys { .. } => Duration::ZERO,
                Schedule::List { max_stale, .. } => max_stale,
            },
            ..HeldList::default()
        });
        Self {
            sources: empty.collect(),
        }
    }

    /// The list of a source; none if there is no such source.
    pub fn get(&self, source: SourceId) -> Option<&HeldList> {
        self.sources.get(source.0)
    }

    /// Replaces the list of a source.
    pub(crate) fn replace(&mut self, source: SourceId, list: List, at: Timestamp) {
        if let Some(held) = self.sources.get_mut(source.0) {
            held.list = Some(list);
        }
        self.confirm(source, at);
    }

    /// Records that the list of a source is current.
    pub(crate) fn confirm(&mut self, source: SourceId, at: Timestamp) {
        if let Some(held) = self.sources.get_mut(source.0) {
            held.confirmed = Some(at);
            held.attempted = Some(at);
            held.failed = false;
        }
    }

    /// Records that a fetch failed. The list is kept.
    pub(crate) fn failed(&mut self, source: SourceId, at: Timestamp) {
        if let Some(held) = self.sources.get_mut(source.0) {
            held.attempted = Some(at);
            held.failed = true;
        }
    }
}

impl HeldList {
    /// The time since the list was last confirmed. None if there is no list.
    pub fn age(&self, now: Timestamp) -> Option<Duration> {
        Some(now.since(self.confirmed?))
    }

    /// Until when the list is used, if no fetch confirms it. None if there is no list.
    pub fn until(&self) -> Option<Timestamp> {
        Some(self.confirmed?.plus(self.max_stale))
    }

    /// The list, unless it is too old. If its confirmation is in the future, the clock was set back, and the age is not
    /// known.
    pub fn current(&self, now: Timestamp) -> Option<&List> {
        let is_past = self.confirmed? <= now.plus(SKEW);
        let is_current = is_past && self.age(now)? <= self.max_stale;
        self.list.as_ref().filter(|_| is_current)
    }
}

impl ListsAtHand for CurrentLists<'_> {
    fn api_keys(&self, source: SourceId) -> Option<&ApiKeys> {
        match self.held.get(source)?.current(self.now.get())? {
            List::ApiKeys(keys) => Some(keys),
            List::Users(_) => None,
        }
    }

    fn users(&self, source: SourceId) -> Option<&UserList> {
        match self.held.get(source)?.current(self.now.get())? {
            List::Users(users) => Some(users),
            List::ApiKeys(_) => None,
        }
    }
}
