//! One request.

use std::rc::Rc;

use log::{error, info, warn};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::abi;
use super::crypto::HostCrypto;
use super::metrics::Metrics;
use crate::authenticate::signature::Chosen;
use crate::evaluate::{Decision, evaluate};
use crate::plan::Plan;
use crate::request::RequestView;
use crate::response::{Reply, reply};
use crate::telemetry;
use crate::time::Timestamp;

/// A request on its way through the filter.
pub struct Stream {
    plan: Rc<Plan>,
    backend: Chosen<HostCrypto>,
    metrics: Rc<Metrics>,
}

impl Stream {
    /// A request that is judged by `plan`, which stays the same for it whatever is configured meanwhile.
    pub fn new(plan: Rc<Plan>, backend: Chosen<HostCrypto>, metrics: Rc<Metrics>) -> Self {
        Self {
            plan,
            backend,
            metrics,
        }
    }

    fn tell(
        &self,
        decision: &Decision<'_>,
        reply: Option<&Reply>,
        request: &RequestView<'_>,
        now: Timestamp,
    ) {
        self.metrics.count(reply);
        for (name, value) in telemetry::filter_state(decision) {
            abi::set_filter_state(name, value);
        }
        if telemetry::is_audited(decision, self.plan.audit) {
            let client = abi::property("source\0address");
            let client = client.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok());
            let line = telemetry::audit_line(decision, reply, request, client, now);
            if reply.is_some() {
                warn!("{line}");
            } else {
                info!("{line}");
            }
        }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let headers = abi::request_headers();
        let pairs = headers.as_deref().and_then(abi::pairs);
        let cannot_judge = Plan::refuse_all();
        let (plan, now) = match (&pairs, abi::now()) {
            (Some(_), Some(now)) => (&*self.plan, now),
            (None, now) | (Some(_), now @ None) => {
                error!("countersign: the host does not give the request's headers or the time");
                (&cannot_judge, now.unwrap_or(Timestamp::from_millis(0)))
            }
        };
        let request = RequestView::new(pairs.unwrap_or_default());
        let decision = evaluate(plan, &request, &self.backend, now, &mut ());
        let reply = reply(&decision, &plan.presentation, &request, now);
        self.tell(&decision, reply.as_ref(), &request, now);
        match reply {
            None => Action::Continue,
            Some(reply) => {
                if !abi::send(&reply) {
                    error!("countersign: the host does not take the answer; the request is held");
                }
                Action::Pause
            }
        }
    }
}
