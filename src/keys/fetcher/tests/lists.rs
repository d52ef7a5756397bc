//! Lists of credentials: confirmed by `ETag` or by the same body, kept through failures, and shared between workers.

use sha2::{Digest, Sha256};

use super::*;
use crate::authenticate::ListsAtHand;
use crate::keys::{CurrentLists, MAX_LIST};
use crate::secret::Secret;

const REFRESH: i64 = 60_000;
const STALE: i64 = 3_600_000;
/// The lease: the timeout of two seconds, and one more.
const LEASE: i64 = 3_000;

const URL: &str = "https://keys.example.com/keys";

fn list_with(headers: &[(&str, &str)]) -> Source {
    let headers = headers.iter();
    let headers =
        headers.map(|(name, value)| ((*name).to_owned(), Secret::new((*value).to_owned())));
    Source {
        schedule: Schedule::List {
            refresh: Duration::from_millis(REFRESH as u64),
            max_stale: Duration::from_millis(STALE as u64),
        },
        headers: Headers(headers.collect()),
        content: Content::ApiKeys(crate::kinds::ApiKey::BUILT.unwrap()),
        ..source(Address::Direct(endpoint("keys", URL)))
    }
}

fn list() -> Source {
    list_with(&[])
}

/// The body of a list of these keys. The caller of each is named as the key.
fn body(keys: &[&str]) -> Vec<u8> {
    let entry = |key: &&str| json!({"id": key, "sha256": format!("{:x}", Sha256::digest(key))});
    let entries: Vec<Value> = keys.iter().map(entry).collect();
    json!({ "keys": entries }).to_string().into_bytes()
}

impl Worker {
    /// Whether a key is accepted at a time.
    fn accepts(&self, key: &str, now: Timestamp) -> bool {
        let current = CurrentLists {
            held: &self.lists,
            now: now.into(),
        };
        let keys = current.api_keys(SOURCE);
        keys.is_some_and(|keys| keys.find(&Sha256::digest(key).into()).is_some())
    }

    fn age(&self, now: Timestamp) -> Option<Duration> {
        self.lists.get(SOURCE).unwrap().age(now)
    }
}

/// The `if-none-match` of a request.
fn condition(call: &Sent) -> Option<&str> {
    let mut headers = call.headers.iter();
    let found = headers.find(|(name, _)| name == "if-none-match");
    found.map(|(_, value)| value.as_str())
}

const TAG: [(&str, &str); 1] = [("etag", "\"one\"")];

fn workers<const N: usize>() -> (Host, Rc<LocalData>, [Worker; N]) {
    let (host, shared) = (Host::default(), Rc::default());
    let workers = [(); N].map(|()| Worker::new(&list(), &host, &shared));
    (host, shared, workers)
}

#[test]
fn one_worker_fetches_a_list_and_the_others_adopt_it() {
    let (host, _, mut workers) = workers::<3>();
    let call = workers[0].sends(at(0)).unwrap();
    assert_eq!(call.url, URL);
    assert!(
        call.headers
            .contains(&("accept".to_owned(), "application/json".to_owned()))
    );
    assert_eq!(condition(&call), None);
    let seen = workers[0].respond(&call, 200, &body(&["a", "b"]), at(100));
    let report = format!("provider `corp`: fetched API keys from `{URL}`: 2 usable");
    assert_eq!(seen, Some((true, Some(report))));
    assert_eq!(workers[1].poll(at(200)), [(true, None)]);
    assert_eq!(workers[2].poll(at(300)), [(true, None)]);
    for worker in &mut workers {
        assert!(worker.accepts("a", at(1_000)) && worker.accepts("b", at(1_000)));
        assert!(!worker.accepts("c", at(1_000)));
        assert_eq!(worker.age(at(1_000)), Some(Duration::from_millis(900)));
        assert_eq!(worker.poll(at(100 + REFRESH - 1)), []);
    }
    assert_eq!(host.sent.borrow().len(), 1);
    // Exactly after the time, whatever the response says of itself.
    let call = workers[1].sends(at(100 + REFRESH)).unwrap();
    let fresh = [("cache-control", "max-age=86400")];
    workers[1].respond_with(&call, 200, &fresh, &body(&["b"]), at(100 + REFRESH));
    assert!(workers[0].sends(at(99 + 2 * REFRESH)).is_none());
    assert!(workers[2].sends(at(100 + 2 * REFRESH)).is_some());
    let withdrawn = |worker: &Worker| !worker.accepts("a", at(1_000 + REFRESH));
    assert!(workers.iter().all(withdrawn));
}

#[test]
fn a_304_confirms_the_list_for_every_worker() {
    let (host, shared, mut workers) = workers::<2>();
    let call = workers[0].sends(at(0)).unwrap();
    workers[0].respond_with(&call, 200, &TAG, &body(&["a"]), at(0));
    workers[1].poll(at(100));
    // The worker that adopted the list knows its tag.
    let call = workers[1].sends(at(REFRESH)).unwrap();
    assert_eq!(condition(&call), Some("\"one\""));
    let report = format!("provider `corp`: fetched API keys from `{URL}`: unchanged");
    let seen = workers[1].respond(&call, 304, b"", at(REFRESH));
    assert_eq!(seen, Some((true, Some(report))));
    assert_eq!(workers[0].poll(at(REFRESH + 100)), [(true, None)]);
    let later = at(REFRESH + STALE);
    for worker in &workers {
        assert!(worker.accepts("a", later));
        assert!(!worker.accepts("a", at(REFRESH + STALE + 1)));
        assert_eq!(worker.ended(), 2);
    }
    // A later worker, as after a new configuration, adopts the list with its age and its tag.
    let mut new = Worker::new(&list(), &host, &shared);
    assert_eq!(new.poll(at(REFRESH + 200)), [(true, None)]);
    assert!(new.accepts("a", later) && !new.accepts("a", at(REFRESH + STALE + 1)));
    let call = new.sends(at(2 * REFRESH)).unwrap();
    assert_eq!(condition(&call), Some("\"one\""));
    let other = [("etag", "W/\"two\"")];
    new.respond_with(&call, 200, &other, &body(&["b"]), at(2 * REFRESH));
    assert_eq!(workers[0].poll(at(2 * REFRESH)), [(true, None)]);
    let call = workers[0].sends(at(3 * REFRESH)).unwrap();
    assert_eq!(condition(&call), Some("W/\"two\""));
}

#[test]
fn the_same_body_confirms_the_list_and_is_not_read_again() {
    let (_, _, mut workers) = workers::<2>();
    // An entry that is ignored is reported when the list is read.
    let body = br#"{"keys": [1]}"#;
    let call = workers[0].sends(at(0)).unwrap();
    let (_, report) = workers[0].respond(&call, 200, body, at(0)).unwrap();
    let expected = "0 usable, 1 ignored: entry 0: expected an object";
    assert!(report.unwrap().ends_with(expected));
    workers[1].poll(at(100));
    let call = workers[1].sends(at(REFRESH)).unwrap();
    let (is_ok, report) = workers[1]
        .respond_with(&call, 200, &TAG, body, at(REFRESH))
        .unwrap();
    assert!(is_ok && report.unwrap().ends_with("unchanged"));
    assert_eq!(workers[0].poll(at(REFRESH + 100)), [(true, None)]);
    assert_eq!(workers[0].age(at(REFRESH)), Some(Duration::ZERO));
    // A tag that the server begins to send is used by the worker that saw it.
    let call = workers[1].sends(at(2 * REFRESH)).unwrap();
    assert_eq!(condition(&call), Some("\"one\""));
}

#[test]
fn the_list_is_kept_through_failures_until_it_is_too_old() {
    let (_, _, mut workers) = workers::<2>();
    let call = workers[0].sends(at(0)).unwrap();
    workers[0].respond_with(&call, 200, &TAG, &body(&["a"]), at(0));
    workers[1].poll(at(100));
    let mut now = REFRESH;
    let long = vec![b' '; MAX_LIST + 1];
    let failures: [(u16, &[u8], &str); 8] = [
        (
            500,
            b"",
            "expected status 200, found 500: the server is not available",
        ),
        (401, b"", "found 401: check the credential in `headers`"),
        (
            200,
            b"<html>",
            "expected a JSON object with the member `keys`, a list, and no other member",
        ),
        (
            200,
            br#"{"keys": [{"id": "b"}, {]}"#,
            "cannot read the response: not JSON",
        ),
        (
            200,
            br#"{"keys": {"b": "c"}}"#,
            "expected a JSON object with the member `keys`",
        ),
        (
            200,
            br#"{"keys": [], "next": "/2"}"#,
            "expected a JSON object with the member `keys`",
        ),
        (
            200,
            br#"{"users": []}"#,
            "expected a JSON object with the member `keys`",
        ),
        (
            200,
            &long,
            "response too long: expected at most 16777216 bytes",
        ),
    ];
    for (status, body, fault) in failures {
        let call = workers[0].sends(at(now)).unwrap();
        assert_eq!(condition(&call), Some("\"one\""));
        let (is_ok, report) = workers[0].respond(&call, status, body, at(now)).unwrap();
        let report = report.unwrap();
        assert!(
            !is_ok && report.contains(fault),
            "expected {fault}, found {report}"
        );
        assert_eq!(workers[1].poll(at(now + 100)), [(false, None)]);
        for worker in &workers {
            assert!(worker.accepts("a", at(STALE)), "{fault}");
            assert!(!worker.accepts("a", at(STALE + 1)), "{fault}");
            assert!(worker.lists.get(SOURCE).unwrap().failed);
        }
        now += REFRESH;
    }
    // What the server says when it is back is not news, but that it is back is.
    let call = workers[1].sends(at(now)).unwrap();
    let seen = workers[1].fetcher.respond(
        call.id,
        Some(Response {
            status: 304,
            headers: Vec::new(),
            body: Vec::new(),
        }),
        &mut workers[1].host.clone(),
        at(now),
    );
    assert!(!seen.unwrap().report.unwrap().is_routine());
    assert_eq!(workers[0].poll(at(now)), [(true, None)]);
    assert!(workers[0].accepts("a", at(now + STALE)));
}

#[test]
fn a_fetch_that_confirms_what_is_known_is_routine() {
    let (_, _, [mut worker]) = workers::<1>();
    let mut routine = Vec::new();
    for (now, status) in [(0, 200), (REFRESH, 304), (2 * REFRESH, 200)] {
        let call = worker.sends(at(now)).unwrap();
        let response = Response {
            status,
            headers: vec![(b"etag", b"\"one\"")],
            body: if status == 200 {
                body(&["a"])
            } else {
                Vec::new()
            },
        };
        let host = &mut worker.host.clone();
        let event = worker
            .fetcher
            .respond(call.id, Some(response), host, at(now));
        routine.push(event.unwrap().report.unwrap().is_routine());
    }
    assert_eq!(routine, [false, true, true]);
}

#[test]
fn an_empty_list_withdraws_every_key() {
    let (_, _, [mut worker]) = workers::<1>();
    for (now, keys, is_accepted) in [(0, &["a"][..], true), (REFRESH, &[], false)] {
        let call = worker.sends(at(now)).unwrap();
        assert!(worker.respond(&call, 200, &body(keys), at(now)).unwrap().0);
        assert_eq!(worker.accepts("a", at(now)), is_accepted);
    }
}

#[test]
fn a_304_without_a_condition_is_a_failure() {
    let (_, _, [mut worker]) = workers::<1>();
    let call = worker.sends(at(0)).unwrap();
    assert!(!worker.respond(&call, 304, b"", at(0)).unwrap().0);
    assert_eq!(worker.age(at(0)), None);
}

#[test]
fn only_an_entity_tag_is_sent_back() {
    let long = format!("\"{}\"", "x".repeat(255));
    for (value, is_sent) in [
        ("\"a\"", true),
        ("W/\"a-b\"", true),
        ("\"\"", true),
        ("a", false),
        ("\"a", false),
        ("\"", false),
        ("w/\"a\"", false),
        ("\"a b\"", false),
        ("\"a\", \"b\"", false),
        ("\"\u{e9}\"", false),
        ("\"a\r\nx: y\"", false),
        (long.as_str(), false),
    ] {
        let (_, _, [mut worker, mut other]) = workers::<2>();
        let call = worker.sends(at(0)).unwrap();
        worker.respond_with(&call, 200, &[("etag", value)], &body(&["a"]), at(0));
        other.poll(at(100));
        let call = other.sends(at(REFRESH)).unwrap();
        assert_eq!(condition(&call), is_sent.then_some(value), "{value}");
    }
    let (_, _, [mut worker]) = workers::<1>();
    let call = worker.sends(at(0)).unwrap();
    let two = [("etag", "\"a\""), ("etag", "\"b\"")];
    worker.respond_with(&call, 200, &two, &body(&["a"]), at(0));
    assert_eq!(condition(&worker.sends(at(REFRESH)).unwrap()), None);
}

/// Otherwise a key that was withdrawn in the meantime would be accepted again.
#[test]
fn a_response_that_comes_after_another_worker_took_over_is_dropped() {
    for (status, keys) in [(200, &["a"][..]), (304, &[]), (500, &[])] {
        let (_, _, [mut late, mut other]) = workers::<2>();
        let call = late.sends(at(0)).unwrap();
        late.respond_with(&call, 200, &TAG, &body(&["a"]), at(0));
        let slow = late.sends(at(REFRESH)).unwrap();
        let call = other.sends(at(REFRESH + LEASE)).unwrap();
        // Also before the other worker has its response.
        if status == 304 {
            assert_eq!(late.respond(&slow, status, b"", at(REFRESH + LEASE)), None);
        }
        other.respond(&call, 200, &body(&["b"]), at(REFRESH + LEASE));
        if status != 304 {
            let seen = late.respond(&slow, status, &body(keys), at(REFRESH + LEASE));
            assert_eq!(seen, None);
        }
        assert_eq!(late.poll(at(REFRESH + LEASE)), [(true, None)]);
        other.poll(at(REFRESH + LEASE));
        for worker in [&late, &other] {
            let now = at(REFRESH + LEASE);
            assert!(
                worker.accepts("b", now) && !worker.accepts("a", now),
                "{status}"
            );
        }
    }
}

#[test]
fn a_late_response_is_used_if_no_other_worker_took_over() {
    let (_, _, [mut worker]) = workers::<1>();
    let call = worker.sends(at(0)).unwrap();
    assert!(
        worker
            .respond(&call, 200, &body(&["a"]), at(10 * LEASE))
            .unwrap()
            .0
    );
    assert!(worker.accepts("a", at(10 * LEASE)));
}

#[test]
fn a_shared_list_that_cannot_be_read_is_fetched_as_a_whole() {
    let (_, shared, [mut one, mut other]) = workers::<2>();
    let call = one.sends(at(0)).unwrap();
    one.respond_with(&call, 200, &TAG, &body(&["a"]), at(0));
    let key = format!("{}.body", list().shared_key());
    shared.set(&key, b"{}", shared.get(&key).1);
    let call = other.sends(at(100)).unwrap();
    assert_eq!(condition(&call), None);
    other.respond(&call, 200, &body(&["a"]), at(200));
    assert!(other.accepts("a", at(200)));
    assert_eq!(one.poll(at(300)), [(true, None)]);
}

#[test]
fn a_list_of_a_worker_that_could_not_read_it_is_read_after_the_next_fetch() {
    let (_, shared, [mut one, mut other]) = workers::<2>();
    let call = one.sends(at(0)).unwrap();
    one.respond_with(&call, 200, &TAG, &body(&["a"]), at(0));
    // The other worker cannot read the list, and cannot fetch it, because the first fetches again.
    let key = format!("{}.body", list().shared_key());
    let good = shared.get(&key).0.unwrap();
    shared.set(&key, b"{}", shared.get(&key).1);
    let call = one.sends(at(REFRESH)).unwrap();
    assert_eq!(other.poll(at(REFRESH)), []);
    assert!(other.host.sent.borrow().len() == 2 && !other.accepts("a", at(REFRESH)));
    shared.set(&key, &good, shared.get(&key).1);
    one.respond(&call, 304, b"", at(REFRESH));
    assert_eq!(other.poll(at(REFRESH)), [(true, None)]);
    assert!(other.accepts("a", at(REFRESH)));
}

#[test]
fn sources_with_other_headers_do_not_share() {
    let (host, shared) = (Host::default(), Rc::<LocalData>::default());
    let of = |value| list_with(&[("authorization", value)]);
    let mut one = Worker::new(&of("Bearer one"), &host, &shared);
    let call = one.sends(at(0)).unwrap();
    assert!(
        call.headers
            .contains(&("authorization".to_owned(), "Bearer one".to_owned()))
    );
    one.respond(&call, 200, &body(&["a"]), at(0));
    let mut same = Worker::new(&of("Bearer one"), &host, &shared);
    assert_eq!(same.poll(at(0)), [(true, None)]);
    let mut other = Worker::new(&of("Bearer two"), &host, &shared);
    assert!(other.sends(at(0)).is_some());
    for source in [of("Bearer one"), of("Bearer two")] {
        let shown = format!("{source:?} {}", source.shared_key());
        assert!(
            !shown.contains("Bearer") && shown.contains("authorization"),
            "{shown}"
        );
    }
}

#[test]
fn without_shared_data_each_worker_keeps_its_list() {
    let host = Host::default();
    let shared = Unwilling(Cell::new(Shared::Refused));
    let mut worker = Worker::with(&list(), &host, Box::new(shared));
    let call = worker.sends(at(0)).unwrap();
    worker.respond_with(&call, 200, &TAG, &body(&["a"]), at(0));
    let call = worker.sends(at(REFRESH)).unwrap();
    assert_eq!(condition(&call), Some("\"one\""));
    assert!(worker.respond(&call, 304, b"", at(REFRESH)).unwrap().0);
    assert!(worker.accepts("a", at(REFRESH + STALE)));
}

#[test]
fn a_clock_that_is_set_back_makes_a_list_too_old_and_due() {
    let (_, _, [mut worker]) = workers::<1>();
    let call = worker.sends(at(0)).unwrap();
    worker.respond_with(&call, 200, &TAG, &body(&["a"]), at(0));
    assert!(worker.accepts("a", at(-60_000)));
    assert!(!worker.accepts("a", at(-60_001)));
    let call = worker.sends(at(-86_400_000)).unwrap();
    worker.respond(&call, 304, b"", at(-86_400_000));
    assert!(worker.accepts("a", at(-86_400_000)));
}

#[test]
fn a_response_is_read_up_to_the_limit_of_its_content() {
    for (source, most) in [
        (list(), MAX_LIST),
        (direct(), MAX_KEY_SET),
        (discovery(None), MAX_KEY_SET),
    ] {
        let host = Host::default();
        let mut worker = Worker::new(&source, &host, &Rc::default());
        let call = worker.sends(at(0)).unwrap();
        assert_eq!(worker.fetcher.max_response(call.id), most);
        assert_eq!(worker.fetcher.max_response(CallId(call.id.0 + 1)), 0);
        let mut padded = body(&["a"]);
        padded.resize(MAX_LIST, b' ');
        let (is_ok, _) = worker.respond(&call, 200, &padded, at(0)).unwrap();
        assert_eq!(is_ok, most == MAX_LIST);
    }
}

#[test]
fn a_compressed_list_is_a_failure() {
    let (_, _, [mut worker]) = workers::<1>();
    let call = worker.sends(at(0)).unwrap();
    let gzip = [("content-encoding", "gzip")];
    let (is_ok, report) = worker
        .respond_with(&call, 200, &gzip, b"\x1f\x8b", at(0))
        .unwrap();
    assert!(
        !is_ok
            && report
                .unwrap()
                .contains("the response is compressed (`gzip`)")
    );
}
