//! One filter in one worker: it takes documents, and looks after what goes on between requests.

use std::rc::Rc;
use std::time::Duration;

use super::abi;
use super::crypto::HostCrypto;
use super::filter::Filter;
use super::metrics::Metrics;
use crate::authenticate::signature::{Algorithm, AlgorithmSet, Chosen, self_test};
use crate::config;
use crate::plan::{Crypto, Plan};
use log::{error, info, warn};

/// How often keys are looked after, and counters: a request that waits for keys waits so much longer at most.
const TICK: Duration = Duration::from_millis(100);

/// How soon after a document keys are looked after first. Not at once: Envoy tries a document in a VM that it then
/// throws away, and a call from there would keep the others waiting for an answer that nobody takes.
const FIRST_TICK: Duration = Duration::from_millis(5);

/// The filter's root context. Until a valid document arrives its plan refuses every request.
pub struct Root {
    filter: Rc<Filter>,
    /// What the host verifies as it should, once it was asked.
    able: Option<AlgorithmSet>,
    metrics: Rc<Metrics>,
    is_first_tick: bool,
}

impl Root {
    /// A filter without a document.
    pub fn new() -> Self {
        let metrics = Rc::new(Metrics::new());
        let in_wasm = Chosen::new(HostCrypto, AlgorithmSet::EMPTY);
        Self {
            filter: Rc::new(Filter::new(
                Plan::refuse_all(),
                in_wasm,
                Rc::clone(&metrics),
            )),
            able: None,
            metrics,
            is_first_tick: false,
        }
    }

    /// What judges requests now.
    pub fn filter(&self) -> &Rc<Filter> {
        &self.filter
    }

    /// Takes a document. One with a fault changes nothing: the host rejects the update, and the last good document
    /// goes on serving.
    pub fn configure(&mut self) -> bool {
        let document = abi::configuration().unwrap_or_default();
        match config::load(&document) {
            Ok(loaded) => {
                for warning in loaded.warnings {
                    warn!("countersign: {warning}");
                }
                let Some(backend) = self.choose(loaded.plan.crypto) else {
                    return false;
                };
                self.adopt(loaded.plan, backend);
                info!("countersign: the document is accepted");
                true
            }
            Err(faults) => {
                error!(
                    "countersign: the document is refused, {} in all:",
                    faults.len()
                );
                for fault in faults {
                    error!("countersign: {fault}");
                }
                false
            }
        }
    }

    /// Time has passed; the filter to look after.
    pub fn tick(&mut self) -> Rc<Filter> {
        if std::mem::take(&mut self.is_first_tick) {
            abi::tick_every(TICK);
        }
        self.metrics.tell();
        Rc::clone(&self.filter)
    }

    /// The filter is no longer configured.
    pub fn end(&self) {
        self.metrics.tell();
    }

    fn adopt(&mut self, plan: Plan, backend: Chosen<HostCrypto>) {
        let filter = Filter::new(plan, backend, Rc::clone(&self.metrics));
        abi::tick_every(FIRST_TICK);
        self.is_first_tick = true;
        // Last, since it speaks for the contexts of requests.
        std::mem::replace(&mut self.filter, Rc::new(filter)).abandon();
    }

    /// Settles who verifies signatures; nothing where that cannot be as the document wants it.
    fn choose(&mut self, crypto: Crypto) -> Option<Chosen<HostCrypto>> {
        let able = &mut self.able;
        let able = || *able.get_or_insert_with(|| self_test(&HostCrypto));
        match crypto.choose(able) {
            Ok(by_host) => {
                let in_wasm = AlgorithmSet::from_iter(Algorithm::ALL).without(by_host);
                if by_host.is_empty() {
                    info!("countersign: signatures: {in_wasm} in wasm");
                } else {
                    info!("countersign: signatures: {by_host} by the host; {in_wasm} in wasm");
                }
                Some(Chosen::new(HostCrypto, by_host))
            }
            Err(missing) => {
                error!(
                    "countersign: crypto: `host` is asked for, and the host's `verify_signature` does not verify {missing}"
                );
                None
            }
        }
    }
}
