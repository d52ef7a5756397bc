//! One filter in one worker: it holds the plan.

use std::rc::Rc;

use log::{error, info, warn};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::crypto::HostCrypto;
use super::metrics::Metrics;
use super::stream::Stream;
use crate::authenticate::signature::{Algorithm, AlgorithmSet, Chosen, self_test};
use crate::config;
use crate::plan::{Crypto, Plan};

/// The filter's root context. Until a valid document arrives its plan refuses every request.
pub struct Root {
    plan: Rc<Plan>,
    backend: Chosen<HostCrypto>,
    /// What the host verifies as it should, once it was asked.
    able: Option<AlgorithmSet>,
    metrics: Rc<Metrics>,
}

impl Root {
    /// A filter without a document.
    pub fn new() -> Self {
        Self {
            plan: Rc::new(Plan::refuse_all()),
            backend: Chosen::new(HostCrypto, AlgorithmSet::EMPTY),
            able: None,
            metrics: Rc::new(Metrics::new()),
        }
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

impl Context for Root {}

impl RootContext for Root {
    /// Takes a document. One with a fault changes nothing: the host rejects the update, and the last good document
    /// goes on serving.
    fn on_configure(&mut self, _: usize) -> bool {
        let document = self.get_plugin_configuration().unwrap_or_default();
        match config::load(&document) {
            Ok(loaded) => {
                for warning in loaded.warnings {
                    warn!("countersign: {warning}");
                }
                let Some(backend) = self.choose(loaded.plan.crypto) else {
                    return false;
                };
                self.backend = backend;
                self.plan = Rc::new(loaded.plan);
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

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(
            Rc::clone(&self.plan),
            self.backend,
            Rc::clone(&self.metrics),
        )))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
