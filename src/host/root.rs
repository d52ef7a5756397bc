//! One filter in one worker: it holds the plan.

use std::rc::Rc;

use log::{error, info, warn};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::metrics::Metrics;
use super::stream::Stream;
use crate::config;
use crate::plan::Plan;

/// The filter's root context. Until a valid document arrives its plan refuses every request.
pub struct Root {
    plan: Rc<Plan>,
    metrics: Rc<Metrics>,
}

impl Root {
    /// A filter without a document.
    pub fn new() -> Self {
        Self {
            plan: Rc::new(Plan::refuse_all()),
            metrics: Rc::new(Metrics::new()),
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
            Rc::clone(&self.metrics),
        )))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
