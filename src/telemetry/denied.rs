//! The counters of denied requests.

use super::definitions::Definitions;
use super::names;
use crate::evaluate::Decision;
use crate::response::Reply;

/// How many counters of denied requests one worker defines for rules and providers at most. After that, the rule and the
/// provider of a request without a counter are not counted.
pub const MOST_DENIED: usize = 2_000;

/// What a counter counts: numbers only, so that a request whose counter is known costs no allocation and no comparison of
/// texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Denied {
    /// The rule and the provider.
    of: u64,
    /// The event, the status, the error and the reason.
    what: u64,
}

impl Denied {
    /// The rules and providers that have no counter.
    const OTHER: u64 = u64::MAX;
}

/// The counters of one configuration.
///
/// Increments are kept until they are published together, because each call to the host costs.
#[derive(Debug, Default)]
pub struct DeniedCounters {
    /// What is counted, sorted, each with the position of its counter.
    known: Vec<(Denied, usize)>,
    counters: Vec<Counter>,
    /// The positions of the counters with increments that are not published yet.
    changed: Vec<usize>,
}

/// A counter at the host.
#[derive(Debug)]
struct Counter {
    /// Its identifier; none if the host has no counters.
    id: Option<u32>,
    unpublished: u32,
}

impl DeniedCounters {
    /// Counts a denied request, by its decision and its response.
    pub fn count(&mut self, decision: &Decision<'_>, reply: &Reply, definitions: &mut Definitions) {
        let Some(position) = self.find(decision, reply, definitions) else {
            return;
        };
        if let Some(counter) = self.counters.get_mut(position) {
            if counter.unpublished == 0 {
                self.changed.push(position);
            }
            counter.unpublished = counter.unpublished.saturating_add(1);
        }
    }

    /// The counters that changed since the last call: the identifier of each, and by how much it changed.
    pub fn take_unpublished(&mut self) -> impl Iterator<Item = (u32, u32)> {
        let (changed, counters) = (self.changed.drain(..), &mut self.counters);
        changed.filter_map(|position| {
            let counter = counters.get_mut(position)?;
            let by = std::mem::take(&mut counter.unpublished);
            Some((counter.id?, by))
        })
    }

    /// The position of the counter. None if the response is no error.
    fn find(
        &mut self,
        decision: &Decision<'_>,
        reply: &Reply,
        definitions: &mut Definitions,
    ) -> Option<usize> {
        let (error, reason) = (reply.error?, decision.refusal()?.reason());
        let event = u64::from(decision.is_shadow);
        let what = [reply.status.into(), error as u64, reason as u64];
        let number = |position: Option<usize>| position.map_or(0, |position| position as u64 + 1);
        let rule = number(decision.rule.map(|rule| rule.position));
        let provider = number(decision.principal().map(|caller| caller.provider().0));
        let mut denied = Denied {
            of: rule << 32 | provider,
            what: what.iter().fold(event, |all, part| all << 16 | part),
        };
        let mut position = self.position(denied);
        if position.is_err() && self.known.len() >= MOST_DENIED {
            denied.of = Denied::OTHER;
            position = self.position(denied);
        }
        match position {
            Ok(known) => Some(self.known.get(known)?.1),
            Err(vacant) => {
                let name = |is_other| {
                    let what = (reply.status, error.name(), reason.name());
                    names::denied(what, decision, is_other)
                };
                let is_other = denied.of == Denied::OTHER;
                let id = definitions.counter_among(MOST_DENIED, is_other, &name);
                let position = self.counters.len();
                self.counters.push(Counter { id, unpublished: 0 });
                self.known.insert(vacant, (denied, position));
                Some(position)
            }
        }
    }

    fn position(&self, denied: Denied) -> Result<usize, usize> {
        self.known.binary_search_by(|(known, _)| known.cmp(&denied))
    }
}
