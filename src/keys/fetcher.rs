//! The fetcher: fetches what is due, and adopts what other workers fetched.
//!
//! Each worker reads the shared [`Record`] of each source at every [`Fetcher::poll`], several times per second. One
//! worker takes the lease and sends the request. The other workers adopt its result. If the host does not share data,
//! each worker fetches separately.

use std::time::Duration;

use super::MAX_RESPONSE;
use super::content::{Loaded, parse_body};
use super::event::{FetchEvent, FetchReport, Fetched, Summary};
use super::fault::FetchFault;
use super::record::{Record, max_age};
use super::source::{Address, Endpoint, Source};
use crate::authenticate::SourceId;
use crate::ports::{Call, CallId, Method, NotSent, Outbound, Response, Shared, SharedData};
use crate::time::Timestamp;

/// How much longer than its fetch a lease lasts: the time that a worker needs around its calls.
const GRACE: Duration = Duration::from_secs(1);

/// The headers of each request. Firewalls deny requests without `user-agent`, and the Kubernetes API server serves keys
/// as `application/jwk-set+json` only (RFC 7517 §8.5). The filter cannot decompress a response.
const HEADERS: [(&str, &str); 3] = [
    (
        "user-agent",
        concat!("countersign/", env!("CARGO_PKG_VERSION")),
    ),
    ("accept", "application/jwk-set+json, application/json"),
    ("accept-encoding", "identity"),
];

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

struct Received {
    loaded: Loaded,
    summary: Summary,
    body: Vec<u8>,
    max_age: Option<Duration>,
}

impl Fetcher {
    /// A fetcher for the key sources of a configuration, in their order.
    pub fn new(sources: &[Source], shared: Box<dyn SharedData>) -> Self {
        let sources = sources.iter().map(|source| Watched {
            key: source.shared_key(),
            source: source.clone(),
            record: Record::default(),
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

    /// Notes that a request needs a fetch: no keys were fetched yet, or no key verifies its token.
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
                events.push(watched.end(id, ended, shared, now));
            }
        }
        events
    }

    /// Takes the response to a call; `response` is none if no response came.
    ///
    /// Returns the fetch that ended. None if the call is not the fetcher's, or if the fetch continues with another
    /// call.
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
        let ended = watched.proceed(pending, response, outbound)?;
        Some(watched.end(id, ended, self.shared.as_ref(), now))
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
        let (value, version) = shared.get(&self.key);
        let record = value.and_then(|value| {
            // Through text: the rest of the module reads JSON from text, and a second reader makes it larger.
            serde_json::from_str::<Record>(std::str::from_utf8(&value).ok()?).ok()
        });
        let Some(record) = record else {
            return version;
        };
        let record = record.bounded(self.source.refresh, self.lease_time(), now);
        if record.ended != self.record.ended {
            let mut push = |fetched| {
                events.push(FetchEvent {
                    source: id,
                    at: Timestamp::from_millis(record.ended_at),
                    fetched,
                    after_doubt: record.after_doubt,
                    report: None,
                });
            };
            if record.version != self.record.version {
                let body = shared.get(&self.body_key()).0;
                let read = body.map(|body| self.source.content.read(&body));
                let Some(Ok((loaded, _))) = read else {
                    self.record = record.due_now();
                    return version;
                };
                push(Fetched::Ok(loaded));
            }
            if record.failures > 0 {
                push(Fetched::Err);
            }
            self.is_wanted = false;
            self.ended += 1;
        }
        self.record = record;
        version
    }

    /// Takes the lease for the next fetch; whether this worker has it.
    fn lease(&mut self, version: u32, shared: &dyn SharedData, now: Timestamp) -> bool {
        let leased = self.record.leased(self.lease_time(), now);
        let is_ours = self.share(leased, version, shared) != Shared::TooLate;
        if is_ours {
            self.record = leased;
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
        let sent = outbound.send(&Call {
            cluster: &endpoint.cluster,
            method: Method::Get,
            url: &endpoint.url,
            headers: &HEADERS,
            body: b"",
            timeout: self.source.timeout,
        });
        match sent {
            Ok(id) => {
                self.call = Some(Pending { id, endpoint, step });
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
        outbound: &mut dyn Outbound,
    ) -> Option<Ended> {
        let Pending { endpoint, step, .. } = pending;
        let response = match accepted(response, &endpoint) {
            Ok(response) => response,
            Err(fault) => return Some(endpoint.ended(Err(fault))),
        };
        match step {
            Step::Content => Some(endpoint.ended(self.receive(response))),
            Step::Metadata => match self.source.address.of_content(&response.body) {
                Ok(next) => self.send(next, Step::Content, outbound),
                Err(fault) => Some(endpoint.ended(Err(fault))),
            },
        }
    }

    fn receive(&self, response: Response<'_>) -> Result<Received, FetchFault> {
        let (loaded, summary) = self.source.content.read(&response.body)?;
        Ok(Received {
            loaded,
            summary,
            max_age: max_age(response.values(b"cache-control")),
            body: response.body,
        })
    }

    /// Ends a fetch: shares its result, and sets when the next fetch is due.
    fn end(
        &mut self,
        source: SourceId,
        ended: Ended,
        shared: &dyn SharedData,
        now: Timestamp,
    ) -> FetchEvent {
        let after_doubt = std::mem::take(&mut self.follows_doubt);
        self.record.after_doubt = after_doubt;
        let (fetched, result) = match ended.outcome {
            Ok(mut received) => {
                let refresh = self.source.refresh;
                self.record = self.record.succeeded(refresh, received.max_age, now);
                // Before the record, which says that there is a new body.
                let key = self.body_key();
                let (known, version) = shared.get(&key);
                if known.is_some_and(|known| known == received.body) {
                    received.summary.lenient.0.clear();
                }
                shared.set(&key, &received.body, version);
                (Fetched::Ok(received.loaded), Ok(received.summary))
            }
            Err(fault) => {
                self.record = self.record.failed(now);
                // The next fetch can tell.
                self.is_doubted |= after_doubt;
                (Fetched::Err, Err(fault))
            }
        };
        self.is_wanted = false;
        self.ended += 1;
        self.share_latest(self.record, shared);
        FetchEvent {
            source,
            at: now,
            fetched,
            after_doubt,
            report: Some(FetchReport {
                provider: self.source.provider.clone(),
                content: self.source.content.name(),
                url: ended.endpoint.url,
                result,
                next: self.record.due_in(now),
            }),
        }
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

/// A response whose body is read: one with status 200 that is neither compressed nor too long.
fn accepted<'r>(
    response: Option<Response<'r>>,
    endpoint: &Endpoint,
) -> Result<Response<'r>, FetchFault> {
    let response = response.ok_or_else(|| FetchFault::NoResponse(endpoint.cluster.clone()))?;
    if response.status != 200 {
        return Err(FetchFault::status(&response));
    }
    if response.body.len() > MAX_RESPONSE {
        return Err(FetchFault::TooLong);
    }
    // Some stores of files send a `content-encoding` that is none, such as `utf-8` and `aws-chunked`.
    if let Some(fault) = FetchFault::compressed(&response)
        && parse_body(&response.body).is_err()
    {
        return Err(fault);
    }
    Ok(response)
}

#[cfg(test)]
mod tests;
