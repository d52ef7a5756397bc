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

/// The counters of one configuration, sorted, each with its identifier at the host.
#[derive(Debug, Default)]
pub struct DeniedCounters {
    known: Vec<(Denied, Option<u32>)>,
}

impl DeniedCounters {
    /// The counter of a decision and its response. None if the response is no error, or if the host has no counters.
    pub fn find(
        &mut self,
        decision: &Decision<'_>,
        reply: &Reply,
        definitions: &mut Definitions,
    ) -> Option<u32> {
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
            Ok(known) => self.known.get(known)?.1,
            Err(vacant) => {
                let name = |is_other| {
                    let what = (reply.status, error.name(), reason.name());
                    names::denied(what, decision, is_other)
                };
                let is_other = denied.of == Denied::OTHER;
                let id = definitions.counter_among(MOST_DENIED, is_other, &name);
                self.known.insert(vacant, (denied, id));
                id
            }
        }
    }

    fn position(&self, denied: Denied) -> Result<usize, usize> {
        self.known.binary_search_by(|(known, _)| known.cmp(&denied))
    }
}
