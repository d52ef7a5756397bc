mod lists;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::{Value, json};

use super::*;
use crate::authenticate::jose::signature::Algorithm;
use crate::authenticate::jwt::Issuer;
use crate::keys::{Content, Headers, HeldKeySets, HeldLists, Schedule};
use crate::mint::SigningKey;
use crate::ports::LocalData;
use crate::url::Url;

const SOURCE: SourceId = SourceId(0);
/// The lease of a direct source: its timeout of two seconds, and one more.
const LEASE: i64 = 3_000;

/// A moment, in milliseconds after some other.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis)
}

fn endpoint(cluster: &str, url: &str) -> Endpoint {
    Endpoint {
        cluster: cluster.to_owned(),
        url: Url::parse(url).unwrap(),
    }
}

fn source(address: Address) -> Source {
    Source {
        provider: "corp".to_owned(),
        address,
        timeout: Duration::from_secs(2),
        schedule: Schedule::Keys {
            refresh: Duration::from_secs(600),
        },
        headers: Headers::default(),
        content: Content::Keys { algorithms: None },
    }
}

fn direct() -> Source {
    source(Address::Direct(endpoint(
        "login",
        "https://login.example.com/jwks",
    )))
}

fn discovery(jwks_cluster: Option<&str>) -> Source {
    source(Address::Discovery {
        metadata: endpoint("login", "https://login.example.com/metadata"),
        issuer: Issuer::Exact("https://login.example.com".to_owned()),
        jwks_cluster: jwks_cluster.map(str::to_owned),
    })
}

/// The body of a set of this many keys.
fn keys(number: usize) -> Vec<u8> {
    let key = || SigningKey::generate(Algorithm::Es256).public_jwk();
    let keys: Vec<Value> = std::iter::repeat_with(key).take(number).collect();
    json!({ "keys": keys }).to_string().into_bytes()
}

fn metadata(jwks_uri: &str) -> Vec<u8> {
    let metadata = json!({"issuer": "https://login.example.com", "jwks_uri": jwks_uri});
    metadata.to_string().into_bytes()
}

/// The headers of every request, for metadata and for keys.
fn headers_of_a_fetch() -> Vec<(String, String)> {
    let agent = concat!("countersign/", env!("CARGO_PKG_VERSION"));
    let accept = "application/jwk-set+json, application/json";
    [
        ("user-agent", agent),
        ("accept-encoding", "identity"),
        ("accept", accept),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// A call as the host got it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    id: CallId,
    cluster: String,
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    timeout: Duration,
}

/// A host that records calls. It refuses calls to a cluster that is not known, or not healthy.
#[derive(Clone, Default)]
struct Host {
    sent: Rc<RefCell<Vec<Sent>>>,
}

impl Outbound for Host {
    fn send(&mut self, call: &Call<'_>) -> Result<CallId, NotSent> {
        match call.cluster {
            "unknown" => return Err(NotSent::NoCluster),
            "unhealthy" => return Err(NotSent::Refused),
            _ => {}
        }
        let mut sent = self.sent.borrow_mut();
        let id = CallId(u32::try_from(sent.len()).unwrap() + 1);
        sent.push(Sent {
            id,
            cluster: call.cluster.to_owned(),
            method: call.method,
            url: call.url.to_string(),
            headers: call
                .headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: call.body.to_vec(),
            timeout: call.timeout,
        });
        Ok(id)
    }
}

/// What the tests compare of an event: whether the fetch was successful, and the report.
type Seen = (bool, Option<String>);

/// A worker of a host: the fetcher, and the keys and lists that it holds.
struct Worker {
    fetcher: Fetcher,
    host: Host,
    held: HeldKeySets,
    lists: HeldLists,
}

impl Worker {
    fn new(source: &Source, host: &Host, shared: &Rc<LocalData>) -> Self {
        Self::with(source, host, Box::new(Rc::clone(shared)))
    }

    fn with(source: &Source, host: &Host, shared: Box<dyn SharedData>) -> Self {
        Self {
            fetcher: Fetcher::new(std::slice::from_ref(source), shared),
            host: host.clone(),
            held: HeldKeySets::new(1),
            lists: HeldLists::new(std::slice::from_ref(source)),
        }
    }

    fn poll(&mut self, now: Timestamp) -> Vec<Seen> {
        let events = self.fetcher.poll(&mut self.host, now);
        events.into_iter().map(|event| self.keep(event)).collect()
    }

    /// Polls and returns the call that is sent; none if none is.
    fn sends(&mut self, now: Timestamp) -> Option<Sent> {
        let before = self.host.sent.borrow().len();
        self.poll(now);
        let sent = self.host.sent.borrow();
        assert!(sent.len() <= before + 1);
        sent.get(before).cloned()
    }

    fn respond(&mut self, call: &Sent, status: u16, body: &[u8], now: Timestamp) -> Option<Seen> {
        self.respond_with(call, status, &[], body, now)
    }

    fn respond_with(
        &mut self,
        call: &Sent,
        status: u16,
        headers: &[(&str, &str)],
        body: &[u8],
        now: Timestamp,
    ) -> Option<Seen> {
        let headers = headers.iter();
        let response = Response {
            status,
            headers: headers
                .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
                .collect(),
            body: body.to_vec(),
        };
        let host = &mut self.host;
        let event = self.fetcher.respond(call.id, Some(response), host, now)?;
        Some(self.keep(event))
    }

    fn keep(&mut self, event: FetchEvent) -> Seen {
        assert_eq!(event.source, SOURCE);
        let is_ok = match event.fetched {
            Fetched::Ok(Loaded::Keys(set)) => {
                self.held.replace(SOURCE, set, event.at, event.after_doubt)
            }
            Fetched::Ok(Loaded::List(list)) => {
                self.lists.replace(SOURCE, list, event.at);
                true
            }
            Fetched::Unchanged => {
                self.lists.confirm(SOURCE, event.at);
                true
            }
            Fetched::Err => {
                self.held.failed(SOURCE, event.at);
                self.lists.failed(SOURCE, event.at);
                false
            }
        };
        (is_ok, event.report.map(|report| report.to_string()))
    }

    fn ended(&self) -> u64 {
        self.fetcher.ended(SOURCE).unwrap()
    }
}

const OK: Option<&str> = None;

/// Runs one fetch at [`at`] 0 with these responses, and checks what the report says: the keys, or the fault.
fn fetch(source: &Source, responses: &[(u16, &[u8])], fault: Option<&str>) {
    let (host, shared) = (Host::default(), Rc::default());
    let mut worker = Worker::new(source, &host, &shared);
    let mut seen = worker.poll(at(0)).pop();
    for (index, (status, body)) in responses.iter().enumerate() {
        assert_eq!(seen, None, "{fault:?}");
        let call = host.sent.borrow().get(index).cloned().unwrap();
        seen = worker.respond(&call, *status, body, at(0));
    }
    assert_eq!(host.sent.borrow().len(), responses.len(), "{fault:?}");
    let (is_ok, report) = seen.unwrap();
    let report = report.unwrap();
    assert_eq!(is_ok, fault.is_none(), "{report}");
    assert_eq!((number(&worker.held) == 0), fault.is_some(), "{report}");
    assert_eq!(worker.ended(), 1, "{report}");
    let said = fault.unwrap_or("1 usable");
    assert!(report.contains(said), "expected {said}, found {report}");
    assert!(report.contains("provider `corp`: "), "{report}");
}

/// How many keys a worker has.
fn number(held: &HeldKeySets) -> usize {
    held.summary((0..2).map(SourceId)).0
}

#[test]
fn one_worker_fetches_and_the_others_adopt() {
    let (host, shared) = (Host::default(), Rc::default());
    let mut workers = [(); 3].map(|()| Worker::new(&direct(), &host, &shared));
    let call = workers[0].sends(at(0)).unwrap();
    let expected = Sent {
        id: call.id,
        cluster: "login".to_owned(),
        method: Method::Get,
        url: "https://login.example.com/jwks".to_owned(),
        headers: headers_of_a_fetch(),
        body: Vec::new(),
        timeout: Duration::from_secs(2),
    };
    assert_eq!(call, expected);
    for worker in &mut workers {
        worker.fetcher.want(SOURCE);
        assert_eq!(worker.poll(at(100)), []);
    }
    let report = "provider `corp`: fetched keys from `https://login.example.com/jwks`: 2 usable";
    let seen = workers[0].respond(&call, 200, &keys(2), at(200));
    assert_eq!(seen, Some((true, Some(report.to_owned()))));
    assert_eq!(workers[1].poll(at(300)), [(true, None)]);
    assert_eq!(workers[2].poll(at(400)), [(true, None)]);
    for worker in &mut workers {
        // The fetch also serves requests that wanted it while it was under way.
        assert_eq!(worker.poll(at(60_000)), []);
        assert_eq!((worker.ended(), number(&worker.held)), (1, 2));
        let held = worker.held.get(SOURCE).unwrap();
        assert_eq!((held.attempted, held.failed), (Some(at(200)), false));
    }
    assert_eq!(host.sent.borrow().len(), 1);
}

#[test]
fn keys_are_fetched_again_by_any_worker() {
    let (host, shared) = (Host::default(), Rc::default());
    let mut workers = [(); 2].map(|()| Worker::new(&direct(), &host, &shared));
    let call = workers[0].sends(at(0)).unwrap();
    let headers = [("cache-control", "public, max-age=120")];
    workers[0].respond_with(&call, 200, &headers, &keys(1), at(0));
    assert_eq!(workers[1].poll(at(100)), [(true, None)]);
    // A tenth sooner at most.
    assert_eq!(workers[1].sends(at(107_000)), None);
    let call = workers[1].sends(at(120_000)).unwrap();
    workers[1].respond(&call, 200, &keys(2), at(120_000));
    assert_eq!(workers[0].poll(at(120_100)), [(true, None)]);
    assert_eq!(number(&workers[0].held), 2);
    assert_eq!(workers[0].ended(), 2);
}

#[test]
fn a_new_fetcher_finds_what_was_fetched() {
    let (host, shared) = (Host::default(), Rc::default());
    let mut old = Worker::new(&direct(), &host, &shared);
    let call = old.sends(at(0)).unwrap();
    old.respond(&call, 200, &keys(1), at(0));
    let mut new = Worker::new(&direct(), &host, &shared);
    drop(old);
    assert_eq!(new.poll(at(100)), [(true, None)]);
    // Other algorithms can make other keys usable.
    let mut other = direct();
    other.content = Content::Keys {
        algorithms: Some(vec![Algorithm::Es256]),
    };
    let mut other = Worker::new(&other, &host, &shared);
    assert!(other.sends(at(100)).is_some());
    let mut elsewhere = Worker::new(&discovery(None), &host, &shared);
    assert!(elsewhere.sends(at(100)).is_some());
}

#[test]
fn the_lease_of_a_worker_that_does_not_answer_ends() {
    let (host, shared) = (Host::default(), Rc::default());
    let [mut late, mut other] = [(); 2].map(|()| Worker::new(&direct(), &host, &shared));
    let first = late.sends(at(0)).unwrap();
    assert_eq!(other.sends(at(LEASE - 1)), None);
    let second = other.sends(at(LEASE)).unwrap();
    let seen = other.respond(&second, 200, &keys(1), at(3 * LEASE));
    assert!(seen.is_some_and(|(is_ok, _)| is_ok));
    // A worker that waits for a response sends no second request, and uses a late response.
    assert_eq!(late.poll(at(3 * LEASE)), [(true, None)]);
    assert_eq!(late.sends(at(600_000)), None);
    let seen = late.respond(&first, 200, &keys(2), at(600_000));
    assert!(seen.is_some_and(|(is_ok, _)| is_ok));
    assert_eq!(other.poll(at(600_000)), [(true, None)]);
    assert_eq!((number(&other.held), number(&late.held)), (2, 2));
    assert_eq!((other.ended(), late.ended()), (2, 2));
}

#[test]
fn the_lease_of_discovery_covers_two_requests() {
    let (host, shared) = (Host::default(), Rc::default());
    let [mut one, mut other] = [(); 2].map(|()| Worker::new(&discovery(None), &host, &shared));
    assert!(one.sends(at(0)).is_some());
    assert_eq!(other.sends(at(4_999)), None);
    assert!(other.sends(at(5_000)).is_some());
    let limit = |worker: &Worker| worker.fetcher.time_limit(SOURCE);
    assert_eq!(limit(&one), Some(Duration::from_secs(4)));
    let direct = Worker::new(&direct(), &host, &shared);
    assert_eq!(limit(&direct), Some(Duration::from_secs(2)));
}

#[test]
fn a_dropped_fetcher_releases_its_lease() {
    let (host, shared) = (Host::default(), Rc::default());
    let [mut one, mut other] = [(); 2].map(|()| Worker::new(&direct(), &host, &shared));
    assert!(one.sends(at(0)).is_some());
    assert_eq!(other.sends(at(100)), None);
    drop(one);
    let call = other.sends(at(100)).unwrap();
    // A fetcher without a call has no lease, and changes nothing.
    let mut third = Worker::new(&direct(), &host, &shared);
    assert_eq!(third.sends(at(200)), None);
    drop(third);
    let mut fourth = Worker::new(&direct(), &host, &shared);
    assert_eq!(fourth.sends(at(200)), None);
    assert!(other.respond(&call, 200, &keys(1), at(300)).is_some());
}

#[test]
fn a_failed_fetch_is_repeated_later_and_later_and_keys_are_kept() {
    let (host, shared) = (Host::default(), Rc::default());
    let [mut one, mut other] = [(); 2].map(|()| Worker::new(&direct(), &host, &shared));
    let call = one.sends(at(0)).unwrap();
    one.respond(&call, 200, &keys(1), at(0));
    assert_eq!(other.poll(at(100)), [(true, None)]);
    let mut now = 600_000;
    for wait in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
        let call = one.sends(at(now)).unwrap();
        let (is_ok, report) = one.respond(&call, 500, b"", at(now)).unwrap();
        assert!(!is_ok);
        let report = report.unwrap();
        let expected = "provider `corp`: fetching keys from `https://login.example.com/jwks` failed: expected status 200, found 500: the server is not available; next attempt in ";
        let next = report.strip_prefix(expected).unwrap();
        let next: f64 = next.strip_suffix(" s").unwrap().parse().unwrap();
        let seconds = f64::from(wait) / 1000.0;
        assert!((seconds..=1.1 * seconds).contains(&next), "{next}");
        assert_eq!(other.poll(at(now + 100)), [(false, None)]);
        let held = other.held.get(SOURCE).unwrap();
        assert_eq!((held.attempted, held.failed), (Some(at(now)), true));
        assert_eq!(number(&other.held), 1);
        assert_eq!(other.sends(at(now + i64::from(wait) - 1)), None);
        // A tenth later at most.
        now += i64::from(wait) + i64::from(wait) / 10;
    }
    let call = other.sends(at(now)).unwrap();
    other.respond(&call, 200, &keys(2), at(now));
    assert_eq!(one.poll(at(now)), [(true, None)]);
    let held = one.held.get(SOURCE).unwrap();
    assert_eq!((number(&one.held), held.failed), (2, false));
}

#[test]
fn a_worker_that_missed_a_fetch_adopts_the_keys_and_the_failure() {
    let (host, shared) = (Host::default(), Rc::default());
    let [mut one, mut other] = [(); 2].map(|()| Worker::new(&direct(), &host, &shared));
    let call = one.sends(at(0)).unwrap();
    one.respond(&call, 200, &keys(1), at(0));
    let call = one.sends(at(600_000)).unwrap();
    one.respond(&call, 500, b"", at(600_000));
    assert_eq!(other.poll(at(600_100)), [(true, None), (false, None)]);
    let held = other.held.get(SOURCE).unwrap();
    assert_eq!((held.attempted, held.failed), (Some(at(600_000)), true));
    assert_eq!((number(&other.held), other.ended()), (1, 1));
}

#[test]
fn j_10_an_unknown_key_brings_the_next_fetch_forward_once_in_a_cool_down() {
    let (host, shared) = (Host::default(), Rc::default());
    let mut worker = Worker::new(&direct(), &host, &shared);
    let call = worker.sends(at(0)).unwrap();
    worker.respond(&call, 200, &keys(1), at(0));
    assert_eq!(worker.sends(at(30_000)), None);
    worker.fetcher.want(SOURCE);
    assert_eq!(worker.sends(at(29_999)), None);
    let call = worker.sends(at(30_000)).unwrap();
    worker.respond(&call, 200, &keys(1), at(30_000));
    assert_eq!(worker.sends(at(60_000)), None);
}

#[test]
fn a_request_that_is_not_sent_fails_at_once() {
    for (cluster, fault) in [
        ("unknown", "Envoy has no cluster `unknown`"),
        (
            "unhealthy",
            "cluster `unhealthy` did not accept the request",
        ),
    ] {
        let direct = |cluster| endpoint(cluster, "https://login.example.com/jwks");
        fetch(&source(Address::Direct(direct(cluster))), &[], Some(fault));
        let found = metadata("https://keys.example.com/jwks");
        fetch(&discovery(Some(cluster)), &[(200, &found)], Some(fault));
    }
    let (host, shared) = (Host::default(), Rc::default());
    let lost = source(Address::Direct(endpoint("unknown", "https://a.example/")));
    let [mut one, mut other] = [(); 2].map(|()| Worker::new(&lost, &host, &shared));
    assert_eq!(one.poll(at(0)).len(), 1);
    assert_eq!(other.poll(at(100)), [(false, None)]);
    assert_eq!(one.poll(at(900)), []);
    // The other worker tries again, and the failure is reported again.
    assert!(matches!(&other.poll(at(1_100))[..], [(false, Some(_))]));
}

#[test]
fn only_a_complete_response_with_status_200_is_read() {
    let good = keys(1);
    fetch(&direct(), &[(200, &good)], OK);
    for (status, advice) in [
        (0, ""),
        (100, ""),
        (201, ""),
        (204, ""),
        (
            301,
            ": redirects are not followed: configure the URL that this one redirects to",
        ),
        (304, ""),
        (400, ": check the URL and the cluster"),
        (401, ": the filter sends no credential: make the URL public"),
        (
            403,
            ": allow the address and the `user-agent` of this proxy at the issuer",
        ),
        (404, ": check the URL"),
        (
            406,
            ": the issuer serves neither `application/jwk-set+json` nor `application/json` here",
        ),
        (
            421,
            ": check that the cluster and its SNI belong to the host of the URL",
        ),
        (429, ": raise `refresh`"),
        (500, ": the server is not available"),
        (
            503,
            ": the server is not available, or the cluster cannot connect to it: check its address and TLS",
        ),
        (
            504,
            ": the server is not available, or `timeout` is too short",
        ),
        (600, ""),
    ] {
        let fault = format!(
            "`https://login.example.com/jwks` failed: expected status 200, found {status}{advice};"
        );
        fetch(&direct(), &[(status, &good)], Some(&fault));
        let fault = format!(
            "`https://login.example.com/metadata` failed: expected status 200, found {status}{advice};"
        );
        fetch(&discovery(None), &[(status, &good)], Some(&fault));
    }
    let padded = |length| {
        let mut body = good.clone();
        body.resize(length, b' ');
        body
    };
    fetch(&direct(), &[(200, &padded(MAX_KEY_SET))], OK);
    let fault = "expected at most 524288 bytes";
    fetch(&direct(), &[(200, &padded(MAX_KEY_SET + 1))], Some(fault));

    let (host, shared) = (Host::default(), Rc::default());
    let mut worker = Worker::new(&direct(), &host, &shared);
    let call = worker.sends(at(0)).unwrap();
    let other = CallId(call.id.0 + 1);
    assert!(
        worker
            .fetcher
            .respond(other, None, &mut worker.host, at(0))
            .is_none()
    );
    let event = worker
        .fetcher
        .respond(call.id, None, &mut worker.host, at(0));
    let (is_ok, report) = worker.keep(event.unwrap());
    assert!(
        !is_ok
            && report
                .unwrap()
                .contains("failed: no response: check that cluster `login` reaches the server;")
    );
    // It was the one response to this call.
    assert!(worker.respond(&call, 200, &good, at(0)).is_none());
}

#[test]
fn a_body_that_is_not_a_usable_key_set_is_a_failure() {
    let key = SigningKey::generate(Algorithm::Es256);
    let private = json!({"keys": [key.private_jwk()]}).to_string();
    for (body, fault) in [
        ("", "cannot read the response: "),
        ("{\"keys\": [", "cannot read the response: "),
        ("<html>", "cannot read the response: "),
        (
            "[]",
            "cannot read the response: a key set must be an object",
        ),
        (
            "{}",
            "cannot read the response: a key set must have an array `keys`",
        ),
        ("{\"keys\": []}", "no usable key: the key set is empty"),
        (
            "{\"issuer\": \"a\", \"jwks_uri\": \"https://a\"}",
            "this is metadata, not a key set: use `discovery` in place of `remote`",
        ),
        (
            private.as_str(),
            "no usable key: key 0: expected a public key, found a private key",
        ),
    ] {
        fetch(&direct(), &[(200, body.as_bytes())], Some(fault));
    }
    let mut other = direct();
    other.content = Content::Keys {
        algorithms: Some(vec![Algorithm::Rs256]),
    };
    let fault = "no usable key: no key serves an accepted algorithm";
    fetch(&other, &[(200, &keys(1))], Some(fault));
}

#[test]
fn faulty_keys_are_reported_and_the_others_are_used() {
    let (host, shared) = (Host::default(), Rc::default());
    let mut worker = Worker::new(&direct(), &host, &shared);
    let call = worker.sends(at(0)).unwrap();
    let mut entries = vec![json!("a"); 10];
    entries.push(SigningKey::generate(Algorithm::Es256).public_jwk());
    let body = json!({ "keys": entries }).to_string();
    let (is_ok, report) = worker.respond(&call, 200, body.as_bytes(), at(0)).unwrap();
    let report = report.unwrap();
    assert!(is_ok);
    let begin =
        ": 1 usable, 10 ignored: key 0: a key must be an object; key 1: a key must be an object; ";
    assert!(report.contains(begin), "{report}");
    assert!(
        report.ends_with("key 7: a key must be an object; and 2 more"),
        "{report}"
    );
}

#[test]
fn discovery_reads_the_metadata_and_then_the_keys() {
    let (host, shared) = (Host::default(), Rc::default());
    let mut worker = Worker::new(&discovery(Some("keys")), &host, &shared);
    let first = worker.sends(at(0)).unwrap();
    assert_eq!(first.url, "https://login.example.com/metadata");
    let found = metadata("https://login.example.com:443/jwks");
    assert_eq!(worker.respond(&first, 200, &found, at(100)), None);
    assert_eq!(worker.ended(), 0);
    let second = host.sent.borrow()[1].clone();
    assert_eq!(second.url, "https://login.example.com:443/jwks");
    // The same origin is reached by the same cluster.
    assert_eq!(
        (first.cluster, second.cluster.as_str()),
        ("login".to_owned(), "login")
    );
    assert_eq!(worker.poll(at(200)), []);
    let seen = worker.respond(&second, 200, &keys(1), at(300));
    let report =
        "provider `corp`: fetched keys from `https://login.example.com:443/jwks`: 1 usable";
    assert_eq!(seen, Some((true, Some(report.to_owned()))));
    assert_eq!(host.sent.borrow().len(), 2);
    // The next fetch begins with the metadata again.
    let third = worker.sends(at(600_300)).unwrap();
    assert_eq!(third.url, "https://login.example.com/metadata");
}

#[test]
fn keys_of_another_origin_need_jwks_cluster() {
    for uri in [
        "https://keys.example.com/jwks?key=secret",
        "http://login.example.com/jwks",
        "https://login.example.com:8443/jwks",
    ] {
        let found = metadata(uri);
        let shown = uri.split('?').next().unwrap();
        let fault = format!(
            "the keys are at `{shown}`, which is another origin than the metadata's: set `jwks_cluster` to a cluster for it"
        );
        fetch(&discovery(None), &[(200, &found)], Some(&fault));
        fetch(
            &discovery(Some("keys")),
            &[(200, &found), (200, &keys(1))],
            OK,
        );
        fetch(
            &discovery(Some("keys")),
            &[(200, &found), (404, b"")],
            Some(&format!(
                "from `{shown}` failed: expected status 200, found 404: check the URL;"
            )),
        );
    }
}

#[test]
fn metadata_that_is_not_accepted_is_a_failure() {
    let other = json!({"issuer": "https://login.example.com/", "jwks_uri": "https://a/"});
    for (body, fault) in [
        ("<html>", "the metadata is not a JSON object"),
        (
            "{\"keys\": []}",
            "this is a key set, not metadata: use `remote` in place of `discovery`",
        ),
        (
            other.to_string().as_str(),
            "expected `https://login.example.com`, found `https://login.example.com/`",
        ),
        (
            std::str::from_utf8(&metadata("/jwks")).unwrap(),
            "the metadata has no valid `jwks_uri`",
        ),
    ] {
        fetch(&discovery(None), &[(200, body.as_bytes())], Some(fault));
    }
    fetch(&discovery(None), &[(404, b"")], Some("found 404"));
}

/// Other code in the host can write the shared data, and clocks can be set back.
#[test]
fn impossible_shared_data_does_not_prevent_a_fetch() {
    let key = direct().shared_key();
    let record = |ended: u64, ended_at: i64, due: i64, leased: i64| {
        json!({
            "ended": ended, "ended_at": ended_at, "failures": 0, "version": 0, "due": due, "leased": leased,
        })
        .to_string()
    };
    let day_later = at(86_400_000).millis();
    for value in [
        record(7, day_later, day_later + 600_000, 0),
        record(7, day_later, 0, day_later),
        record(7, i64::MAX, i64::MAX, i64::MAX),
        record(u64::MAX, i64::MIN, i64::MAX, i64::MAX),
        "{}".to_owned(),
        String::new(),
        "\u{0}".to_owned(),
    ] {
        let (host, shared) = (Host::default(), Rc::<LocalData>::default());
        shared.set(&key, value.as_bytes(), 0);
        let [mut one, mut other] = [(); 2].map(|()| Worker::new(&direct(), &host, &shared));
        let call = one.sends(at(0)).expect(&value);
        assert_eq!(other.sends(at(0)), None, "{value}");
        one.respond(&call, 200, &keys(1), at(100));
        other.poll(at(100));
        assert_eq!((number(&one.held), number(&other.held)), (1, 1), "{value}");
        assert_eq!(one.sends(at(60_000)), None, "{value}");
    }
}

#[test]
fn a_shared_body_that_cannot_be_read_is_fetched_again() {
    for body in [None, Some(&b"{}"[..]), Some(b"\xff")] {
        let (host, shared) = (Host::default(), Rc::<LocalData>::default());
        let [mut one, mut other] = [(); 2].map(|()| Worker::new(&direct(), &host, &shared));
        let call = one.sends(at(0)).unwrap();
        one.respond(&call, 200, &keys(1), at(0));
        let key = direct().shared_key();
        match body {
            Some(body) => {
                let key = format!("{key}.body");
                let version = shared.get(&key).1;
                assert_eq!(shared.set(&key, body, version), Shared::Done);
            }
            // The record is there, and the body is not.
            None => {
                let alone = Rc::<LocalData>::default();
                alone.set(&key, &shared.get(&key).0.unwrap(), 0);
                other = Worker::new(&direct(), &host, &alone);
            }
        }
        assert_eq!(one.poll(at(100)), []);
        let call = other.sends(at(100)).unwrap();
        assert_eq!(other.ended(), 0);
        other.respond(&call, 200, &keys(2), at(200));
        assert_eq!((number(&other.held), other.ended()), (2, 1));
    }
}

/// Shared data in which another worker changes each value first, or that is not shared.
struct Unwilling(Cell<Shared>);

impl SharedData for Unwilling {
    fn get(&self, _: &str) -> (Option<Vec<u8>>, u32) {
        (None, 0)
    }

    fn set(&self, _: &str, _: &[u8], _: u32) -> Shared {
        self.0.get()
    }
}

#[test]
fn a_worker_without_the_lease_does_not_fetch() {
    let host = Host::default();
    let shared = Rc::new(Unwilling(Cell::new(Shared::TooLate)));
    let mut worker = Worker::with(&direct(), &host, Box::new(Rc::clone(&shared)));
    assert_eq!(worker.sends(at(0)), None);
    assert_eq!(worker.sends(at(100)), None);
    shared.0.set(Shared::Done);
    assert!(worker.sends(at(200)).is_some());
}

#[test]
fn without_shared_data_each_worker_fetches_separately() {
    let host = Host::default();
    let mut workers = [(); 2].map(|()| {
        let shared = Unwilling(Cell::new(Shared::Refused));
        Worker::with(&direct(), &host, Box::new(shared))
    });
    for worker in &mut workers {
        let call = worker.sends(at(0)).unwrap();
        assert_eq!(worker.sends(at(2 * LEASE)), None);
        assert!(
            worker
                .respond(&call, 200, &keys(1), at(2 * LEASE))
                .is_some()
        );
        assert_eq!(worker.sends(at(2 * LEASE + 30_000)), None);
        assert!(worker.sends(at(2 * LEASE + 600_000)).is_some());
    }
}

#[test]
fn an_unknown_source_has_no_fetches() {
    let (host, shared) = (Host::default(), Rc::default());
    let mut worker = Worker::new(&direct(), &host, &shared);
    let unknown = SourceId(1);
    worker.fetcher.want(unknown);
    assert_eq!(worker.fetcher.ended(unknown), None);
    assert_eq!(worker.fetcher.time_limit(unknown), None);
}

#[test]
fn each_source_is_fetched_separately() {
    let host = Host::default();
    let shared = Rc::<LocalData>::default();
    let mut fetcher = Fetcher::new(&[direct(), discovery(None)], Box::new(Rc::clone(&shared)));
    assert!(fetcher.poll(&mut host.clone(), at(0)).is_empty());
    let [first, second] = [0, 1].map(|index| host.sent.borrow()[index].clone());
    let response = |status, body| Response {
        status,
        headers: Vec::new(),
        body,
    };
    let answer = response(500, Vec::new());
    let event = fetcher.respond(second.id, Some(answer), &mut host.clone(), at(0));
    assert_eq!(event.unwrap().source, SourceId(1));
    let answer = response(200, keys(1));
    let event = fetcher.respond(first.id, Some(answer), &mut host.clone(), at(0));
    assert_eq!(event.unwrap().source, SOURCE);
    let ended = [0, 1, 2].map(|number| fetcher.ended(SourceId(number)));
    assert_eq!(ended, [Some(1), Some(1), None]);
}

#[test]
fn a_byte_order_mark_before_a_body_is_skipped() {
    let marked = |body: &[u8]| [b"\xef\xbb\xbf", body].concat();
    let (keys, found) = (keys(1), metadata("https://login.example.com/jwks"));
    fetch(&direct(), &[(200, &marked(&keys))], OK);
    let bodies = [(200, &marked(&found)[..]), (200, &marked(&keys)[..])];
    fetch(&discovery(None), &bodies, OK);
    for body in [
        marked(&marked(&keys)),
        [b" ", &marked(&keys)[..]].concat(),
        [b"\xfe\xff", &keys[..]].concat(),
        marked(b""),
    ] {
        fetch(
            &direct(),
            &[(200, &body)],
            Some("cannot read the response: not JSON"),
        );
    }
}

#[test]
fn a_compressed_response_is_a_failure_that_says_so() {
    let run = |source: &Source, headers: &[(&str, &str)], body: &[u8]| {
        let (host, shared) = (Host::default(), Rc::default());
        let mut worker = Worker::new(source, &host, &shared);
        let call = worker.sends(at(0)).unwrap();
        let (is_ok, report) = worker
            .respond_with(&call, 200, headers, body, at(0))
            .unwrap();
        (is_ok, report.unwrap())
    };
    let (keys, compressed) = (keys(1), b"\x1f\x8b\x08");
    for value in ["gzip", "br", "GZIP", "identity, gzip", "gzip\u{7f}"] {
        for source in [direct(), discovery(None)] {
            let (is_ok, report) = run(&source, &[("content-encoding", value)], compressed);
            let shown = value.replace('\u{7f}', "\\x7f");
            let fault = format!(
                "failed: the response is compressed (`{shown}`), although the request accepts `identity` only: have the server,"
            );
            assert!(!is_ok && report.contains(&fault), "{report}");
        }
    }
    let second = [("content-encoding", "identity"), ("content-encoding", "br")];
    assert!(
        run(&direct(), &second, compressed)
            .1
            .contains("compressed (`br`)")
    );
    let long = "x".repeat(10_000);
    assert!(
        run(&direct(), &[("content-encoding", &long)], compressed)
            .1
            .len()
            < 400
    );
    // Stores of files send what they were told at the upload, which need not be an encoding.
    for value in ["identity", "Identity", "", "utf-8", "aws-chunked", "gzip"] {
        assert!(
            run(&direct(), &[("content-encoding", value)], &keys).0,
            "{value}"
        );
    }
}

#[test]
fn a_long_url_is_not_shown_as_a_whole() {
    let long = "x".repeat(100_000);
    let elsewhere = format!("https://keys.example.com/{long}");
    for (status, headers, body) in [
        (302, vec![("location", elsewhere.as_str())], Vec::new()),
        (200, vec![], metadata(&elsewhere)),
        (200, vec![], metadata(&format!("https://{long}/"))),
        (
            200,
            vec![],
            metadata(&format!("https://login.example.com/{long}")),
        ),
    ] {
        let (host, shared) = (Host::default(), Rc::default());
        let mut worker = Worker::new(&discovery(None), &host, &shared);
        let call = worker.sends(at(0)).unwrap();
        let seen = worker.respond_with(&call, status, &headers, &body, at(0));
        let (_, report) = seen.unwrap_or_else(|| {
            let call = host.sent.borrow().last().cloned().unwrap();
            worker.respond(&call, 404, b"", at(0)).unwrap()
        });
        assert!(report.unwrap().len() < 1_000);
    }
}

#[test]
fn a_redirect_names_where_it_leads_without_a_credential() {
    for (location, shown) in [
        (
            "https://new.example.com/jwks?key=hunter2",
            Some("(`https://new.example.com/jwks`)"),
        ),
        ("https://amy:hunter2@new.example.com/jwks", None),
        ("/hunter2", None),
        ("https://new.example.com/\u{7f}hunter2", None),
    ] {
        let (host, shared) = (Host::default(), Rc::default());
        let mut worker = Worker::new(&direct(), &host, &shared);
        let call = worker.sends(at(0)).unwrap();
        let headers = [("location", location)];
        let (_, report) = worker
            .respond_with(&call, 302, &headers, b"", at(0))
            .unwrap();
        let report = report.unwrap();
        let begin =
            "found 302: redirects are not followed: configure the URL that this one redirects to";
        assert!(
            report.contains(begin) && !report.contains("hunter2"),
            "{report}"
        );
        assert!(
            report.contains(shown.unwrap_or("redirects to; next")),
            "{report}"
        );
    }
}

/// ADFS names two issuers.
#[test]
fn the_issuer_of_access_tokens_is_an_issuer_of_the_metadata() {
    let metadata = |issuer: Value, access: Value| {
        let uri = "https://login.example.com/jwks";
        let members = json!({"issuer": issuer, "access_token_issuer": access, "jwks_uri": uri});
        members.to_string().into_bytes()
    };
    let (own, other) = ("https://login.example.com", "http://adfs.example.com/trust");
    for (issuer, access) in [
        (json!(own), json!(other)),
        (json!(own), json!(null)),
        (json!(own), json!([])),
        (json!(own), json!({"a": 1})),
        (json!(other), json!(own)),
        (json!(null), json!(own)),
        (json!(own), json!(own)),
    ] {
        let found = metadata(issuer, access);
        fetch(&discovery(None), &[(200, &found), (200, &keys(1))], OK);
    }
    for (issuer, access) in [
        (json!(other), json!(other)),
        (json!(other), json!([own])),
        (json!(other), json!({"issuer": own})),
        (json!(other), json!("https://login.example.com/")),
        (json!([own]), json!(null)),
        (json!(null), json!(null)),
    ] {
        let found = metadata(issuer, access);
        let fault =
            "the metadata is of another issuer: expected `https://login.example.com`, found `";
        fetch(&discovery(None), &[(200, &found)], Some(fault));
    }
}

#[test]
fn what_was_read_leniently_is_reported_once() {
    let (host, shared) = (Host::default(), Rc::default());
    let mut workers = [(); 2].map(|()| Worker::new(&direct(), &host, &shared));
    let jwk = |kid: &str| {
        let mut jwk = SigningKey::generate(Algorithm::Es256).public_jwk();
        jwk["kid"] = json!(kid);
        jwk["key_ops"] = json!([]);
        jwk["x"] = json!(format!("{}=", jwk["x"].as_str().unwrap()));
        jwk
    };
    let body = |keys: &[Value]| json!({ "keys": keys }).to_string().into_bytes();
    let (one, two) = (jwk("stranger"), jwk("other"));
    let lenient = ": 1 usable, 2 read leniently: key 0: `key_ops` is an empty list; key 0: `x` is not unpadded base64url";
    let mut now = 0;
    let mut report = |worker: usize, body: &[u8]| {
        now += 600_000;
        let worker = &mut workers[worker];
        let call = worker.sends(at(now)).unwrap();
        worker
            .respond(&call, 200, body, at(now))
            .unwrap()
            .1
            .unwrap()
    };
    assert!(report(0, &body(std::slice::from_ref(&one))).ends_with(lenient));
    assert!(report(0, &body(std::slice::from_ref(&one))).ends_with(": 1 usable"));
    assert!(report(1, &body(std::slice::from_ref(&one))).ends_with(": 1 usable"));
    let both = report(1, &body(&[one, two]));
    assert!(both.contains(": 2 usable, 4 read leniently: "), "{both}");
}

/// A query can hold a credential.
#[test]
fn reports_do_not_show_the_query_of_a_url() {
    let (host, shared) = (Host::default(), Rc::default());
    let url = "https://login.example.com/jwks?apikey=hunter2";
    let mut worker = Worker::new(
        &source(Address::Direct(endpoint("login", url))),
        &host,
        &shared,
    );
    let call = worker.sends(at(0)).unwrap();
    assert_eq!(call.url, url);
    let (_, report) = worker.respond(&call, 403, b"hunter2", at(0)).unwrap();
    let report = report.unwrap();
    assert!(
        report.contains("`https://login.example.com/jwks`"),
        "{report}"
    );
    assert!(!report.contains("hunter2"), "{report}");
}

/// The port carries what other credentials will need.
#[test]
fn a_post_with_a_body_is_a_call() {
    let mut host = Host::default();
    let url = Url::parse("https://login.example.com/introspect").unwrap();
    let sent = host.send(&Call {
        cluster: "login",
        method: Method::Post,
        url: &url,
        headers: &[
            ("authorization", "Basic Y29ycDpzZWNyZXQ="),
            ("content-type", "application/x-www-form-urlencoded"),
        ],
        body: b"token=abc",
        timeout: Duration::from_secs(1),
    });
    let call = host.sent.borrow()[0].clone();
    assert_eq!(sent, Ok(call.id));
    assert_eq!(
        (call.method, call.body.as_slice()),
        (Method::Post, &b"token=abc"[..])
    );
    assert_eq!(call.headers.len(), 2);
}

/// A fetch that ends tells all workers whether a signature had failed before it began.
#[test]
fn a_fetch_after_a_doubt_confirms_the_keys_for_every_worker() {
    let (host, shared) = (Host::default(), Rc::default());
    let mut workers = [(); 2].map(|()| Worker::new(&direct(), &host, &shared));
    let body = keys(1);
    let id = |worker: &Worker| {
        let set = worker.held.get(SOURCE).unwrap().set.clone().unwrap();
        set.ids().next().unwrap().clone()
    };
    let confirmed = |worker: &Worker| {
        let held = worker.held.get(SOURCE).unwrap();
        held.confirmed_until(&id(worker))
    };
    // The first keys are new to every worker.
    workers[0].fetcher.doubt(SOURCE);
    let call = workers[0].sends(at(0)).unwrap();
    workers[0].respond(&call, 200, &body, at(0));
    workers[1].poll(at(100));
    assert_eq!(workers.each_ref().map(confirmed), [None, None]);
    // A fetch that is wanted for another reason.
    workers[0].fetcher.want(SOURCE);
    let call = workers[0].sends(at(30_000)).unwrap();
    // This doubt comes after the fetch has begun.
    workers[0].fetcher.doubt(SOURCE);
    workers[0].respond(&call, 200, &body, at(30_000));
    workers[1].poll(at(30_100));
    assert_eq!(workers.each_ref().map(confirmed), [None, None]);
    // The fetch after the doubt fails, so that the next one answers it.
    workers[0].fetcher.want(SOURCE);
    let call = workers[0].sends(at(60_000)).unwrap();
    workers[0].respond(&call, 500, b"", at(60_000));
    workers[1].poll(at(60_100));
    assert_eq!(workers.each_ref().map(confirmed), [None, None]);
    let call = workers[0].sends(at(62_000)).unwrap();
    workers[0].respond(&call, 200, &body, at(62_000));
    workers[1].poll(at(62_100));
    let until = Some(at(92_000));
    assert_eq!(workers.each_ref().map(confirmed), [until, until]);
    // The issuer replaces the key: the new one is not confirmed.
    workers[1].fetcher.want(SOURCE);
    workers[1].fetcher.doubt(SOURCE);
    let call = workers[1].sends(at(92_000)).unwrap();
    workers[1].respond(&call, 200, &keys(1), at(92_000));
    workers[0].poll(at(92_100));
    assert_eq!(workers.each_ref().map(confirmed), [None, None]);
}
