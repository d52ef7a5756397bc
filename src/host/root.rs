//! The root context: one configuration in one worker. It accepts configurations, and is called between requests.

use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::crypto::HostCrypto;
use super::ffi;
use super::filter::Filter;
use super::log;
use super::metrics::PluginMetrics;
use super::stream::Stream;
use crate::authenticate::jose::signature::{Algorithm, AlgorithmSet, Chosen, self_test};
use crate::config;
use crate::plan::{Crypto, Plan};

proxy_wasm::main! {{
    log::set_up();
    proxy_wasm::set_root_context(|context| Box::new(Root::new(context)));
}}

/// How often the filter looks for keys to fetch and publishes counters. A request that waits for keys waits so much
/// longer at most.
const TICK: Duration = Duration::from_millis(100);

/// When the filter first looks for keys to fetch. Not while it is configured: Envoy tries a configuration in a module
/// that it then discards, and the other workers would wait for the answer to a call from there.
const FIRST_TICK: Duration = Duration::from_millis(5);

/// The root context of the filter. Until a valid configuration arrives, its plan denies every request.
pub struct Root {
    /// The number of this context at the host.
    context: u32,
    filter: Rc<Filter>,
    /// The algorithms that the host verifies correctly, once that was tested.
    verified_by_host: Option<AlgorithmSet>,
    is_first_tick: bool,
}

impl Root {
    /// A root context without a configuration.
    pub fn new(context: u32) -> Self {
        let in_wasm = Chosen::new(HostCrypto, AlgorithmSet::EMPTY);
        Self {
            context,
            filter: Rc::new(Filter::new(context, Plan::refuse_all(), in_wasm)),
            verified_by_host: None,
            is_first_tick: false,
        }
    }

    fn adopt(&mut self, plan: Plan, backend: Chosen<HostCrypto>) {
        let filter = Filter::new(self.context, plan, backend);
        self.set_tick_period(FIRST_TICK);
        self.is_first_tick = true;
        // Last, since it acts on the contexts of requests.
        std::mem::replace(&mut self.filter, Rc::new(filter)).abandon();
    }

    /// Adopts the configuration that the host has. Returns its hash, or none if it is rejected.
    fn configure(&mut self) -> Option<u64> {
        // The SDK's dispatcher makes this call before it delivers a response, and panics if the host denies it.
        if !ffi::act_on(self.context) {
            log::error("countersign: the host denies `proxy_set_effective_context`");
            return None;
        }
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        // Envoy passes on only the variables that `vm_config.environment_variables` declares.
        let environment = |name: &str| std::env::var(name).ok();
        match config::load_in(&environment, &configuration) {
            Ok(loaded) => {
                for warning in loaded.warnings {
                    log::warn(&format!("countersign: {warning}"));
                }
                let backend = self.choose(loaded.plan.crypto)?;
                self.adopt(loaded.plan, backend);
                log::info("countersign: configuration accepted");
                Some(loaded.hash)
            }
            Err(faults) => {
                log::error(&format!(
                    "countersign: configuration rejected, number of faults: {}",
                    faults.len()
                ));
                for fault in faults {
                    log::error(&format!("countersign: {fault}"));
                }
                None
            }
        }
    }

    /// Chooses who verifies signatures. `None` if the configuration asks for what the host cannot do.
    fn choose(&mut self, crypto: Crypto) -> Option<Chosen<HostCrypto>> {
        let verified = &mut self.verified_by_host;
        let verified = || *verified.get_or_insert_with(|| self_test(&HostCrypto));
        match crypto.choose(verified) {
            Ok(by_host) => {
                let in_wasm = AlgorithmSet::from_iter(Algorithm::ALL).without(by_host);
                log::info(&if by_host.is_empty() {
                    format!("countersign: signatures: {in_wasm} in wasm")
                } else {
                    format!("countersign: signatures: {by_host} by the host; {in_wasm} in wasm")
                });
                Some(Chosen::new(HostCrypto, by_host))
            }
            Err(missing) => {
                log::error(&format!(
                    "countersign: crypto: `host` requires `verify_signature`, which does not verify {missing} here: allow the call, or set `auto` or `wasm`"
                ));
                None
            }
        }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, call: u32, _: usize, _: usize, _: usize) {
        self.filter.respond(call);
    }
}

impl RootContext for Root {
    /// Accepts a configuration. If it has a fault, nothing changes: the host rejects the update, and the last valid
    /// configuration stays in use.
    fn on_configure(&mut self, _: usize) -> bool {
        let metrics = PluginMetrics::of_this_plugin();
        let accepted = self.configure();
        match accepted {
            Some(hash) => metrics.accepted(hash),
            None => metrics.rejected(),
        }
        log::follow_host();
        accepted.is_some()
    }

    fn on_tick(&mut self) {
        if std::mem::take(&mut self.is_first_tick) {
            self.set_tick_period(TICK);
        }
        log::follow_host();
        self.filter.poll();
    }

    /// Not called by the host: see [`ffi::run_in_root`].
    fn on_queue_ready(&mut self, _: u32) {
        self.filter.ask();
    }

    /// Each request keeps the filter with which it began, even if the configuration changes meanwhile.
    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(context, Rc::clone(&self.filter))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// The host has removed the filter.
impl Drop for Root {
    fn drop(&mut self) {
        self.filter.retire();
    }
}
