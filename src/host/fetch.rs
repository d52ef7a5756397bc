//! Fetching the keys of issuers, for all workers at once.
//!
//! Every worker looks at the shared [`Record`] of a source a few times a second. One of them takes the lease and asks
//! the issuer; the others adopt what it shares. Where the host shares nothing, each asks for itself.

use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, Status};
use sha2::{Digest, Sha256};

use super::ffi::{self, Shared};
use super::log;
use crate::authenticate::jwk::{RefusedJwk, Source as KeyOrigin, parse_set};
use crate::authenticate::keys::KeySet;
use crate::header_map;
use crate::json;
use crate::refresh::{Endpoint, Location, MAX_RESPONSE, Record, RemoteKeys, jwks_uri, max_age};
use crate::store::Store;
use crate::time::Timestamp;

/// How long a lease outlives the timeout, for what happens around a call.
const GRACE: Duration = Duration::from_secs(1);

/// Of how many keys that cannot be used the log says why.
const MOST_TOLD: usize = 8;

/// The sources of one document, as one worker sees them.
pub struct Fetcher {
    sources: Vec<Source>,
}

struct Source {
    remote: RemoteKeys,
    /// The name under which workers share.
    key: String,
    /// What was last known of it.
    record: Record,
    /// Whether a token has come whose key is unknown.
    wanted: bool,
    /// The call that is under way.
    call: Option<Call>,
    /// How many fetches have been seen to end here, whoever made them.
    ended: u64,
}

struct Call {
    token: u32,
    asks_for: Asked,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Metadata,
    Keys,
}

/// What a fetch came to, for the counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It brought keys.
    Well,
    /// It did not.
    Badly,
}

impl Fetcher {
    /// A fetcher for these sources.
    pub fn new(sources: &[RemoteKeys]) -> Self {
        let sources = sources.iter().map(|remote| Source {
            key: shared_name(remote),
            remote: remote.clone(),
            record: Record::default(),
            wanted: false,
            call: None,
            ended: 0,
        });
        Self {
            sources: sources.collect(),
        }
    }

    /// How many fetches of a source have ended.
    pub fn ended(&self, number: usize) -> u64 {
        self.sources.get(number).map_or(0, |source| source.ended)
    }

    /// How long a fetch of a source may take.
    pub fn patience(&self, number: usize) -> Duration {
        self.sources
            .get(number)
            .map_or(Duration::ZERO, |source| source.patience())
    }

    /// A token has come whose key is unknown, or the first token of all.
    pub fn want(&mut self, number: usize) {
        if let Some(source) = self.sources.get_mut(number) {
            source.wanted = true;
        }
    }

    /// Adopts what other workers have fetched, and fetches what is due; what failed at once is returned.
    pub fn poll(&mut self, store: &mut Store, now: Timestamp) -> Vec<Ended> {
        let mut ended = Vec::new();
        for (number, source) in self.sources.iter_mut().enumerate() {
            let version = source.catch_up(number, store, now);
            if source.call.is_none()
                && source.record.calls_for_a_fetch(source.wanted, now)
                && source.lease(version, now)
                && let Err(fault) = source.begin()
            {
                source.end(number, store, Err(fault), now);
                ended.push(Ended::Badly);
            }
        }
        ended
    }

    /// Takes the response to a call; none where the call was not ours, or goes on to a second one.
    pub fn respond(&mut self, token: u32, store: &mut Store, now: Timestamp) -> Option<Ended> {
        let is_its = |source: &Source| source.call.as_ref().is_some_and(|call| call.token == token);
        let (number, source) = self
            .sources
            .iter_mut()
            .enumerate()
            .find(|(_, source)| is_its(source))?;
        let asked = source.call.take()?.asks_for;
        let outcome = match response() {
            Err(fault) => Err(fault),
            Ok(response) if asked == Asked::Keys => source.read_keys(response),
            Ok(response) => match source.ask_for_keys(&response) {
                Ok(()) => return None,
                Err(fault) => Err(fault),
            },
        };
        let ended = if outcome.is_ok() {
            Ended::Well
        } else {
            Ended::Badly
        };
        source.end(number, store, outcome, now);
        Some(ended)
    }
}

struct Response {
    body: Vec<u8>,
    max_age: Option<Duration>,
}

/// Keys as they came, and as they are used.
struct Fetched {
    text: Vec<u8>,
    set: KeySet,
    refused: Vec<RefusedJwk>,
    max_age: Option<Duration>,
}

/// The response to the call that has just ended.
fn response() -> Result<Response, String> {
    let headers = ffi::call_response_headers().unwrap_or_default();
    let pairs = header_map::parse(&headers).unwrap_or_default();
    let values = |name: &'static [u8]| {
        pairs
            .iter()
            .filter(move |(field, _)| *field == name)
            .map(|(_, value)| *value)
    };
    match values(b":status").next() {
        None => return Err("no answer came".to_owned()),
        Some(b"200") => {}
        Some(status) => {
            let status = String::from_utf8_lossy(status);
            return Err(format!("the answer has status {status}"));
        }
    }
    let body = call_response_body(MAX_RESPONSE + 1);
    if body.len() > MAX_RESPONSE {
        return Err(format!("the answer is longer than {MAX_RESPONSE} bytes"));
    }
    Ok(Response {
        body,
        max_age: max_age(values(b"cache-control")),
    })
}

impl Source {
    fn patience(&self) -> Duration {
        match self.remote.location {
            Location::Jwks(_) => self.remote.timeout,
            Location::Discovery { .. } => self.remote.timeout * 2,
        }
    }

    /// Takes over what another worker has shared; the version of the shared record.
    fn catch_up(&mut self, number: usize, store: &mut Store, now: Timestamp) -> u32 {
        let (shared, version) = ffi::shared(&self.key);
        let record: Option<Record> =
            shared.and_then(|text| serde_json::from_str(str::from_utf8(&text).ok()?).ok());
        let Some(record) = record else {
            return version;
        };
        let record = record.believed(&self.remote, self.patience() + GRACE, now);
        if record.ended != self.record.ended {
            let ended_at = Timestamp::from_millis(record.ended_at);
            if record.version != self.record.version {
                let text = ffi::shared(&self.key_of_body()).0;
                match text.map(|text| self.key_set(&text)) {
                    Some(Ok((set, _))) => store.keys_fetched(number, set, ended_at),
                    Some(Err(_)) | None => {
                        self.record = record.due_at_once();
                        return version;
                    }
                }
            }
            if record.failures > 0 {
                store.fetch_failed(number, ended_at);
            }
            self.wanted = false;
            self.ended += 1;
        }
        self.record = record;
        version
    }

    /// Claims the next fetch for this worker; whether it got it.
    fn lease(&mut self, version: u32, now: Timestamp) -> bool {
        let leased = self.record.leased(self.patience() + GRACE, now);
        let shared = self.share(leased, version);
        if shared != Shared::TooLate {
            self.record = leased;
        }
        shared != Shared::TooLate
    }

    fn share(&self, record: Record, version: u32) -> Shared {
        match serde_json::to_vec(&record) {
            Ok(text) => ffi::share(&self.key, &text, version),
            Err(_) => Shared::No,
        }
    }

    fn key_of_body(&self) -> String {
        format!("{}.body", self.key)
    }

    fn begin(&mut self) -> Result<(), String> {
        let (endpoint, asks_for) = match &self.remote.location {
            Location::Jwks(endpoint) => (endpoint.clone(), Asked::Keys),
            Location::Discovery { metadata, .. } => (metadata.clone(), Asked::Metadata),
        };
        self.call(&endpoint, asks_for)
    }

    fn call(&mut self, endpoint: &Endpoint, asks_for: Asked) -> Result<(), String> {
        let scheme = if endpoint.url.is_https {
            "https"
        } else {
            "http"
        };
        let headers = [
            (":method", "GET"),
            (":scheme", scheme),
            (":authority", endpoint.url.authority.as_str()),
            (":path", endpoint.url.path.as_str()),
            ("accept", "application/json"),
        ];
        let timeout = self.remote.timeout;
        let token = call(&endpoint.cluster, &headers, timeout).map_err(|fault| match fault {
            NotCalled::NoCluster => format!("the host has no cluster `{}`", endpoint.cluster),
            NotCalled::NotNow => {
                format!("the cluster `{}` takes no call now", endpoint.cluster)
            }
        })?;
        self.call = Some(Call { token, asks_for });
        Ok(())
    }

    /// Goes from metadata to the keys that it names.
    fn ask_for_keys(&mut self, response: &Response) -> Result<(), String> {
        let Location::Discovery {
            metadata,
            issuer,
            jwks_cluster,
        } = &self.remote.location
        else {
            return Err("metadata came that nobody asked for".to_owned());
        };
        let url = jwks_uri(&response.body, issuer).map_err(|fault| fault.to_string())?;
        let cluster = if url.has_origin_of(&metadata.url) {
            Some(&metadata.cluster)
        } else {
            jwks_cluster.as_ref()
        };
        let cluster = cluster.ok_or_else(|| {
            format!("the keys are at `{url}`, another origin, and there is no `jwks_cluster`")
        })?;
        let endpoint = Endpoint {
            cluster: cluster.clone(),
            url,
        };
        self.call(&endpoint, Asked::Keys)
    }

    fn read_keys(&self, response: Response) -> Result<Fetched, String> {
        let (set, refused) = self.key_set(&response.body)?;
        Ok(Fetched {
            set,
            refused,
            text: response.body,
            max_age: response.max_age,
        })
    }

    /// The keys that can be used, and those that cannot.
    fn key_set(&self, text: &[u8]) -> Result<(KeySet, Vec<RefusedJwk>), String> {
        let value = json::parse_strict(text).map_err(|fault| format!("the answer is {fault}"))?;
        let set = parse_set(&value, KeyOrigin::Remote).map_err(|fault| fault.to_string())?;
        let keys = KeySet::new(set.keys, self.remote.algorithms.as_deref());
        if keys.is_empty() {
            let why = why(&set.refused).unwrap_or_else(|| "none serves the algorithms".to_owned());
            return Err(format!("no key can be used: {why}"));
        }
        Ok((keys, set.refused))
    }

    /// Ends a fetch: what came is used and shared, and the next one is set.
    fn end(
        &mut self,
        number: usize,
        store: &mut Store,
        outcome: Result<Fetched, String>,
        now: Timestamp,
    ) {
        let provider = &self.remote.provider;
        match outcome {
            Ok(fetched) => {
                log::info(&format!(
                    "countersign: `{provider}` has {} keys",
                    fetched.set.len()
                ));
                if let Some(why) = why(&fetched.refused) {
                    log::warn(&format!(
                        "countersign: not every key of `{provider}` can be used: {why}"
                    ));
                }
                self.record = self.record.succeeded(&self.remote, fetched.max_age, now);
                store.keys_fetched(number, fetched.set, now);
                let body = self.key_of_body();
                let version = ffi::shared(&body).1;
                ffi::share(&body, &fetched.text, version);
            }
            Err(fault) => {
                log::warn(&format!(
                    "countersign: the keys of `{provider}` could not be fetched: {fault}"
                ));
                self.record = self.record.failed(now);
                store.fetch_failed(number, now);
            }
        }
        self.wanted = false;
        self.ended += 1;
        let version = ffi::shared(&self.key).1;
        self.share(self.record, version);
    }
}

/// A call whose answer nobody will hear keeps nobody waiting.
impl Drop for Source {
    fn drop(&mut self) {
        if self.call.is_some() {
            let version = ffi::shared(&self.key).1;
            self.share(self.record.released(), version);
        }
    }
}

/// Why keys are not used, the first few; none where there are none.
fn why(refused: &[RefusedJwk]) -> Option<String> {
    let told: Vec<_> = refused
        .iter()
        .take(MOST_TOLD)
        .map(ToString::to_string)
        .collect();
    let more = refused.len().saturating_sub(MOST_TOLD);
    match (told.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(told.join("; ")),
        (false, more) => Some(format!("{}; and {more} more", told.join("; "))),
    }
}

/// The name under which workers share a source: a hash, so that no two sources share one, and the same for every
/// document, so that a new one finds the keys that the old one had. Whether keys can be used depends on the algorithms,
/// so that sources which differ in these do not share.
fn shared_name(remote: &RemoteKeys) -> String {
    let hash = Sha256::digest(format!("{:?} {:?}", remote.location, remote.algorithms));
    let text: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("countersign.keys.{text}")
}

/// Why a call is not made.
enum NotCalled {
    /// The host has no such cluster.
    NoCluster,
    /// The cluster takes none now.
    NotNow,
}

/// Sends a request without a body; the call's number, under which its response comes.
fn call(cluster: &str, headers: &[(&str, &str)], timeout: Duration) -> Result<u32, NotCalled> {
    let sent = hostcalls::dispatch_http_call(cluster, headers.to_vec(), None, Vec::new(), timeout);
    sent.map_err(|status| match status {
        Status::BadArgument => NotCalled::NoCluster,
        _ => NotCalled::NotNow,
    })
}

/// The content of the response to a call, up to so many bytes.
fn call_response_body(most: usize) -> Vec<u8> {
    let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, most);
    body.ok().flatten().unwrap_or_default()
}
