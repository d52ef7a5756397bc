//! Envoy's counters and gauges of the filter. Each is defined once and then known by its identifier.

use std::cell::{Cell, RefCell};

use super::ffi;
use crate::authenticate::{ProviderId, SourceId};
use crate::evaluate::{Decision, Effects, TokenEffect, Verdict};
use crate::introspector::IntrospectionEvent;
use crate::keys::{FetchReport, Source};
use crate::plan::{Plan, Policy};
use crate::response::Reply;
use crate::store::Store;
use crate::telemetry::{ALLOWED, Definitions, DeniedCounters, metric_of};
use crate::time::Timestamp;

thread_local! {
    /// The metrics of all configurations of this instance: a host numbers them for the whole instance.
    static DEFINED: RefCell<Definitions> =
        const { RefCell::new(Definitions::new(ffi::counter, ffi::gauge)) };
}

/// The metrics of one configuration in one worker.
pub struct Metrics {
    allowed: Tally,
    cache_hit: Tally,
    cache_miss: Tally,
    condition_failed: Tally,
    hashes: Option<u32>,
    denied: RefCell<DeniedCounters>,
    /// Those of each source.
    sources: Vec<SourceMetrics>,
    /// Those of each authorization server.
    servers: Vec<(ProviderId, Fetches)>,
    /// Those of each provider of JSON Web Tokens.
    keys: Vec<SetGauges>,
}

/// The metrics of a source.
struct SourceMetrics {
    fetches: Fetches,
    /// Those of a list.
    list: SetGauges,
}

/// The counters of successful and of failed fetches.
struct Fetches {
    ok: Option<u32>,
    failed: Option<u32>,
}

/// The gauges of a set that can be fetched: its age and its size.
#[derive(Default)]
struct SetGauges {
    age: Gauge,
    size: Gauge,
}

/// A gauge, and its value. It is defined when it first has a value, because a gauge that is defined is shown as 0.
#[derive(Default)]
struct Gauge {
    id: Cell<Option<u32>>,
    shown: Cell<Option<u64>>,
}

/// A counter of what can happen with every request. Several increments are published with one call, since each call costs.
struct Tally {
    id: Option<u32>,
    unpublished: Cell<u32>,
}

impl Metrics {
    /// Defines the metrics whose names the plan decides.
    pub fn new(plan: &Plan) -> Self {
        let policy = plan.policy.as_ref();
        let sources = policy.map_or(&[][..], |policy| &policy.sources);
        let servers = policy.map_or(&[][..], |policy| &policy.servers);
        let keys = policy.map_or(0, |policy| policy.jwt_providers().count());
        let servers = servers.iter().map(|server| {
            let of = |result| counter(&metric_of("introspection", result, &server.name));
            let fetches = Fetches {
                ok: of("ok"),
                failed: of("failed"),
            };
            (server.provider, fetches)
        });
        Self {
            allowed: Tally::new(ALLOWED),
            cache_hit: Tally::new("countersign.token_cache.hit"),
            cache_miss: Tally::new("countersign.token_cache.miss"),
            condition_failed: Tally::new("countersign.cel.failed"),
            hashes: counter("countersign.hashes"),
            denied: RefCell::default(),
            sources: sources.iter().map(SourceMetrics::new).collect(),
            servers: servers.collect(),
            keys: std::iter::repeat_with(SetGauges::default)
                .take(keys)
                .collect(),
        }
    }

    /// Publishes the increments that were not published yet: one call for each counter that has changed.
    pub fn publish(&self) {
        let tallies = [
            &self.allowed,
            &self.cache_hit,
            &self.cache_miss,
            &self.condition_failed,
        ];
        for tally in tallies {
            tally.publish();
        }
        for (id, by) in self.denied.borrow_mut().take_unpublished() {
            ffi::increment(id, by);
        }
    }

    /// Counts a decision.
    pub fn count(&self, decision: &Decision<'_>, reply: Option<&Reply>) {
        match (&decision.verdict, reply) {
            (Verdict::Passes(_), _) => self.allowed.count(1),
            (Verdict::Refused(_), Some(reply)) => {
                let mut counters = self.denied.borrow_mut();
                DEFINED.with_borrow_mut(|defined| counters.count(decision, reply, defined));
            }
            (Verdict::Refused(_), None) | (Verdict::Answers(_), _) => {}
        }
    }

    /// Counts the hits and misses of the token cache, the password hashes, and the conditions that failed to evaluate.
    pub fn count_effects(&self, effects: &Effects) {
        self.condition_failed.count(effects.failed_conditions);
        increment(self.hashes, effects.hashed.is_some().into());
        for effect in &effects.tokens {
            match effect {
                TokenEffect::Found(_) => self.cache_hit.count(1),
                TokenEffect::SeenOnce(_) | TokenEffect::Judged { .. } => self.cache_miss.count(1),
            }
        }
    }

    /// Counts a fetch of this worker.
    pub fn count_fetch(&self, source: SourceId, report: &FetchReport) {
        if let Some(own) = self.sources.get(source.0) {
            own.fetches.count(report.result.is_ok());
        }
    }

    /// Counts a question to an authorization server.
    pub fn count_introspection(&self, event: &IntrospectionEvent) {
        let mut servers = self.servers.iter();
        if let Some((_, own)) = servers.find(|(provider, _)| *provider == event.provider) {
            own.count(event.result.is_ok());
        }
    }

    /// Publishes what has changed of the number of keys and of entries, and of the time since they were last confirmed.
    pub fn publish_sets(&self, policy: &Policy, store: &Store, now: Timestamp) {
        for ((provider, jwt), own) in policy.jwt_providers().zip(&self.keys) {
            let (fetched, confirmed) = store.keys.summary(jwt.key_sources());
            let number = jwt.inline_keys() + fetched;
            own.publish(("jwks", "keys"), provider, number, confirmed, now);
        }
        for (number, (source, own)) in policy.sources.iter().zip(&self.sources).enumerate() {
            if let Some(held) = store.lists.get(SourceId(number))
                && let Some(list) = &held.list
            {
                let (provider, confirmed) = (&source.provider, held.confirmed);
                let names = ("lists", "entries");
                own.list
                    .publish(names, provider, list.len(), confirmed, now);
            }
        }
    }
}

/// The requests that a replaced configuration still had to decide are counted too.
impl Drop for Metrics {
    fn drop(&mut self) {
        self.publish();
    }
}

impl SourceMetrics {
    fn new(source: &Source) -> Self {
        let kind = match source.content.is_list() {
            true => "lists",
            false => "jwks",
        };
        let of = |result| counter(&metric_of(kind, result, &source.provider));
        Self {
            fetches: Fetches {
                ok: of("fetched"),
                failed: of("failed"),
            },
            list: SetGauges::default(),
        }
    }
}

impl Fetches {
    fn count(&self, is_ok: bool) {
        increment(if is_ok { self.ok } else { self.failed }, 1);
    }
}

impl SetGauges {
    /// Publishes what has changed: the size, and the time since the set was last confirmed, in whole seconds, if it was.
    fn publish(
        &self,
        (kind, size): (&str, &str),
        provider: &str,
        number: usize,
        confirmed: Option<Timestamp>,
        now: Timestamp,
    ) {
        self.size.publish(kind, size, provider, number as u64);
        if let Some(confirmed) = confirmed {
            let age = now.since(confirmed).as_secs();
            self.age.publish(kind, "age", provider, age);
        }
    }
}

impl Gauge {
    fn publish(&self, kind: &str, what: &str, provider: &str, value: u64) {
        if self.shown.replace(Some(value)) == Some(value) {
            return;
        }
        if self.id.get().is_none() {
            self.id.set(gauge_of(kind, what, provider));
        }
        if let Some(id) = self.id.get() {
            ffi::record(id, value);
        }
    }
}

impl Tally {
    fn new(name: &str) -> Self {
        Self {
            id: counter(name),
            unpublished: Cell::new(0),
        }
    }

    fn count(&self, by: u32) {
        self.unpublished
            .set(self.unpublished.get().saturating_add(by));
    }

    fn publish(&self) {
        increment(self.id, self.unpublished.take());
    }
}

/// The metrics of a filter in the host's configuration, which has a name there.
pub struct PluginMetrics {
    plugin: String,
    rejected: Option<u32>,
}

impl PluginMetrics {
    /// Those of the plugin that is being configured.
    pub fn of_this_plugin() -> Self {
        let name = ffi::property("plugin_name").unwrap_or_default();
        let plugin = String::from_utf8_lossy(&name).into_owned();
        Self {
            rejected: counter(&metric_of("configuration", "rejected", &plugin)),
            plugin,
        }
    }

    /// Publishes the hash of the configuration that is in use from now on.
    pub fn accepted(&self, hash: u64) {
        if let Some(id) = gauge_of("configuration", "hash", &self.plugin) {
            ffi::record(id, hash);
        }
    }

    /// Counts a rejected configuration.
    pub fn rejected(&self) {
        increment(self.rejected, 1);
    }
}

fn counter(name: &str) -> Option<u32> {
    DEFINED.with_borrow_mut(|defined| defined.counter(name))
}

fn gauge_of(kind: &str, what: &str, name: &str) -> Option<u32> {
    DEFINED.with_borrow_mut(|defined| defined.gauge(&metric_of(kind, what, name)))
}

fn increment(id: Option<u32>, by: u32) {
    if let (Some(id), 1..) = (id, by) {
        ffi::increment(id, by);
    }
}
