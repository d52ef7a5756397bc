//! Updates while requests flow: each response is one of the old or of the new configuration.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::{
    Answer, PATIENCE, ask, document, filter, key, local, module, other_module, request, token,
    with_code, write_module,
};
use crate::support;
use crate::support::client::Connection;
use crate::support::discovery::Discovery;
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::issuer::{Gate, Issuer, Page};
use crate::support::until;
use crate::support::upstream::Upstream;

/// How many connections send requests.
const CONNECTIONS: usize = 4;

/// How many of them a connection sends, before another is opened.
const ON_ONE_CONNECTION: usize = 10;

/// The configurations that take turns. They differ in the realm, and in who may read `/either`.
fn old() -> Value {
    document("old", "orders:read")
}

fn new() -> Value {
    document("new", "orders:write")
}

/// A request, by its path and whether it has the token.
type Asked = (&'static str, bool);

const REQUESTS: [Asked; 5] = [
    ("/both", false),
    ("/both", true),
    ("/never", false),
    ("/never", true),
    ("/either", true),
];

/// How often each request had each answer.
#[derive(Default)]
struct Seen(Mutex<BTreeMap<(Asked, Answer), usize>>);

impl Seen {
    fn add(&self, asked: Asked, answer: Answer) {
        *self.0.lock().unwrap().entry((asked, answer)).or_default() += 1;
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().values().sum()
    }

    /// Waits until each connection has sent every request, and has been replaced.
    fn let_requests_flow(&self) {
        let enough = self.count() + 2 * CONNECTIONS * ON_ONE_CONNECTION;
        until("requests flow", || self.count() >= enough);
    }

    fn take(&self) -> BTreeMap<(Asked, Answer), usize> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Sends requests over several connections until `run` returns, and returns how often each request had each answer.
fn during(
    envoy: &Envoy,
    listener: &str,
    run: impl FnOnce(&Seen),
) -> BTreeMap<(Asked, Answer), usize> {
    let (seen, stop, token) = (Seen::default(), AtomicBool::new(false), token());
    let server = envoy.listening(listener).expect("the listener is open");
    thread::scope(|scope| {
        for number in 0..CONNECTIONS {
            let (seen, stop, token) = (&seen, &stop, &token);
            scope.spawn(move || {
                let open = || Connection::new(server, PATIENCE);
                let mut connection = open();
                for (count, asked) in REQUESTS.iter().cycle().skip(number).enumerate() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    if count % ON_ONE_CONNECTION == 0 {
                        connection = open();
                    }
                    let (path, has_token) = *asked;
                    let response =
                        connection.ask(request(path, has_token.then_some(token)).as_bytes());
                    seen.add(
                        *asked,
                        response.map_or_else(
                            |fault| Answer::none(&fault),
                            |response| Answer::of(&response),
                        ),
                    );
                }
            });
        }
        let stopping = StopsOnDrop(&stop);
        run(&seen);
        drop(stopping);
    });
    seen.take()
}

/// Stops the requests, also if the test panics.
struct StopsOnDrop<'a>(&'a AtomicBool);

impl Drop for StopsOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The answers of listeners whose configuration does not change.
fn answers(envoy: &Envoy, listeners: &[&str]) -> Vec<(Asked, Answer)> {
    let token = token();
    let each = listeners
        .iter()
        .flat_map(|listener| REQUESTS.map(|asked| (listener, asked)));
    each.map(|(listener, asked)| {
        let (path, has_token) = asked;
        (
            asked,
            ask(envoy, listener, path, has_token.then_some(&token)),
        )
    })
    .collect()
}

/// Holds that each answer is one of these, and that each of these was seen.
fn hold(what: &str, seen: &BTreeMap<(Asked, Answer), usize>, expected: &[(Asked, Answer)]) {
    let count: usize = seen.values().sum();
    support::say(&format!("{what}: {count} requests"));
    let other: Vec<_> = seen
        .iter()
        .filter(|(answer, _)| !expected.contains(answer))
        .collect();
    assert!(
        other.is_empty(),
        "{what}: answers of neither configuration: {other:#?}"
    );
    let missing: Vec<_> = expected
        .iter()
        .filter(|answer| !seen.contains_key(answer))
        .collect();
    assert!(
        missing.is_empty(),
        "{what}: answers that no request had: {missing:#?}"
    );
}

fn reloads(envoy: &Envoy) -> u64 {
    envoy.stat("extension_config_discovery.http_filter.countersign.config_reload")
}

fn rejections(envoy: &Envoy) -> u64 {
    envoy.stat("extension_config_discovery.http_filter.countersign.update_rejected")
}

#[test]
fn each_response_during_updates_is_of_the_old_or_of_the_new_configuration() {
    let (upstream, discovery) = (Upstream::start(), Discovery::start());
    let folder = tempfile::tempdir().unwrap();
    let other = write_module(&folder, "other.wasm", &other_module());
    let broken = write_module(&folder, "broken.wasm", &module()[..100_000]);
    let of_other = |document: &Value| with_code(filter(document), &local(&other));
    discovery.publish(&filter(&old()));
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port())
            .cluster("countersign", &[discovery.port()])
            .concurrency(2)
            .listener_with("api", &[Discovery::filter("countersign")])
            .listener_with("old", &[filter(&old())])
            .listener_with("new", &[filter(&new())])
            .dynamic(),
    );
    let update = |filter: &Value, realm: &str| {
        let before = reloads(&envoy);
        discovery.publish(filter);
        until("the update is in force", || reloads(&envoy) > before);
        let challenge = ask(&envoy, "api", "/both", None).challenge;
        assert_eq!(challenge, format!("Bearer realm=\"{realm}\""));
    };

    let seen = during(&envoy, "api", |seen| {
        for _ in 0..25 {
            update(&filter(&new()), "new");
            update(&filter(&old()), "old");
        }
        seen.let_requests_flow();
    });
    hold("50 updates", &seen, &answers(&envoy, &["old", "new"]));

    let reject = |filter: &Value| {
        let before = rejections(&envoy);
        discovery.publish(filter);
        until("the update is rejected", || rejections(&envoy) > before);
    };
    let seen = during(&envoy, "api", |seen| {
        reject(&filter(&json!({"rules": 1})));
        reject(&with_code(filter(&new()), &local(&broken)));
        reject(&with_code(
            filter(&new()),
            &local(&folder.path().join("missing.wasm")),
        ));
        seen.let_requests_flow();
    });
    hold("broken updates", &seen, &answers(&envoy, &["old"]));

    let seen = during(&envoy, "api", |seen| {
        update(&of_other(&new()), "new");
        seen.let_requests_flow();
        update(&filter(&old()), "old");
        seen.let_requests_flow();
    });
    let mut expected = answers(&envoy, &["new"]);
    for (_, answer) in &mut expected {
        answer.body = answer.body.replace("is required", "IS required");
    }
    expected.extend(answers(&envoy, &["old"]));
    hold("another build", &seen, &expected);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

#[test]
fn a_listener_is_replaced_while_requests_flow() {
    let upstream = Upstream::start();
    let bootstrap = |document: &Value| {
        Bootstrap::new(upstream.port())
            .concurrency(2)
            .listener_with("api", &[filter(document)])
            .listener_with("old", &[filter(&old())])
            .listener_with("new", &[filter(&new())])
    };
    let envoy = Envoy::start(bootstrap(&new()).dynamic());
    let mut open = Connection::new(envoy.listener("api"), PATIENCE);
    let mut ask_on_open = || {
        open.ask(request("/both", None).as_bytes())
            .map(|response| Answer::of(&response))
    };
    let before = ask_on_open().unwrap();
    assert_eq!(before.challenge, "Bearer realm=\"new\"");
    let update = |document: &Value, realm: &str| {
        envoy.change_listeners(bootstrap(document));
        until("the update is in force", || {
            ask(&envoy, "api", "/both", None).challenge == format!("Bearer realm=\"{realm}\"")
        });
    };
    let seen = during(&envoy, "api", |seen| {
        for _ in 0..5 {
            update(&old(), "old");
            seen.let_requests_flow();
            update(&new(), "new");
            seen.let_requests_flow();
        }
    });
    hold(
        "10 updates of the listener",
        &seen,
        &answers(&envoy, &["old", "new"]),
    );
    // A connection keeps the configuration with which it was opened.
    update(&old(), "old");
    assert_eq!(ask_on_open().unwrap(), before);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

#[test]
fn requests_that_wait_for_keys_during_an_update_are_answered() {
    let (upstream, discovery) = (Upstream::start(), Discovery::start());
    let issuer = Issuer::start();
    let gate = Gate::default();
    issuer.serve("/jwks", Page::keys(&[key()]).behind(&gate));
    let fetching = |realm: &str| {
        let mut document = document(realm, "orders:read");
        document["providers"][0]["jwt"]["jwks"] =
            json!({"remote": {"uri": issuer.url("/jwks"), "cluster": "issuer", "timeout": "10s"}});
        filter(&document)
    };
    discovery.publish(&fetching("old"));
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port())
            .cluster("countersign", &[discovery.port()])
            .cluster("issuer", &[issuer.port()])
            .concurrency(2)
            .listener_with("api", &[Discovery::filter("countersign")])
            .dynamic(),
    );
    let token = token();
    let answers: Vec<u16> = thread::scope(|scope| {
        let waiting: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| ask(&envoy, "api", "/both", Some(&token)).status))
            .collect();
        until("all wait", || {
            envoy.stat("http.api.downstream_rq_active") == 8
        });
        for realm in ["new", "newer", "newest"] {
            let before = reloads(&envoy);
            discovery.publish(&fetching(realm));
            until("the update is in force", || reloads(&envoy) > before);
        }
        assert_eq!(envoy.stat("http.api.downstream_rq_active"), 8);
        gate.open();
        waiting.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(answers, [200; 8]);
    assert_eq!(ask(&envoy, "api", "/both", Some(&token)).status, 200);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}
