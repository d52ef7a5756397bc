//! The lists that a worker holds.

use crate::authenticate::api_key::list::ApiKeys;
use crate::authenticate::{ListsAtHand, SourceId};
use crate::time::Timestamp;

/// The fetched lists of all sources.
#[derive(Debug, Default)]
pub struct HeldLists {}

/// The lists that are recent enough at a time.
pub struct CurrentLists<'h> {
    /// The lists.
    pub held: &'h HeldLists,
    /// The time.
    pub now: Timestamp,
}

impl HeldLists {
    /// Whether a fetch of a source has ended.
    pub fn was_fetched(&self, _: SourceId) -> bool {
        false
    }
}

impl ListsAtHand for CurrentLists<'_> {
    fn api_keys(&self, _: SourceId) -> Option<&ApiKeys> {
        None
    }
}
