//! The counters of denied requests.

use super::definitions::Definitions;
use super::names;
use crate::authenticate::{Principal, ProviderId};
use crate::evaluate::Decision;
use crate::reject::{Code, Reason};
use crate::response::Reply;

/// How many counters of denied requests one configuration has at most. Further ones are counted without rule and provider.
pub const MOST_DENIED: usize = 2_000;

/// A denied request, as counters distinguish them. It has numbers only, so that a request whose counter is known costs no
/// allocation and no comparison of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Denied {
    reason: Reason,
    of: Of,
    status: u16,
    error: Code,
    in_shadow: bool,
}

/// Whose counter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    /// That of the rule at this position, and of this provider.
    One(Option<usize>, Option<ProviderId>),
    /// That of every rule and provider without a counter of their own.
    Other,
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
        let rule = decision.rule.map(|rule| rule.position);
        let provider = decision.principal().map(Principal::provider);
        let mut denied = Denied {
            reason: decision.refusal()?.reason(),
            of: Of::One(rule, provider),
            status: reply.status,
            error: reply.error?,
            in_shadow: decision.is_shadow,
        };
        let mut position = self.position(&denied);
        if position.is_err() && self.known.len() >= MOST_DENIED {
            denied.of = Of::Other;
            position = self.position(&denied);
        }
        match position {
            Ok(known) => self.known.get(known)?.1,
            Err(vacant) => {
                let id = denied.define(decision, definitions);
                self.known.insert(vacant, (denied, id));
                id
            }
        }
    }

    fn position(&self, denied: &Denied) -> Result<usize, usize> {
        self.known.binary_search_by(|(known, _)| known.cmp(denied))
    }
}

impl Denied {
    #[cold]
    fn define(self, decision: &Decision<'_>, definitions: &mut Definitions) -> Option<u32> {
        let what = (self.status, self.error.name(), self.reason.name());
        let name = |is_other| names::denied(what, decision, is_other);
        if self.of != Of::Other
            && let Ok(id) = definitions.counter_among(MOST_DENIED, &name(false))
        {
            return id;
        }
        definitions.counter(&name(true))
    }
}
