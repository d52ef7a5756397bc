//! One filter in one worker: it takes documents, and looks after what goes on between requests.

use std::rc::Rc;
use std::time::Duration;

use log::{error, info, warn};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::filter::Filter;
use super::metrics::Metrics;
use super::stream::Stream;
use crate::authenticate::signature::{Backend, Pure};
use crate::config;
use crate::plan::Plan;

/// How often keys are looked after: a request that waits for them waits so much longer at most.
const TICK: Duration = Duration::from_millis(100);

/// The filter's root context. Until a valid document arrives its plan refuses every request.
pub struct Root {
    filter: Rc<Filter>,
    backend: Rc<dyn Backend>,
    metrics: Rc<Metrics>,
}

impl Root {
    /// A filter without a document.
    pub fn new() -> Self {
        let backend: Rc<dyn Backend> = Rc::new(Pure);
        let metrics = Rc::new(Metrics::new());
        let filter = Filter::new(Plan::refuse_all(), Rc::clone(&backend), Rc::clone(&metrics));
        Self {
            filter: Rc::new(filter),
            backend,
            metrics,
        }
    }

    fn adopt(&mut self, plan: Plan) {
        let filter = Filter::new(plan, Rc::clone(&self.backend), Rc::clone(&self.metrics));
        self.filter.abandon();
        self.filter = Rc::new(filter);
        if !self.filter.is_idle() {
            self.set_tick_period(TICK);
            self.filter.poll();
        }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, _: usize, _: usize, _: usize) {
        self.filter.respond(token);
    }
}

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
                self.adopt(loaded.plan);
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

    fn on_tick(&mut self) {
        self.filter.poll();
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(context, Rc::clone(&self.filter))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
