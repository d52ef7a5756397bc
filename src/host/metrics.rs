//! Envoy's counters and gauges of the filter. Each is defined once and then known by its identifier.

use std::cell::{Cell, RefCell};

use super::ffi;
use crate::evaluate::{Decision, Effects, TokenEffect, Verdict};
use crate::introspector::IntrospectionEvent;
use crate::keys::FetchReport;
use crate::response::Reply;
use crate::telemetry::{self, Denied};

/// The counters of a worker. The names of denials consist of statuses and error codes of the filter, so they are few.
pub struct Metrics {
    allowed: Tally,
    cache_hit: Tally,
    cache_miss: Tally,
    fetched: Option<u32>,
    fetch_failed: Option<u32>,
    introspected: Option<u32>,
    introspection_failed: Option<u32>,
    condition_failed: Option<u32>,
    keys: Option<u32>,
    keys_shown: Cell<usize>,
    denied: RefCell<Vec<(Denied, u32)>>,
}

/// A counter of what happens with every request. Several increments are published with one call, since each call costs.
struct Tally {
    id: Option<u32>,
    unpublished: Cell<u32>,
}

impl Tally {
    fn new(name: &str) -> Self {
        Self {
            id: ffi::counter(name),
            unpublished: Cell::new(0),
        }
    }

    fn count(&self) {
        self.unpublished
            .set(self.unpublished.get().saturating_add(1));
    }

    fn publish(&self) {
        increment(self.id, self.unpublished.take());
    }
}

impl Metrics {
    /// Defines the metrics with fixed names.
    pub fn new() -> Self {
        Self {
            allowed: Tally::new(telemetry::ALLOWED),
            cache_hit: Tally::new("countersign.token_cache.hit"),
            cache_miss: Tally::new("countersign.token_cache.miss"),
            fetched: ffi::counter("countersign.jwks.fetched"),
            fetch_failed: ffi::counter("countersign.jwks.failed"),
            introspected: ffi::counter("countersign.introspection.ok"),
            introspection_failed: ffi::counter("countersign.introspection.failed"),
            condition_failed: ffi::counter("countersign.cel.failed"),
            keys: ffi::gauge("countersign.jwks.keys"),
            keys_shown: Cell::new(0),
            denied: RefCell::default(),
        }
    }

    /// Publishes the increments that were not published yet.
    pub fn publish(&self) {
        for tally in [&self.allowed, &self.cache_hit, &self.cache_miss] {
            tally.publish();
        }
    }

    /// Counts a decision.
    pub fn count(&self, decision: &Decision<'_>, reply: Option<&Reply>) {
        match (&decision.verdict, reply) {
            (Verdict::Passes(_), _) => self.allowed.count(),
            (Verdict::Refused(_), Some(reply)) => {
                if let Some(denied) = Denied::of(decision, reply) {
                    increment(self.denied(denied), 1);
                }
            }
            (Verdict::Refused(_), None) | (Verdict::Answers(_), _) => {}
        }
    }

    /// Counts the hits and misses of the token cache, and the conditions that failed to evaluate.
    pub fn count_effects(&self, effects: &Effects) {
        increment(self.condition_failed, effects.failed_conditions);
        for effect in &effects.tokens {
            match effect {
                TokenEffect::Found(_) => self.cache_hit.count(),
                TokenEffect::SeenOnce(_) | TokenEffect::Judged { .. } => self.cache_miss.count(),
            }
        }
    }

    /// Counts a fetch of this worker.
    pub fn count_fetch(&self, report: &FetchReport) {
        let counter = match report.result {
            Ok(_) => self.fetched,
            Err(_) => self.fetch_failed,
        };
        increment(counter, 1);
    }

    /// Counts a question to an authorization server.
    pub fn count_introspection(&self, event: &IntrospectionEvent) {
        let counter = match event.result {
            Ok(_) => self.introspected,
            Err(_) => self.introspection_failed,
        };
        increment(counter, 1);
    }

    /// Publishes the number of keys in use: those of the configuration, and those that were fetched.
    pub fn keys(&self, held: usize) {
        if self.keys_shown.replace(held) != held
            && let Some(id) = self.keys
        {
            ffi::record(id, held as u64);
        }
    }

    fn denied(&self, denied: Denied) -> Option<u32> {
        let mut known = self.denied.borrow_mut();
        if let Some((_, id)) = known.iter().find(|(own, _)| *own == denied) {
            return Some(*id);
        }
        let id = ffi::counter(&denied.counter())?;
        known.push((denied, id));
        Some(id)
    }
}

fn increment(id: Option<u32>, by: u32) {
    if let (Some(id), 1..) = (id, by) {
        ffi::increment(id, by);
    }
}
