//! Fetched lists of API keys in a real Envoy: how soon a change counts, what outages and bad responses change, and what
//! long lists cost.

// Envoy reads the real clock.
#![allow(clippy::disallowed_methods)]

use std::fmt::Write as _;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::client::{self, Request};
use crate::support::envoy::{Bootstrap, Envoy, module_path, no_starts, wasm_filter};
use crate::support::issuer::{Gate, Issuer, Page};
use crate::support::upstream::Upstream;
use crate::support::{say, until};

/// The time between two fetches in most tests: the shortest that a configuration can have.
const REFRESH: Duration = Duration::from_secs(1);
/// The time that a fetch, and the adoption of it by another worker, may take on a busy machine.
const SLACK: Duration = Duration::from_secs(3);

fn entry(id: &str) -> Value {
    json!({"id": id, "sha256": hex(id), "scopes": ["orders:read"]})
}

/// The SHA-256 of the key of a caller.
fn hex(id: &str) -> String {
    let digest = Sha256::digest(key(id));
    digest.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

fn key(id: &str) -> String {
    format!("sk-{id}-0123456789abcdef")
}

fn list(ids: &[&str]) -> Page {
    let entries: Vec<Value> = ids.iter().map(|id| entry(id)).collect();
    Page::json(&json!({ "keys": entries }))
}

/// A list of this many keys, `k0` and so on, each with scopes of its own kind.
fn long_list(keys: usize) -> Vec<u8> {
    let mut body = "{\"keys\": [".to_owned();
    for number in 0..keys {
        let separator = if number == 0 { "" } else { ",\n" };
        let sha256 = hex(&format!("k{number}"));
        let scope = number % 10;
        write!(
            body,
            "{separator}{{\"id\":\"k{number}\",\"sha256\":\"{sha256}\",\"scopes\":[\"orders:read\",\"orders:{scope}\"]}}"
        )
        .unwrap();
    }
    body.push_str("]}");
    body.into_bytes()
}

/// A configuration of one provider whose keys are at `/<name>`, with more members of `remote`.
fn document(issuer: &Issuer, name: &str, members: Value) -> Value {
    let mut remote = json!({
        "uri": issuer.url(&format!("/{name}")), "cluster": "issuer", "refresh": "1s", "timeout": "10s",
    });
    for (name, value) in members.as_object().unwrap() {
        remote[name] = value.clone();
    }
    json!({"providers": [{"name": name, "api_key": {"keys": {"remote": remote}}}]})
}

fn bootstrap(upstream: &Upstream, issuer: &Issuer) -> Bootstrap {
    Bootstrap::new(upstream.port()).cluster("issuer", &[issuer.port()])
}

/// The status and the `error` of the response to a request with the key of a caller. Each request has a connection of its
/// own, so that each worker receives some.
fn ask(envoy: &Envoy, listener: &str, id: &str) -> (u16, String) {
    let key = key(id);
    let headers: Vec<(&[u8], &[u8])> = vec![
        (b"host", b"api.example.com"),
        (b"x-api-key", key.as_bytes()),
    ];
    let request = Request {
        method: b"GET",
        target: b"/",
        headers,
        body: b"",
    };
    let response = client::send(envoy.listener(listener), &request).unwrap();
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let error = body["error"].as_str().unwrap_or_default();
    (response.status, error.to_owned())
}

fn passes() -> (u16, String) {
    (200, String::new())
}

fn refused() -> (u16, String) {
    (401, "invalid_credentials".to_owned())
}

fn unavailable() -> (u16, String) {
    (503, "temporarily_unavailable".to_owned())
}

/// Whether the last ten requests of a caller, on any worker, had this result.
fn all(envoy: &Envoy, listener: &str, id: &str, expected: &(u16, String)) -> bool {
    (0..10).all(|_| ask(envoy, listener, id) == *expected)
}

/// How long it takes until all workers give this result.
fn time_until(envoy: &Envoy, listener: &str, id: &str, expected: &(u16, String)) -> Duration {
    let begun = Instant::now();
    until(&format!("{id}: {expected:?}"), || {
        all(envoy, listener, id, expected)
    });
    begun.elapsed()
}

fn ends_well(envoy: &Envoy, ids: &[&str]) {
    assert_eq!(envoy.alarms(), Vec::<String>::new());
    let log = envoy.log();
    for id in ids {
        assert!(!log.contains(&key(id)), "{log}");
        assert!(!log.contains(&hex(id)), "{log}");
    }
}

/// The resident memory of Envoy, in KiB.
fn resident(envoy: &Envoy) -> u64 {
    memory(envoy, "VmRSS:")
}

/// The most memory that Envoy has had, in KiB.
fn resident_at_most(envoy: &Envoy) -> u64 {
    memory(envoy, "VmHWM:")
}

fn memory(envoy: &Envoy, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", envoy.process_id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.unwrap().parse().unwrap()
}

#[test]
fn a_key_is_accepted_and_withdrawn_within_refresh_on_all_workers() {
    let (upstream, issuer) = (Upstream::start(), Issuer::start());
    issuer.serve("/keys", list(&["a"]));
    let envoy = Envoy::start(
        bootstrap(&upstream, &issuer)
            .concurrency(2)
            .listener("keys", &document(&issuer, "keys", json!({}))),
    );
    assert!(all(&envoy, "keys", "a", &passes()), "{}", envoy.log());
    assert!(all(&envoy, "keys", "b", &refused()));
    let quiet = no_starts();
    issuer.serve("/keys", list(&["a", "b"]));
    let issued = time_until(&envoy, "keys", "b", &passes());
    assert!(all(&envoy, "keys", "a", &passes()));
    issuer.serve("/keys", list(&["b"]));
    let withdrawn = time_until(&envoy, "keys", "a", &refused());
    assert!(all(&envoy, "keys", "b", &passes()));
    // An empty list withdraws every key. The order of the entries does not matter.
    issuer.serve("/keys", list(&["b", "a"]));
    time_until(&envoy, "keys", "a", &passes());
    issuer.serve("/keys", list(&[]));
    let emptied = time_until(&envoy, "keys", "b", &refused());
    drop(quiet);
    say(&format!(
        "issued within {issued:?}, withdrawn within {withdrawn:?}, all withdrawn within {emptied:?}"
    ));
    for took in [issued, withdrawn, emptied] {
        assert!(took < REFRESH + SLACK, "{took:?}");
    }
    ends_well(&envoy, &["a", "b"]);
}

#[test]
fn an_outage_keeps_the_list_until_it_is_too_old() {
    let (upstream, mut issuer) = (Upstream::start(), Issuer::start());
    for name in ["long", "short"] {
        issuer.serve(&format!("/{name}"), list(&["a"]));
    }
    let envoy = Envoy::start(
        bootstrap(&upstream, &issuer)
            .concurrency(2)
            .listener("long", &document(&issuer, "long", json!({})))
            .listener(
                "short",
                &document(&issuer, "short", json!({"max_stale": "3s"})),
            ),
    );
    let age = |name: &str| envoy.counted(&format!("lists.age.{name}"));
    assert_eq!(ask(&envoy, "long", "a"), passes(), "{}", envoy.log());
    assert_eq!(ask(&envoy, "short", "a"), passes());
    assert_eq!(envoy.counted("lists.failed"), 0);
    assert_eq!(envoy.counted("lists.entries.long"), 1);
    issuer.stop();
    until("fetches fail", || envoy.counted("lists.failed") >= 2);
    until("the short list is too old", || {
        all(&envoy, "short", "a", &unavailable())
    });
    // Whether a key is known is not told.
    assert_eq!(ask(&envoy, "short", "b"), unavailable());
    until("the age grows", || age("long") >= 5);
    assert!(all(&envoy, "long", "a", &passes()));
    assert_eq!(ask(&envoy, "long", "b"), refused());
    let log = envoy.log();
    assert!(
        log.contains("provider `long`: fetching API keys from `"),
        "{log}"
    );
    issuer.start_again();
    let took = time_until(&envoy, "short", "a", &passes());
    say(&format!("usable {took:?} after the source is back"));
    // A failed fetch of a list with a short `refresh` is repeated within five seconds.
    assert!(took < Duration::from_secs(5) + SLACK, "{took:?}");
    until("the age is small again", || age("long") <= 2);
    ends_well(&envoy, &["a", "b"]);
}

#[test]
fn a_response_that_is_not_a_list_keeps_the_list() {
    let (upstream, issuer) = (Upstream::start(), Issuer::start());
    let plain_key = json!({"keys": [{"id": "b", "key": key("b")}]});
    let gzip = Page::bytes(b"\x1f\x8b\x08\x00".to_vec()).with("content-encoding", "gzip");
    let no_list = "cannot read the response: expected a JSON object with the member `keys`, a list";
    let cases = [
        (
            "html",
            Page::bytes("<!DOCTYPE html><p>Sign in</p>"),
            no_list,
        ),
        ("users", Page::bytes("{\"users\": []}"), no_list),
        ("array", Page::bytes("[]"), ""),
        ("null", Page::bytes("{\"keys\": null}"), ""),
        (
            "cut",
            Page::bytes(format!("{{\"keys\": [{}", entry("b"))),
            "",
        ),
        ("twice", Page::bytes("{\"keys\": [], \"keys\": []}"), ""),
        ("gzip", gzip, "gzip"),
        (
            "status",
            Page::status(500),
            "expected status 200, found 500",
        ),
        ("gone", Page::status(404), "expected status 200, found 404"),
        ("empty", Page::status(204), "expected status 200, found 204"),
        (
            "unasked",
            Page::status(304),
            "expected status 200, found 304",
        ),
        ("closed", Page::closed(), "expected status 200, found 503"),
        (
            "huge",
            Page::bytes(vec![b' '; 17_000_000]),
            "response too long: expected at most 16777216 bytes",
        ),
    ];
    let mut bootstrap = bootstrap(&upstream, &issuer);
    for (name, _, _) in &cases {
        issuer.serve(&format!("/{name}"), list(&["a"]));
        bootstrap = bootstrap.listener(name, &document(&issuer, name, json!({})));
    }
    issuer.serve("/ignored", list(&["a"]));
    bootstrap = bootstrap.listener("ignored", &document(&issuer, "ignored", json!({})));
    let envoy = Envoy::start(bootstrap);
    for (name, page, _) in &cases {
        assert_eq!(ask(&envoy, name, "a"), passes(), "{name}: {}", envoy.log());
        issuer.serve(&format!("/{name}"), page.clone());
    }
    for (name, _, said) in &cases {
        let begin = format!("provider `{name}`: fetching API keys from `");
        let line = |log: &str| {
            let mut lines = log.lines();
            lines
                .find(|line| line.contains(&begin) && line.contains("` failed: "))
                .map(str::to_owned)
        };
        until("the fetch fails", || line(&envoy.log()).is_some());
        let line = line(&envoy.log()).unwrap();
        say(&line);
        assert!(line.contains(said), "{name}: {line}");
        assert_eq!(ask(&envoy, name, "a"), passes(), "{name}");
        assert_eq!(ask(&envoy, name, "b"), refused(), "{name}");
    }
    // A list that can be read replaces the other, and an entry that cannot be read is not used.
    issuer.serve("/ignored", Page::json(&plain_key));
    until("the key is withdrawn", || {
        ask(&envoy, "ignored", "a") == refused()
    });
    assert_eq!(ask(&envoy, "ignored", "b"), refused());
    let log = envoy.log();
    assert!(log.contains("0 usable, 1 ignored: entry 0: `key`"), "{log}");
    ends_well(&envoy, &["a", "b"]);
}

#[test]
fn requests_wait_for_the_first_list() {
    let (upstream, issuer, gate) = (Upstream::start(), Issuer::start(), Gate::default());
    issuer.serve("/late", list(&["a"]).behind(&gate));
    issuer.serve("/down", Page::closed());
    let envoy = Envoy::start(
        bootstrap(&upstream, &issuer)
            .concurrency(2)
            .listener("late", &document(&issuer, "late", json!({})))
            .listener("down", &document(&issuer, "down", json!({}))),
    );
    thread::scope(|scope| {
        let envoy = &envoy;
        let send = |id: &'static str| scope.spawn(move || ask(envoy, "late", id));
        let asked: Vec<_> = (0..10).map(|_| (send("a"), send("b"))).collect();
        until("all wait", || {
            envoy.stat("http.late.downstream_rq_active") == 20
        });
        gate.open();
        for (known, unknown) in asked {
            assert_eq!(known.join().unwrap(), passes());
            assert_eq!(unknown.join().unwrap(), refused());
        }
    });
    assert!(all(&envoy, "down", "a", &unavailable()));
    issuer.serve("/down", list(&["a"]));
    time_until(&envoy, "down", "a", &passes());
    ends_well(&envoy, &["a", "b"]);
}

#[test]
fn a_list_that_has_not_changed_is_not_sent_again() {
    let (upstream, issuer) = (Upstream::start(), Issuer::start());
    let tagged = list(&["a"]).with("etag", "\"v1\"");
    let unchanged = Page::status(304).requiring("if-none-match", "\"v1\"", tagged);
    issuer.serve("/keys", unchanged);
    let envoy = Envoy::start(bootstrap(&upstream, &issuer).concurrency(2).listener(
        "keys",
        &document(&issuer, "keys", json!({"max_stale": "4s"})),
    ));
    assert_eq!(ask(&envoy, "keys", "a"), passes(), "{}", envoy.log());
    // Longer than the list is used without a confirmation.
    until("the list is fetched again and again", || {
        issuer.asked("/keys") >= 7
    });
    assert!(all(&envoy, "keys", "a", &passes()));
    assert!(envoy.counted("lists.age.keys") <= 2);
    assert_eq!(envoy.counted("lists.failed"), 0);
    // The log says once what was fetched.
    let log = envoy.log();
    assert_eq!(log.matches("fetched API keys from").count(), 1, "{log}");
    let changed = list(&["b"]).with("etag", "\"v2\"");
    issuer.serve(
        "/keys",
        Page::status(304).requiring("if-none-match", "\"v2\"", changed),
    );
    time_until(&envoy, "keys", "a", &refused());
    assert!(all(&envoy, "keys", "b", &passes()));
    ends_well(&envoy, &["a", "b"]);
}

#[test]
fn headers_from_the_environment_reach_the_source_and_no_log() {
    let (upstream, issuer) = (Upstream::start(), Issuer::start());
    let page = list(&["a"])
        .requiring("authorization", "Bearer xyzzy-secret", Page::status(401))
        .requiring("x-environment", "test", Page::status(403))
        .requiring("accept", "application/json", Page::status(406))
        .requiring("accept-encoding", "identity", Page::status(406))
        .requiring("user-agent", "countersign/", Page::status(403));
    issuer.serve("/keys", page);
    let headers = json!({"authorization": {"env": "KEYS_AUTHORIZATION"}, "X-Environment": "test"});
    let document = document(&issuer, "keys", json!({ "headers": headers }));
    let mut filter = wasm_filter("keys", &module_path(), &document);
    filter["typed_config"]["config"]["vm_config"]["environment_variables"] =
        json!({"key_values": {"KEYS_AUTHORIZATION": "Bearer xyzzy-secret"}});
    let envoy = Envoy::start(bootstrap(&upstream, &issuer).listener_with("keys", &[filter]));
    assert_eq!(ask(&envoy, "keys", "a"), passes(), "{}", envoy.log());
    assert!(!envoy.log().contains("xyzzy"), "{}", envoy.log());
    ends_well(&envoy, &["a"]);
}

#[test]
fn workers_share_one_fetch() {
    let (upstream, issuer) = (Upstream::start(), Issuer::start());
    issuer.serve("/keys", list(&["a"]));
    let envoy = Envoy::start(
        bootstrap(&upstream, &issuer)
            .concurrency(2)
            .listener("keys", &document(&issuer, "keys", json!({"refresh": "1h"}))),
    );
    for _ in 0..20 {
        assert_eq!(ask(&envoy, "keys", "a"), passes(), "{}", envoy.log());
        assert_eq!(ask(&envoy, "keys", "b"), refused());
    }
    assert_eq!(issuer.asked("/keys"), 1);
    assert_eq!(envoy.counted("lists.fetched"), 1);
    ends_well(&envoy, &["a", "b"]);
}

#[test]
fn a_hundred_thousand_keys_are_usable_within_seconds() {
    let (upstream, issuer) = (Upstream::start(), Issuer::start());
    let body = long_list(100_000);
    assert!(
        (10_000_000..16_000_000).contains(&body.len()),
        "{}",
        body.len()
    );
    issuer.serve("/keys", list(&["a"]));
    let envoy = Envoy::start(
        bootstrap(&upstream, &issuer)
            .concurrency(2)
            .listener("keys", &document(&issuer, "keys", json!({}))),
    );
    assert_eq!(ask(&envoy, "keys", "a"), passes(), "{}", envoy.log());
    let before = resident(&envoy);
    let quiet = no_starts();
    let mut longest = Duration::ZERO;
    issuer.serve("/keys", Page::bytes(body.clone()));
    let begun = Instant::now();
    until("the new list is used", || {
        let asked = Instant::now();
        let all_use_it = all(&envoy, "keys", "k99999", &passes());
        longest = longest.max(asked.elapsed());
        all_use_it
    });
    let took = begun.elapsed();
    drop(quiet);
    assert!(all(&envoy, "keys", "k0", &passes()));
    assert!(all(&envoy, "keys", "a", &refused()));
    assert_eq!(envoy.counted("lists.entries.keys"), 100_000);
    say(&format!(
        "100,000 keys, {} bytes, 2 workers: usable after {took:?}, no request waits longer than {longest:?}; memory {} MiB \
         before, {} MiB after, {} MiB at most",
        body.len(),
        before / 1024,
        resident(&envoy) / 1024,
        resident_at_most(&envoy) / 1024,
    ));
    // The same body is not read again.
    let fetched = issuer.asked("/keys");
    until("it is fetched again", || {
        issuer.asked("/keys") > fetched + 2
    });
    let (after, cpu) = (resident(&envoy), envoy.cpu_nanoseconds());
    until("it is fetched again", || {
        issuer.asked("/keys") > fetched + 5
    });
    say(&format!(
        "three fetches of the same body: {} ms of CPU, {} MiB",
        (envoy.cpu_nanoseconds() - cpu) / 1_000_000,
        resident(&envoy) / 1024
    ));
    assert!(resident(&envoy) < after + 64 * 1024);
    ends_well(&envoy, &["k0", "k99999"]);
}
