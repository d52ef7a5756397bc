//! Envoy's counters and gauges of the filter. Each is defined once and then known by its identifier.

use std::cell::{Cell, RefCell};
use std::time::Duration;

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
    keys_fetched: Fetches,
    lists_fetched: Fetches,
    introspections: Fetches,
    condition_failed: Option<u32>,
    hashes: Option<u32>,
    keys: Option<u32>,
    keys_shown: Cell<usize>,
    denied: RefCell<Vec<(Denied, u32)>>,
}

/// The counters of successful and of failed fetches.
struct Fetches {
    ok: Option<u32>,
    failed: Option<u32>,
}

impl Fetches {
    fn count(&self, is_ok: bool) {
        increment(if is_ok { self.ok } else { self.failed }, 1);
    }
}

/// The gauges of a fetched list. They are defined when the list is first fetched, because a gauge that is defined is shown
/// as 0.
#[derive(Default)]
pub struct ListGauges {
    age: Gauge,
    entries: Gauge,
}

/// A gauge, and its value.
#[derive(Default)]
struct Gauge {
    id: Option<u32>,
    shown: Option<u64>,
}

impl ListGauges {
    /// Publishes what has changed of the list of a provider: the time since it was last confirmed, in whole seconds, and
    /// the number of its entries.
    pub fn publish(&mut self, provider: &str, age: Duration, entries: usize) {
        self.age.publish("age", provider, age.as_secs());
        self.entries.publish("entries", provider, entries as u64);
    }
}

impl Gauge {
    fn publish(&mut self, kind: &str, provider: &str, value: u64) {
        if self.shown.replace(value) == Some(value) {
            return;
        }
        if self.id.is_none() {
            self.id = ffi::gauge(&telemetry::list_gauge(kind, provider));
        }
        if let Some(id) = self.id {
            ffi::record(id, value);
        }
    }
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
            keys_fetched: Fetches {
                ok: ffi::counter("countersign.jwks.fetched"),
                failed: ffi::counter("countersign.jwks.failed"),
            },
            lists_fetched: Fetches {
                ok: ffi::counter("countersign.lists.fetched"),
                failed: ffi::counter("countersign.lists.failed"),
            },
            introspections: Fetches {
                ok: ffi::counter("countersign.introspection.ok"),
                failed: ffi::counter("countersign.introspection.failed"),
            },
            condition_failed: ffi::counter("countersign.cel.failed"),
            hashes: ffi::counter("countersign.hashes"),
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

    /// Counts the hits and misses of the token cache, the password hashes, and the conditions that failed to evaluate.
    pub fn count_effects(&self, effects: &Effects) {
        increment(self.condition_failed, effects.failed_conditions);
        increment(self.hashes, effects.hashed.is_some().into());
        for effect in &effects.tokens {
            match effect {
                TokenEffect::Found(_) => self.cache_hit.count(),
                TokenEffect::SeenOnce(_) | TokenEffect::Judged { .. } => self.cache_miss.count(),
            }
        }
    }

    /// Counts a fetch of this worker.
    pub fn count_fetch(&self, report: &FetchReport) {
        let fetches = match report.is_list {
            true => &self.lists_fetched,
            false => &self.keys_fetched,
        };
        fetches.count(report.result.is_ok());
    }

    /// Counts a question to an authorization server.
    pub fn count_introspection(&self, event: &IntrospectionEvent) {
        self.introspections.count(event.result.is_ok());
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
