//! The fetcher: fetches what is due, and adopts what other workers fetched.
//!
//! Each worker reads the shared [`Record`] of each source at every [`Fetcher::poll`], several times per second. One
//! worker takes the lease and sends the request. The other workers adopt its result. If the host does not share data,
//! each worker fetches separately.

use std::time::Duration;

use super::MAX_KEY_SET;
use super::content::Loaded;
use super::event::{FetchEvent, FetchReport, Fetched, Summary};
use super::fault::FetchFault;
use super::record::{Record, max_age};
use super::source::{Address, Endpoint, Source};
use crate::authenticate::SourceId;
use crate::ports::{
    Call, CallId, Method, NotSent, Outbound, Response, Shared, SharedData, USER_AGENT,
};
use crate::time::Timestamp;

/// How much longer than its fetch a lease lasts: the time that a worker needs around its calls.
const GRACE: Duration = Duration::from_secs(1);

/// The headers of each request, in addition to `accept`. Firewalls deny requests without `user-agent`. The filter cannot
/// decompress a response.
const HEADERS: [(&str, &str); 2] = [("user-agent", USER_AGENT), ("accept-encoding", "identity")];

/// The longest `ETag` that is sent back, in bytes.
const MAX_ETAG: usize = 256;

/// The sources of one configuration, as one worker sees them.
pub struct Fetcher {
    shared: Box<dyn SharedData>,
    sources: Vec<Watched>,
}

/// A source, as one worker sees it.
struct Watched {
    source: Source,
    /// The key of the shared record.
    key: String,
    /// The record as this worker last read or wrote it.
    record: Record,
    /// Whether this worker has the content of the record.
    has_content: bool,
    /// The `ETag` of that content, if it is a list and has one.
    etag: Option<String>,
    /// The last lease of this worker, as the record identifies it.
    lease: i64,
    /// Whether a token has come that no key verifies.
    is_wanted: bool,
    /// Whether a signature has failed under a key of the source since the last fetch began.
    is_doubted: bool,
    /// Whether one had failed before the fetch of this worker began.
    follows_doubt: bool,
    /// The call of this worker that waits for its response.
    call: Option<Pending>,
    /// The number of fetches that ended since this worker watches the source, whichever worker made them.
    ended: u64,
}

struct Pending {
    id: CallId,
    endpoint: Endpoint,
    step: Step,
    /// Whether the request says which content this worker has.
    has_etag: bool,
}

/// What a call fetches.
#[derive(Clone, Copy)]
enum Step {
    /// The metadata that names the URL of the content.
    Metadata,
    Content,
}

/// A fetch that ended, with the endpoint of its last request.
struct Ended {
    endpoint: Endpoint,
    outcome: Result<Received, FetchFault>,
}

enum Received {
    New(New),
    /// The content that this worker has, which now has this `ETag`.
    Unchanged {
        etag: Option<String>,
    },
}

/// New content.
struct New {
    loaded: Loaded,
    summary: Summary,
    body: Vec<u8>,
    /// The version of the shared body that it replaces.
    replaces: u32,
    max_age: Option<Duration>,
    etag: Option<String>,
}

impl Fetcher {
    /// A fetcher for the sources of a configuration, in their order.
    pub fn new(sources: &[Source], shared: Box<dyn SharedData>) -> Self {
        let sources = sources.iter().map(|source| Watched {
            key: source.shared_key(),
            source: source.clone(),
            record: Record::default(),
            has_content: false,
            etag: None,
            lease: 0,
            is_wanted: false,
            is_doubted: false,
            follows_doubt: false,
            call: None,
            ended: 0,
        });
        Self {
            sources: sources.collect(),
            shared,
        }
    }

    /// The number of fetches of a source that ended since this fetcher exists; none if there is no such source.
    pub fn ended(&self, source: SourceId) -> Option<u64> {
        self.sources.get(source.0).map(|watched| watched.ended)
    }

    /// The longest time that a fetch of a source takes; none if there is no such source.
    pub fn time_limit(&self, source: SourceId) -> Option<Duration> {
        let watched = self.sources.get(source.0);
        watched.map(|watched| watched.source.time_limit())
    }

    /// The most bytes of the response to a call that are accepted; 0 if the call is not the fetcher's.
    pub fn max_response(&self, call: CallId) -> usize {
        let mut sources = self.sources.iter();
        let most = sources.find_map(|watched| {
            let own = watched.call.as_ref().filter(|own| own.id == call)?;
            Some(watched.max_response(own.step))
        });
        most.unwrap_or(0)
    }

    /// Notes that a request needs a fetch: nothing was fetched yet, the list is too old, or no key verifies its token.
    pub fn want(&mut self, source: SourceId) {
        if let Some(watched) = self.sources.get_mut(source.0) {
            watched.is_wanted = true;
        }
    }

    /// Notes that a signature failed under a key of a source. The next fetch tells whether the issuer replaced the key.
    pub fn doubt(&mut self, source: SourceId) {
        if let Some(watched) = self.sources.get_mut(source.0) {
            watched.is_doubted = true;
        }
    }

    /// Adopts what other workers fetched, and sends the requests that are due.
    ///
    /// Returns the fetches that other workers ended, and those that failed at once because no request was sent.
    pub fn poll(&mut self, outbound: &mut dyn Outbound, now: Timestamp) -> Vec<FetchEvent> {
        let mut events = Vec::new();
        let shared = self.shared.as_ref();
        for (id, watched) in identified(&mut self.sources) {
            let version = watched.adopt(id, shared, now, &mut events);
            if watched.call.is_none()
                && watched.record.is_due(watched.is_wanted, now)
                && watched.lease(version, shared, now)
                && let Some(ended) = watched.begin(outbound)
            {
                events.extend(watched.end(id, ended, shared, now));
            }
        }
        events
    }

    /// Takes the response to a call; `response` is none if no response came.
    ///
    /// Returns the fetch that ended. None if the call is not the fetcher's, if the fetch continues with another call, or if
    /// another worker has taken over the fetch of a list.
    pub fn respond(
        &mut self,
        call: CallId,
        response: Option<Response<'_>>,
        outbound: &mut dyn Outbound,
        now: Timestamp,
    ) -> Option<FetchEvent> {
        let has_sent = |watched: &Watched| watched.call.as_ref().is_some_and(|own| own.id == call);
        let (id, watched) = identified(&mut self.sources).find(|(_, watched)| has_sent(watched))?;
        let pending = watched.call.take()?;
        let shared = self.shared.as_ref();
        let ended = watched.proceed(pending, response, shared, outbound)?;
        watched.end(id, ended, shared, now)
    }
}

fn identified(sources: &mut [Watched]) -> impl Iterator<Item = (SourceId, &mut Watched)> {
    let numbered = sources.iter_mut().enumerate();
    numbered.map(|(number, watched)| (SourceId(number), watched))
}

/// The response to a pending call goes nowhere, so other workers need not wait for the end of the lease.
impl Drop for Fetcher {
    fn drop(&mut self) {
        let pending = self.sources.iter().filter(|watched| watched.call.is_some());
        for watched in pending {
            watched.share_latest(watched.record.released(), self.shared.as_ref());
        }
    }
}

impl Watched {
    /// Adopts what another worker shared. Returns the version of the shared record.
    fn adopt(
        &mut self,
        id: SourceId,
        shared: &dyn SharedData,
        now: Timestamp,
        events: &mut Vec<FetchEvent>,
    ) -> u32 {
        let (record, version) = self.shared_record(shared);
        let Some(record) = record else {
            return version;
        };
        let record = record.bounded(self.source.schedule, self.lease_time(), now);
        if record.ended != self.record.ended {
            let mut push = |at, fetched| {
                events.push(FetchEvent {
                    source: id,
                    at: Timestamp::from_millis(at),
                    fetched,
                    after_doubt: record.after_doubt,
                    report: None,
                });
            };
            let is_known = self.has_content && record.version == self.record.version;
            if !is_known && record.version != 0 {
                // First, so that it is never the `ETag` of a newer body.
                self.etag = self.shared_etag(shared);
                let body = shared.get(&self.body_key()).0;
                let read = body.map(|body| self.source.content.read(&body));
                let Some(Ok((loaded, _))) = read else {
                    self.has_content = false;
                    self.etag = None;
                    self.record = record.due_now();
                    return version;
                };
                self.has_content = true;
                push(record.confirmed_at, Fetched::Ok(loaded));
            } else if record.confirmed_at != self.record.confirmed_at {
                push(record.confirmed_at, Fetched::Unchanged);
            }
            if record.failures > 0 {
                push(record.ended_at, Fetched::Err);
            }
            self.is_wanted = false;
            self.ended += 1;
        }
        self.record = record;
        version
    }

    /// The shared record, if it can be read, and its version.
    fn shared_record(&self, shared: &dyn SharedData) -> (Option<Record>, u32) {
        let (value, version) = shared.get(&self.key);
        let record = value.and_then(|value| {
            // Through text: the rest of the module reads JSON from text, and a second reader makes it larger.
            serde_json::from_str::<Record>(std::str::from_utf8(&value).ok()?).ok()
        });
        (record, version)
    }

    /// The `ETag` of the shared body, if it is a list and has one.
    fn shared_etag(&self, shared: &dyn SharedData) -> Option<String> {
        if !self.source.content.is_list() {
            return None;
        }
        entity_tag(&shared.get(&self.etag_key()).0?)
    }

    /// Takes the lease for the next fetch; whether this worker has it.
    fn lease(&mut self, version: u32, shared: &dyn SharedData, now: Timestamp) -> bool {
        let leased = self.record.leased(self.lease_time(), now);
        let is_ours = self.share(leased, version, shared) != Shared::TooLate;
        if is_ours {
            self.record = leased;
            self.lease = leased.leased;
            self.follows_doubt = std::mem::take(&mut self.is_doubted);
        }
        is_ours
    }

    fn lease_time(&self) -> Duration {
        self.source.time_limit() + GRACE
    }

    fn share(&self, record: Record, version: u32, shared: &dyn SharedData) -> Shared {
        match serde_json::to_vec(&record) {
            Ok(value) => shared.set(&self.key, &value, version),
            Err(_) => Shared::Refused,
        }
    }

    fn share_latest(&self, record: Record, shared: &dyn SharedData) {
        let version = shared.get(&self.key).1;
        self.share(record, version, shared);
    }

    fn body_key(&self) -> String {
        format!("{}.body", self.key)
    }

    fn etag_key(&self) -> String {
        format!("{}.etag", self.key)
    }

    /// Shares the `ETag` of the shared body, which is empty if there is none.
    fn share_etag(&self, shared: &dyn SharedData) {
        if self.source.content.is_list() {
            let key = self.etag_key();
            let version = shared.get(&key).1;
            let etag = self.etag.as_deref().unwrap_or_default();
            shared.set(&key, etag.as_bytes(), version);
        }
    }

    fn max_response(&self, step: Step) -> usize {
        match step {
            Step::Metadata => MAX_KEY_SET,
            Step::Content => self.source.content.max_response(),
        }
    }

    /// Whether another worker has taken the lease since this worker took it.
    fn is_overtaken(&self, shared: &dyn SharedData) -> bool {
        let record = self.shared_record(shared).0;
        record.is_some_and(|record| record.leased != self.lease)
    }

    /// Sends the first request of a fetch. Returns the end of the fetch if the request is not sent.
    fn begin(&mut self, outbound: &mut dyn Outbound) -> Option<Ended> {
        let (endpoint, step) = match &self.source.address {
            Address::Direct(endpoint) => (endpoint, Step::Content),
            Address::Discovery { metadata, .. } => (metadata, Step::Metadata),
        };
        self.send(endpoint.clone(), step, outbound)
    }

    fn send(
        &mut self,
        endpoint: Endpoint,
        step: Step,
        outbound: &mut dyn Outbound,
    ) -> Option<Ended> {
        let own = self.source.headers.0.iter();
        let own = own.map(|(name, value)| (name.as_str(), value.expose()));
        let etag = self.etag.as_deref().map(|etag| ("if-none-match", etag));
        let mut headers = HEADERS.to_vec();
        headers.push(("accept", self.source.content.accept()));
        headers.extend(own.chain(etag));
        let sent = outbound.send(&Call {
            cluster: &endpoint.cluster,
            method: Method::Get,
            url: &endpoint.url,
            headers: &headers,
            body: b"",
            timeout: self.source.timeout,
        });
        match sent {
            Ok(id) => {
                self.call = Some(Pending {
                    id,
                    endpoint,
                    step,
                    has_etag: self.etag.is_some(),
                });
                None
            }
            Err(fault) => {
                let cluster = endpoint.cluster.clone();
                Some(endpoint.ended(Err(match fault {
                    NotSent::NoCluster => FetchFault::NoCluster(cluster),
                    NotSent::Refused => FetchFault::NotSent(cluster),
                })))
            }
        }
    }

    /// Goes on with a response: from metadata to the content, and from the content to the end.
    fn proceed(
        &mut self,
        pending: Pending,
        response: Option<Response<'_>>,
        shared: &dyn SharedData,
        outbound: &mut dyn Outbound,
    ) -> Option<Ended> {
        if pending.has_etag
            && response
                .as_ref()
                .is_some_and(|response| response.status == 304)
        {
            let etag = self.etag.clone();
            return Some(pending.endpoint.ended(Ok(Received::Unchanged { etag })));
        }
        let response = match self.accepted(response, &pending) {
            Ok(response) => response,
            Err(fault) => return Some(pending.endpoint.ended(Err(fault))),
        };
        match pending.step {
            Step::Content => Some(pending.endpoint.ended(self.receive(response, shared))),
            Step::Metadata => match self.source.address.of_content(&response.body) {
                Ok(next) => self.send(next, Step::Content, outbound),
                Err(fault) => Some(pending.endpoint.ended(Err(fault))),
            },
        }
    }

    /// A response whose body is read: one with status 200 that is neither compressed nor too long.
    fn accepted<'r>(
        &self,
        response: Option<Response<'r>>,
        pending: &Pending,
    ) -> Result<Response<'r>, FetchFault> {
        let cluster = &pending.endpoint.cluster;
        let response = response.ok_or_else(|| FetchFault::NoResponse(cluster.clone()))?;
        if response.status != 200 {
            let is_list = self.source.content.is_list();
            return Err(FetchFault::status(&response, is_list));
        }
        let most = self.max_response(pending.step);
        if response.body.len() > most {
            return Err(FetchFault::TooLong(most));
        }
        // Some stores of files send a `content-encoding` that is none, such as `utf-8` and `aws-chunked`.
        match FetchFault::compressed(&response) {
            Some(fault) if !looks_like_json(&response.body) => Err(fault),
            _ => Ok(response),
        }
    }

    fn receive(
        &self,
        response: Response<'_>,
        shared: &dyn SharedData,
    ) -> Result<Received, FetchFault> {
        let content = &self.source.content;
        let etag = only(response.values(b"etag")).filter(|_| content.is_list());
        let etag = etag.and_then(entity_tag);
        let (known, replaces) = shared.get(&self.body_key());
        let is_known = known.is_some_and(|known| known == response.body);
        if is_known && self.has_content && content.is_list() {
            return Ok(Received::Unchanged { etag });
        }
        let (loaded, mut summary) = content.read(&response.body)?;
        if let Summary::Read { lenient, .. } = &mut summary
            && is_known
        {
            lenient.0.clear();
        }
        Ok(Received::New(New {
            loaded,
            summary,
            replaces,
            max_age: max_age(response.values(b"cache-control")),
            etag,
            body: response.body,
        }))
    }

    /// Ends a fetch: shares its result, and sets when the next fetch is due. None if another worker has taken over the
    /// fetch of a list: an older list must not replace a newer one.
    fn end(
        &mut self,
        source: SourceId,
        ended: Ended,
        shared: &dyn SharedData,
        now: Timestamp,
    ) -> Option<FetchEvent> {
        if self.source.content.is_list() && self.is_overtaken(shared) {
            return None;
        }
        let after_doubt = std::mem::take(&mut self.follows_doubt);
        self.record.after_doubt = after_doubt;
        let schedule = self.source.schedule;
        let (fetched, result) = match ended.outcome {
            Ok(Received::New(new)) => {
                self.record = self.record.succeeded(schedule, new.max_age, now);
                self.has_content = true;
                self.etag = new.etag;
                // Before the record, which says that there is a new body. The `ETag` last, so that another worker never
                // takes it for that of an older body.
                shared.set(&self.body_key(), &new.body, new.replaces);
                self.share_etag(shared);
                (Fetched::Ok(new.loaded), Ok(new.summary))
            }
            Ok(Received::Unchanged { etag }) => {
                let after_failure = self.record.failures > 0;
                self.record = self.record.confirmed(schedule, now);
                if etag != self.etag {
                    self.etag = etag;
                    self.share_etag(shared);
                }
                (Fetched::Unchanged, Ok(Summary::Unchanged { after_failure }))
            }
            Err(fault) => {
                self.record = self.record.failed(schedule, now);
                // The next fetch can tell.
                self.is_doubted |= after_doubt;
                (Fetched::Err, Err(fault))
            }
        };
        self.is_wanted = false;
        self.ended += 1;
        self.share_latest(self.record, shared);
        Some(FetchEvent {
            source,
            at: now,
            fetched,
            after_doubt,
            report: Some(FetchReport {
                provider: self.source.provider.clone(),
                content: self.source.content.name(),
                is_list: self.source.content.is_list(),
                url: ended.endpoint.url,
                result,
                next: self.record.due_in(now),
            }),
        })
    }
}

impl Endpoint {
    fn ended(self, outcome: Result<Received, FetchFault>) -> Ended {
        Ended {
            endpoint: self,
            outcome,
        }
    }
}

/// Whether a body begins as a JSON object does, which no compressed one does.
fn looks_like_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    body.trim_ascii_start().starts_with(b"{")
}

/// The only item; none if there are several.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next();
    first.filter(|_| items.next().is_none())
}

/// An entity tag that can be sent back: `"abc"` or `W/"abc"` (RFC 9110 §8.8.3), of visible ASCII.
fn entity_tag(value: &[u8]) -> Option<String> {
    let quoted = value.strip_prefix(b"W/").unwrap_or(value);
    let opaque = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let is_etagc = |byte: &u8| byte.is_ascii_graphic() && *byte != b'"';
    let is_tag = value.len() <= MAX_ETAG && opaque.iter().all(is_etagc);
    String::from_utf8(value.to_vec()).ok().filter(|_| is_tag)
}

#[cfg(test)]
mod tests;
