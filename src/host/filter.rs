//! What root and streams of one document share: the plan, the store, and the requests that wait.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use log::{error, info, warn};

use super::abi::{self, Unreadable};
use super::crypto::HostCrypto;
use super::metrics::Metrics;
use super::outbound::HostOutbound;
use super::shared::HostShared;
use crate::authenticate::KeySourceId;
use crate::authenticate::signature::Chosen;
use crate::evaluate::{Decision, Effects, Fetch, Forward, Outcome, evaluate};
use crate::keys::{FetchEvent, Fetcher, MAX_RESPONSE};
use crate::plan::{Plan, Policy};
use crate::ports::{CallId, Response};
use crate::request::RequestView;
use crate::response::{Reply, reply};
use crate::store::Store;
use crate::telemetry;
use crate::time::Timestamp;

/// How many requests may wait for keys in one worker; more are answered at once.
const MOST_WAITING: usize = 1_000;

/// How many bytes of header fields are kept of them.
const MOST_BYTES_WAITING: usize = 16 * 1024 * 1024;

/// Where the metadata of a route names its policies.
const ROUTE_POLICY: &str = "xds\0route_metadata\0filter_metadata\0countersign\0policy";

/// One document at work in one worker.
pub struct Filter {
    plan: Plan,
    backend: Chosen<HostCrypto>,
    metrics: Rc<Metrics>,
    store: RefCell<Store>,
    fetcher: RefCell<Fetcher>,
    waiting: RefCell<Vec<(u32, Waiting)>>,
    /// Whether another took its place: nobody looks after its keys any more.
    is_abandoned: Cell<bool>,
}

/// A request that is held until a fetch has ended.
struct Waiting {
    head: Head,
    settled: Vec<Fetch>,
    fetch: Fetch,
    /// How many fetches had ended when it began to wait.
    ended: u64,
    deadline: Timestamp,
}

/// What the host says of a request.
struct Head {
    /// The header map as the host handed it over.
    map: Vec<u8>,
    /// Whether more follows it.
    goes_on: bool,
}

/// What the host says of a request's route.
#[derive(Default)]
struct Route {
    name: Option<Vec<u8>>,
    policy: Option<Vec<u8>>,
    was_changed: bool,
}

impl Route {
    fn policies(&self) -> Vec<&[u8]> {
        self.policy.as_deref().map(abi::texts).unwrap_or_default()
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes on to the upstream.
    Passes,
    /// It was answered.
    Answered,
    /// It is held.
    Waits,
}

impl Filter {
    /// Sets a plan to work.
    pub fn new(plan: Plan, backend: Chosen<HostCrypto>, metrics: Rc<Metrics>) -> Self {
        let sources = plan
            .policy
            .as_ref()
            .map_or(&[][..], |policy| &policy.sources);
        let mut store = plan.empty_store();
        if let Some(failures) = &mut store.failures {
            let names = ["plugin_name", "plugin_root_id", "plugin_vm_id"]
                .map(|name| abi::property(name).unwrap_or_default());
            let names = names.each_ref().map(Vec::as_slice);
            failures.share(Box::new(HostShared::default()), &names);
        }
        Self {
            store: RefCell::new(store),
            fetcher: RefCell::new(Fetcher::new(sources, Box::new(HostShared::default()))),
            waiting: RefCell::default(),
            is_abandoned: Cell::new(false),
            plan,
            backend,
            metrics,
        }
    }

    /// Judges the request of a context, for which the host's calls are answered; `goes_on` if its head is not all of it.
    pub fn judge(&self, context: u32, goes_on: bool) -> Fate {
        match (abi::request_headers(), abi::now()) {
            (Some(map), Some(now)) => {
                self.judge_head(context, Head { map, goes_on }, Vec::new(), now)
            }
            (_, now) => {
                error!("countersign: the host does not give the request's headers or the time");
                let nothing = RequestView::new(Vec::new());
                let now = now.unwrap_or(Timestamp::from_millis(0));
                self.refuse(&nothing, now)
            }
        }
    }

    fn judge_head(
        &self,
        context: u32,
        head: Head,
        mut settled: Vec<Fetch>,
        now: Timestamp,
    ) -> Fate {
        let Some(pairs) = abi::pairs(&head.map) else {
            error!("countersign: the host's header map cannot be read");
            return self.refuse(&RequestView::new(Vec::new()), now);
        };
        let Ok(route) = self.route() else {
            error!("countersign: the host cannot hand over the policy in a route's metadata");
            return self.refuse(&RequestView::new(pairs), now);
        };
        let request = RequestView::new(pairs)
            .going_on(head.goes_on)
            .over_tls(self.is_over_tls())
            .from_client(self.client())
            .on_route(route.name.as_deref(), route.policies())
            .after_changes(route.was_changed);
        let outcome = {
            let store = self.store.borrow();
            let backend = &self.backend;
            evaluate(
                &self.plan,
                &request,
                &store,
                &settled,
                backend,
                now,
                &mut (),
            )
        };
        match outcome {
            Outcome::Decided(decision, effects) => {
                self.carry_out(&decision, effects, &request, now)
            }
            // A stream may begin before a new document comes, and its headers end up here after it.
            Outcome::Needs(fetch) if self.is_abandoned.get() => {
                settled.push(fetch);
                self.judge_head(context, head, settled, now)
            }
            Outcome::Needs(fetch) => {
                self.fetcher.borrow_mut().want(KeySourceId(fetch.source));
                self.hold(context, head, settled, fetch, now)
            }
        }
    }

    /// Takes out of the fields that follow a request's content what the upstream must not get; where that fails, the
    /// request is broken off.
    pub fn clear_trailers(&self) -> Fate {
        let map = abi::request_trailers();
        let fields = map.as_deref().and_then(abi::pairs);
        let names = fields.map(|fields| self.plan.stripped_from_trailers(&fields));
        if names.is_some_and(|names| names.iter().all(|name| abi::remove_trailer(name))) {
            return Fate::Passes;
        }
        error!(
            "countersign: the host does not change a request's trailers as it should; it is broken off"
        );
        let now = abi::now().unwrap_or(Timestamp::from_millis(0));
        self.refuse(&RequestView::new(Vec::new()), now)
    }

    /// Whether the connection is secured by TLS, where anybody asks.
    fn is_over_tls(&self) -> bool {
        let policy = self.plan.policy.as_ref();
        policy.is_some_and(Policy::asks_for_tls)
            && abi::property("connection\0tls_version").is_some_and(|version| !version.is_empty())
    }

    /// The address of the client, as the host's settings for forwarded addresses have it, where anybody asks.
    fn client(&self) -> Option<IpAddr> {
        let policy = self.plan.policy.as_ref();
        policy.filter(|policy| policy.asks_for_address())?;
        source_address()
    }

    /// What the host says of the request's route, as far as anybody asks. A policy that cannot be read could be one that
    /// lets nobody pass.
    fn route(&self) -> Result<Route, Unreadable> {
        let Some(policy) = &self.plan.policy else {
            return Ok(Route::default());
        };
        let ask = |is_asked: bool, path| match is_asked {
            true => abi::readable_property(path),
            false => Ok(None),
        };
        Ok(Route {
            name: ask(policy.asks_for_route_name(), "xds\0route_name")?,
            policy: ask(policy.asks_for_route_policy(), ROUTE_POLICY)?,
            was_changed: ask(policy.asks_for_route(), telemetry::CHANGED)?.is_some(),
        })
    }

    /// Holds a request until a fetch has ended; where too many are held already, it is judged as if it had.
    fn hold(
        &self,
        context: u32,
        head: Head,
        mut settled: Vec<Fetch>,
        fetch: Fetch,
        now: Timestamp,
    ) -> Fate {
        if !self.has_room_for(head.map.len()) {
            settled.push(fetch);
            return self.judge_head(context, head, settled, now);
        }
        let source = KeySourceId(fetch.source);
        let fetcher = self.fetcher.borrow();
        let (Some(ended), Some(limit)) = (fetcher.ended(source), fetcher.time_limit(source)) else {
            drop(fetcher);
            settled.push(fetch);
            return self.judge_head(context, head, settled, now);
        };
        let waiting = Waiting {
            head,
            settled,
            fetch,
            ended,
            deadline: now.plus(limit),
        };
        self.waiting.borrow_mut().push((context, waiting));
        Fate::Waits
    }

    fn has_room_for(&self, bytes: usize) -> bool {
        let waiting = self.waiting.borrow();
        let held: usize = waiting
            .iter()
            .map(|(_, waiting)| waiting.head.map.len())
            .sum();
        waiting.len() < MOST_WAITING && held + bytes <= MOST_BYTES_WAITING
    }

    /// The client of a request went away, or the request has ended.
    pub fn forget(&self, context: u32) {
        self.waiting.borrow_mut().retain(|(own, _)| *own != context);
    }

    /// Looks after the keys, and after the requests that wait for them.
    pub fn poll(&self) {
        let Some(now) = abi::now() else {
            return;
        };
        let events = self.fetcher.borrow_mut().poll(&mut HostOutbound, now);
        self.after_fetches(events, now);
    }

    /// Takes the response to a call of the filter's own.
    pub fn respond(&self, token: u32) {
        let Some(now) = abi::now() else {
            return;
        };
        let headers = abi::call_response_headers().unwrap_or_default();
        let headers = abi::pairs(&headers).unwrap_or_default();
        let body = abi::call_response_body(MAX_RESPONSE + 1).unwrap_or_default();
        let response = Response::from_host(headers, body);
        let mut fetcher = self.fetcher.borrow_mut();
        let event = fetcher.respond(CallId(token), response, &mut HostOutbound, now);
        drop(fetcher);
        self.after_fetches(event, now);
    }

    fn after_fetches(&self, events: impl IntoIterator<Item = FetchEvent>, now: Timestamp) {
        for event in events {
            if let Some(report) = &event.report {
                match report.is_warning() {
                    true => warn!("countersign: {report}"),
                    false => info!("countersign: {report}"),
                }
                self.metrics.count_fetch(report);
            }
            self.store.borrow_mut().fetch_ended(event);
        }
        self.metrics.keys(self.store.borrow().keys.len());
        self.release(|waiting, fetcher| {
            let ended = fetcher.ended(KeySourceId(waiting.fetch.source));
            ended != Some(waiting.ended) || now >= waiting.deadline
        });
    }

    /// Judges every request that waits as if nothing could be fetched: the filter is given up.
    pub fn abandon(&self) {
        self.is_abandoned.set(true);
        self.release(|_, _| true);
    }

    /// Judges again the requests that need wait no longer, each in its own context.
    fn release(&self, is_due: impl Fn(&Waiting, &Fetcher) -> bool) {
        let due: Vec<(u32, Waiting)> = {
            let fetcher = self.fetcher.borrow();
            let mut waiting = self.waiting.borrow_mut();
            let due = |(_, waiting): &mut (u32, Waiting)| is_due(waiting, &fetcher);
            waiting.extract_if(.., due).collect()
        };
        for (context, mut waiting) in due {
            let Some(now) = abi::now().filter(|_| abi::speak_for(context)) else {
                continue;
            };
            waiting.settled.push(waiting.fetch);
            let fate = self.judge_head(context, waiting.head, waiting.settled, now);
            if fate == Fate::Passes && !abi::continue_request() {
                error!("countersign: the host does not let a request go on that was held");
            }
        }
    }

    fn refuse(&self, request: &RequestView<'_>, now: Timestamp) -> Fate {
        let nothing = Plan::refuse_all();
        let store = self.store.borrow();
        match evaluate(&nothing, request, &store, &[], &self.backend, now, &mut ()) {
            Outcome::Decided(decision, _) => {
                drop(store);
                self.carry_out(&decision, Effects::default(), request, now)
            }
            Outcome::Needs(_) => Fate::Waits,
        }
    }

    fn carry_out(
        &self,
        decision: &Decision<'_>,
        effects: Effects,
        request: &RequestView<'_>,
        now: Timestamp,
    ) -> Fate {
        self.metrics.count_effects(&effects);
        if let Some(fetch) = effects.wanted {
            self.fetcher.borrow_mut().want(KeySourceId(fetch.source));
        }
        effects.apply(&mut self.store.borrow_mut(), now);
        let reply = reply(decision, &self.plan.presentation, request, now);
        self.tell(decision, reply.as_ref(), request, now);
        if decision.passes() {
            if decision.forward.takes_out() {
                abi::set_filter_state(telemetry::CHANGED, "1");
            }
            let Forward {
                target,
                remove,
                set,
            } = &decision.forward;
            let is_changed = target.as_deref().is_none_or(abi::set_target)
                && remove.iter().all(|name| abi::remove_field(name))
                && set
                    .iter()
                    .all(|(name, value)| abi::set_field(name, value.as_bytes()));
            if is_changed {
                return Fate::Passes;
            }
            error!("countersign: the host does not change the request as it should; it is held");
            return Fate::Answered;
        }
        if !reply.is_some_and(|reply| abi::send(&reply)) {
            error!("countersign: the host does not take the answer; the request is held");
        }
        Fate::Answered
    }

    fn tell(
        &self,
        decision: &Decision<'_>,
        reply: Option<&Reply>,
        request: &RequestView<'_>,
        now: Timestamp,
    ) {
        self.metrics.count(decision, reply);
        for (name, value) in telemetry::filter_state(decision) {
            abi::set_filter_state(name, &value);
        }
        if telemetry::is_audited(decision, self.plan.audit) {
            audit(decision, reply, request, now);
        }
    }
}

#[inline(never)]
fn audit(
    decision: &Decision<'_>,
    reply: Option<&Reply>,
    request: &RequestView<'_>,
    now: Timestamp,
) {
    let client = request.client().or_else(source_address);
    let line = telemetry::audit_line(decision, reply, request, client, now);
    if decision.refusal().is_some() {
        warn!("{line}");
    } else {
        info!("{line}");
    }
}

fn source_address() -> Option<IpAddr> {
    let text = abi::property("source\0address")?;
    let address: SocketAddr = std::str::from_utf8(&text).ok()?.parse().ok()?;
    Some(address.ip().to_canonical())
}
