//! Counters, defined once and then known by number.

use std::cell::{Cell, RefCell};

use super::abi;
use super::fetch::Ended;
use crate::evaluate::{Decision, Effects, TokenEffect, Verdict};
use crate::response::Reply;
use crate::telemetry::{self, Denied};

/// The counters of a worker. Those of refusals are made of statuses and errors of ours, so there are few.
pub struct Metrics {
    allowed: Option<u32>,
    cache_hit: Option<u32>,
    cache_miss: Option<u32>,
    fetched: Option<u32>,
    fetch_failed: Option<u32>,
    condition_failed: Option<u32>,
    keys: Option<u32>,
    keys_shown: Cell<usize>,
    denied: RefCell<Vec<(Denied, u32)>>,
}

impl Metrics {
    /// Defines what has a fixed name.
    pub fn new() -> Self {
        Self {
            allowed: abi::counter(telemetry::ALLOWED),
            cache_hit: abi::counter("countersign.token_cache.hit"),
            cache_miss: abi::counter("countersign.token_cache.miss"),
            fetched: abi::counter("countersign.jwks.fetched"),
            fetch_failed: abi::counter("countersign.jwks.failed"),
            condition_failed: abi::counter("countersign.cel.failed"),
            keys: abi::gauge("countersign.jwks.keys"),
            keys_shown: Cell::new(0),
            denied: RefCell::default(),
        }
    }

    /// Counts a decision.
    pub fn count(&self, decision: &Decision<'_>, reply: Option<&Reply>) {
        increment(match (&decision.verdict, reply) {
            (Verdict::Passes(_), _) => self.allowed,
            (Verdict::Refused(_), Some(reply)) => self.denied(Denied {
                in_shadow: decision.is_shadow,
                status: reply.status,
                error: reply.error,
            }),
            (Verdict::Refused(_), None) | (Verdict::Answers(_), _) => None,
        });
    }

    /// Counts what the cache of tokens saved, and the conditions that could not be evaluated.
    pub fn count_effects(&self, effects: &Effects) {
        for _ in 0..effects.failed_conditions {
            increment(self.condition_failed);
        }
        for effect in &effects.tokens {
            increment(match effect {
                TokenEffect::Found(_) => self.cache_hit,
                TokenEffect::SeenOnce(_) | TokenEffect::Judged { .. } => self.cache_miss,
            });
        }
    }

    /// Counts a fetch.
    pub fn count_fetch(&self, ended: Ended) {
        increment(match ended {
            Ended::Well => self.fetched,
            Ended::Badly => self.fetch_failed,
        });
    }

    /// Shows how many keys are held.
    pub fn keys(&self, held: usize) {
        if self.keys_shown.replace(held) != held
            && let Some(id) = self.keys
        {
            abi::record(id, held as u64);
        }
    }

    fn denied(&self, denied: Denied) -> Option<u32> {
        let mut known = self.denied.borrow_mut();
        if let Some((_, id)) = known.iter().find(|(own, _)| *own == denied) {
            return Some(*id);
        }
        let id = abi::counter(&denied.counter())?;
        known.push((denied, id));
        Some(id)
    }
}

fn increment(id: Option<u32>) {
    if let Some(id) = id {
        abi::increment(id);
    }
}
