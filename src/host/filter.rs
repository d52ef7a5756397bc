//! The filter: one plan with its store in one worker, and the requests that wait.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::hostcalls::get_buffer;
use proxy_wasm::types::BufferType;

use super::crypto::HostCrypto;
use super::ffi;
use super::log::{self, Limited};
use super::metrics::Metrics;
use super::outbound::HostOutbound;
use super::properties::{self, Route};
use super::shared::HostShared;
use crate::authenticate::jose::keys::{MOST_BY_HOST, MOST_IN_WASM};
use crate::authenticate::jose::signature::Chosen;
use crate::authenticate::{ProviderId, SourceId};
use crate::evaluate::{Asked, Circumstances, Decision, Effects, Fetch, evaluate_into};
use crate::header_map;
use crate::introspector::{self, IntrospectionEvent, Introspector};
use crate::keys::{FetchEvent, Fetcher};
use crate::plan::{Plan, Policy};
use crate::ports::{CallId, Response};
use crate::request::{Around, RequestView};
use crate::response::{Prepared, Reply};
use crate::store::Store;
use crate::telemetry::AuditLines;
use crate::time::{Clock, Now, Timestamp};
use crate::waiting::{Head, Held, Waiting};

/// One configuration at work in one worker.
///
/// No borrow of a cell lasts while a request is evaluated again or the host is called on behalf of another request.
pub struct Filter {
    /// The number of the root context at the host.
    root: u32,
    /// The number of the context of the request whose callback runs. None while a callback of the root context runs.
    request: Cell<Option<u32>>,
    pub(super) plan: Plan,
    pub(super) prepared: Prepared,
    backend: Chosen<HostCrypto>,
    pub(super) metrics: Metrics,
    pub(super) store: RefCell<Store>,
    fetcher: RefCell<Fetcher>,
    introspector: RefCell<Introspector>,
    /// What the authorization servers have not been asked yet.
    questions: RefCell<Vec<Asked>>,
    waiting: RefCell<Waiting>,
    pub(super) lines: Limited,
    /// The memory of the last response, for the next one.
    pub(super) reply: Cell<Reply>,
    /// The same, for its headers as the host takes them.
    pub(super) map: Cell<Vec<u8>>,
    pub(super) audit_lines: RefCell<AuditLines>,
    /// Whether another configuration has replaced this one, or the host has removed the filter. Its keys are not fetched any
    /// more.
    is_abandoned: Cell<bool>,
}

/// How often the log says of a provider that not all of its keys are tried.
const TELLS_OF_UNTRIED: Duration = Duration::from_secs(600);

/// How often the log says that an authorization server does not answer.
const TELLS_OF_OUTAGE: Duration = Duration::from_secs(10);

/// What the host does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The request continues to the upstream.
    Continues,
    /// The filter has responded, or the host has not done what the filter asked: the request stays paused.
    Answered,
    /// The request stays paused until a fetch has ended.
    Waits,
}

impl Filter {
    /// Puts a plan to work.
    pub fn new(root: u32, plan: Plan, backend: Chosen<HostCrypto>) -> Self {
        let policy = plan.policy.as_ref();
        let sources = policy.map_or(&[][..], |policy| &policy.sources);
        let servers = policy.map_or(&[][..], |policy| &policy.servers);
        let introspector = Introspector::new(servers);
        let mut store = plan.empty_store();
        if policy.is_some_and(Policy::shares_data) {
            let names = ["plugin_name", "plugin_root_id", "plugin_vm_id"]
                .map(|name| ffi::property(name).unwrap_or_default());
            store.share(
                &Rc::new(HostShared::default()),
                &names.each_ref().map(Vec::as_slice),
            );
        }
        Self {
            root,
            request: Cell::new(None),
            store: RefCell::new(store),
            fetcher: RefCell::new(Fetcher::new(sources, Box::new(HostShared::default()))),
            introspector: RefCell::new(introspector),
            questions: RefCell::default(),
            waiting: RefCell::default(),
            lines: Limited::default(),
            reply: Cell::default(),
            map: Cell::default(),
            audit_lines: RefCell::default(),
            is_abandoned: Cell::new(false),
            metrics: Metrics::new(&plan),
            prepared: Prepared::new(&plan),
            plan,
            backend,
        }
    }

    /// Decides the request on which the host's calls act. `goes_on` says whether content or trailers follow its head.
    pub fn decide(&self, context: u32, goes_on: bool) -> Next {
        self.request.set(Some(context));
        let clock = Clock::new(ffi::now);
        let now = Now::Of(&clock);
        let next = match ffi::request_headers() {
            Some(map) => self.decide_head(context, Head { map, goes_on }, Vec::new(), now),
            None => {
                self.lines.error(
                    "countersign: the host does not return the request's headers: request denied",
                );
                self.refuse_unread(now)
            }
        };
        self.request.set(None);
        next
    }

    fn decide_head(&self, context: u32, head: Head, settled: Vec<Fetch>, now: Now<'_>) -> Next {
        let policy = self.plan.policy.as_ref();
        let route = Route::read(policy);
        let route = route.as_ref().map_err(|unreadable| *unreadable);
        let policies = route.and_then(Route::policies);
        let is_unreadable = policies.is_err();
        let mut request = RequestView::around(Around {
            over_tls: properties::is_over_tls(policy),
            client: properties::client(policy),
            has_more: head.goes_on,
            route: route.ok().and_then(|route| route.name.as_deref()),
            policies: policies.unwrap_or_default(),
            was_changed: route.is_ok_and(|route| route.was_changed),
            peer: Some(&properties::Peer),
        });
        if request.read(&head.map).is_none() {
            self.lines
                .error("countersign: cannot read the host's header map: request denied");
            return self.refuse_unread(now);
        }
        if is_unreadable {
            return self.refuse_on_unread_route(&request, now);
        }
        let (mut decision, mut effects) = (Decision::undecided(), Effects::default());
        let fetch = {
            let circumstances = Circumstances {
                settled: &settled,
                backend: &self.backend,
                now,
            };
            let decided = (&mut decision, &mut effects);
            let store = self.store.borrow();
            evaluate_into(
                decided,
                &self.plan,
                &request,
                &store,
                circumstances,
                &mut (),
            )
        };
        if now.is_unknown() {
            self.lines
                .error("countersign: the host does not return the time: request denied");
        }
        match fetch {
            None => {
                let now = time_after(&effects, now);
                self.carry_out(&self.plan, (&mut decision, &mut effects), &request, now)
            }
            Some(fetch) if effects.hashed.is_some() => {
                let now = time_after(&effects, now);
                self.metrics.count_effects(&effects);
                effects.commit_hash(&mut self.store.borrow_mut(), now.get());
                self.wait_for(fetch, context, head, settled, now)
            }
            Some(fetch) => self.wait_for(fetch, context, head, settled, now),
        }
    }

    /// Makes a fetch, for which a request waits.
    fn wait_for(
        &self,
        fetch: Fetch,
        context: u32,
        head: Head,
        mut settled: Vec<Fetch>,
        now: Now<'_>,
    ) -> Next {
        match self.is_abandoned.get() {
            // A stream may begin under one configuration and send its headers under the next.
            true => {
                settled.push(fetch);
                self.decide_head(context, head, settled, now)
            }
            false => {
                self.want(&fetch);
                self.hold(context, head, settled, fetch, now)
            }
        }
    }

    /// Makes a request wait for a fetch. If too many requests wait, it is decided as if the fetch had failed.
    fn hold(
        &self,
        context: u32,
        head: Head,
        mut settled: Vec<Fetch>,
        fetch: Fetch,
        now: Now<'_>,
    ) -> Next {
        let terms = self.terms(&fetch).filter(|_| {
            let waiting = self.waiting.borrow();
            waiting.has_room_for(head.map.len())
        });
        let Some((fetches_ended, time_limit)) = terms else {
            settled.push(fetch);
            return self.decide_head(context, head, settled, now);
        };
        let held = Held {
            head,
            settled,
            fetch,
            fetches_ended,
            deadline: now.get().plus(time_limit),
        };
        self.waiting.borrow_mut().hold(context, held);
        Next::Waits
    }

    /// How many fetches of this kind have ended, and how long one takes at the longest. `None` if none is made.
    fn terms(&self, fetch: &Fetch) -> Option<(u64, Duration)> {
        let limit = match fetch {
            Fetch::Keys(source) | Fetch::KeysInDoubt(source) | Fetch::Entries(source) => {
                self.fetcher.borrow().time_limit(*source)
            }
            Fetch::Introspection(asked) => self.introspector.borrow().time_limit(asked.provider),
        };
        Some((self.ended(fetch)?, limit?))
    }

    /// How many fetches of this kind have ended; none if none is made. A token has one call at a time.
    fn ended(&self, fetch: &Fetch) -> Option<u64> {
        match fetch {
            Fetch::Keys(source) | Fetch::KeysInDoubt(source) | Fetch::Entries(source) => {
                self.fetcher.borrow().ended(*source)
            }
            Fetch::Introspection(Asked { id, .. }) => {
                let is_asking = self.introspector.borrow().is_asking(*id);
                is_asking.then_some(0)
            }
        }
    }

    /// Makes a fetch that a request needs, or notes that it is needed.
    pub(super) fn want(&self, fetch: &Fetch) {
        match fetch {
            Fetch::Keys(source) | Fetch::Entries(source) => self.fetcher.borrow_mut().want(*source),
            Fetch::KeysInDoubt(source) => {
                self.fetcher.borrow_mut().want(*source);
                self.doubt(*source);
            }
            // A replaced filter asks nothing, and the host may have removed its root context.
            Fetch::Introspection(_) if self.is_abandoned.get() => {}
            Fetch::Introspection(asked) => {
                self.questions.borrow_mut().push(asked.clone());
                match self.request.get() {
                    Some(request) if !ffi::run_in_root(self.root, request) => {
                        self.questions.take();
                        self.lines.error(
                            "countersign: the host does not change the context: tokens are not introspected",
                        );
                    }
                    Some(_) => {}
                    None => self.ask(),
                }
            }
        }
    }

    /// Asks the authorization servers. A callback of the root context runs.
    pub fn ask(&self) {
        for asked in self.questions.take() {
            let Asked {
                provider,
                id,
                token,
                since,
            } = asked;
            let mut introspector = self.introspector.borrow_mut();
            if let Some(event) = introspector.ask(provider, id, &token, &mut HostOutbound) {
                self.after_introspection(event, since);
            }
        }
    }

    /// Keeps the answer of an authorization server.
    fn after_introspection(&self, event: IntrospectionEvent, now: Timestamp) {
        self.metrics.count_introspection(&event);
        let mut store = self.store.borrow_mut();
        match event.result {
            Ok((answer, until)) => store.introspections.keep(event.id, answer, now, until),
            Err(failure) => {
                let line = format!("countersign: {failure}");
                self.lines.warn(&line, TELLS_OF_OUTAGE, now);
            }
        }
    }

    /// Notes that a signature failed under a key of a source.
    pub(super) fn doubt(&self, source: SourceId) {
        self.fetcher.borrow_mut().doubt(source);
    }

    /// Says in the log that a token was denied although a key that was not tried can have signed it. Not for each token,
    /// because anyone can send such tokens.
    pub(super) fn tell_of_untried(&self, provider: ProviderId, now: Timestamp) {
        let policy = self.plan.policy.as_ref();
        let known = policy.and_then(|policy| policy.providers.get(provider.0));
        if let Some(known) = known {
            let line = format!(
                "countersign: provider `{}`: a token was denied before all keys that can have signed it were tried: at most {MOST_BY_HOST} are tried if the host verifies the algorithm, otherwise {MOST_IN_WASM}: each key needs its own `kid`",
                known.name
            );
            self.lines.warn(&line, TELLS_OF_UNTRIED, now);
        }
    }

    /// Removes from the request's trailers what the upstream must not receive. If that fails, the filter responds in
    /// place of the upstream.
    pub fn strip_trailers(&self) -> Next {
        let map = ffi::request_trailers();
        let trailers = map.as_deref().and_then(header_map::parse);
        let names = trailers.map(|trailers| self.plan.stripped_from_trailers(&trailers));
        if names.is_some_and(|names| names.iter().all(|name| ffi::remove_trailer(name))) {
            return Next::Continues;
        }
        self.lines
            .error("countersign: the host does not remove a trailer: request denied");
        self.refuse_unread(Now::Of(&Clock::new(ffi::now)))
    }

    /// The request of a context has ended. It does not wait any longer.
    pub fn forget(&self, context: u32) {
        self.waiting.borrow_mut().forget(context);
    }

    /// Publishes counters, fetches the keys and lists that are due, adopts those of other workers, and decides the requests that waited.
    pub fn poll(&self) {
        self.metrics.publish();
        let Some(now) = ffi::now() else {
            return;
        };
        let events = self.fetcher.borrow_mut().poll(&mut HostOutbound, now);
        self.after_fetches(events, now);
    }

    /// Takes the response to an HTTP call of the filter.
    pub fn respond(&self, call: u32) {
        let Some(now) = ffi::now() else {
            return;
        };
        let headers = ffi::call_response_headers().unwrap_or_default();
        let headers = header_map::parse(&headers).unwrap_or_default();
        // One byte more shows that the body is too long.
        let most = self.fetcher.borrow().max_response(CallId(call));
        let most = most.max(introspector::MAX_RESPONSE) + 1;
        let body = get_buffer(BufferType::HttpCallResponseBody, 0, most);
        let response = Response::from_host(headers, body.ok().flatten().unwrap_or_default());
        let call = CallId(call);
        let answer = self
            .introspector
            .borrow_mut()
            .respond(call, response.as_ref(), now);
        match answer {
            Some(event) => {
                let id = event.id;
                self.after_introspection(event, now);
                let waited = self.waiting.borrow_mut().take_for(
                    |fetch| matches!(fetch, Fetch::Introspection(asked) if asked.id == id),
                );
                self.release(waited);
            }
            None => {
                let event =
                    self.fetcher
                        .borrow_mut()
                        .respond(call, response, &mut HostOutbound, now);
                self.after_fetches(event, now);
            }
        }
    }

    fn after_fetches(&self, events: impl IntoIterator<Item = FetchEvent>, now: Timestamp) {
        for event in events {
            if let Some(report) = &event.report {
                let line = || format!("countersign: {report}");
                match report.is_warning() {
                    true => log::warn(&line()),
                    // A list can be fetched each second.
                    false if report.is_routine() => {}
                    false => log::info(&line()),
                }
                self.metrics.count_fetch(event.source, report);
            }
            self.store.borrow_mut().fetch_ended(event);
        }
        if let Some(policy) = &self.plan.policy {
            let store = self.store.borrow();
            self.metrics.publish_sets(policy, &store, now);
        }
        self.release_due(now);
    }

    /// Decides the requests whose fetch has ended.
    fn release_due(&self, now: Timestamp) {
        let due = self
            .waiting
            .borrow_mut()
            .take_due(now, |fetch| self.ended(fetch));
        self.release(due);
    }

    /// Decides every waiting request as if its fetch had failed. Another configuration replaces this one.
    pub fn abandon(&self) {
        self.is_abandoned.set(true);
        let all = self.waiting.borrow_mut().take_all();
        self.release(all);
    }

    /// The host has removed the filter. Requests that come nevertheless do not wait.
    pub fn retire(&self) {
        self.is_abandoned.set(true);
    }

    /// Decides requests that have waited, each in its context.
    fn release(&self, requests: Vec<(u32, Held)>) {
        for (context, mut held) in requests {
            if !ffi::act_on(context) {
                continue;
            }
            held.settled.push(held.fetch);
            let clock = Clock::new(ffi::now);
            let next = self.decide_head(context, held.head, held.settled, Now::Of(&clock));
            if next == Next::Continues && !ffi::continue_request() {
                self.lines.error(
                    "countersign: the host does not continue a request that waited for keys",
                );
            }
        }
    }

    /// Denies a request on a route whose policy could be one that denies it.
    #[cold]
    fn refuse_on_unread_route(&self, request: &RequestView<'_>, now: Now<'_>) -> Next {
        self.lines.error(&format!(
            "countersign: route {}: the host cannot return `filter_metadata.countersign.policy`: requests denied; \
             write a string or a list without `null`",
            Route::described()
        ));
        self.refuse(request, now)
    }

    /// Denies a request that cannot be read.
    #[cold]
    fn refuse_unread(&self, now: Now<'_>) -> Next {
        self.refuse(&RequestView::new(Vec::new()), now)
    }

    /// Denies a request as if there were no valid configuration.
    #[cold]
    fn refuse(&self, request: &RequestView<'_>, now: Now<'_>) -> Next {
        // Without a policy, this is the decision about every request.
        let nothing = Plan::refuse_all();
        let decided = (&mut Decision::undecided(), &mut Effects::default());
        self.carry_out(&nothing, decided, request, now)
    }
}

/// The time after an evaluation. A password hash takes time, which this clock shows.
fn time_after<'c>(effects: &Effects, now: Now<'c>) -> Now<'c> {
    let after = effects.hashed.and_then(|_| ffi::now());
    after.map_or(now, Now::At)
}
