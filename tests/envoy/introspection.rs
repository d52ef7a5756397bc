//! Opaque tokens in a real Envoy: when and how often the authorization server is asked, and how requests are decided
//! meanwhile.

// Envoy reads the real clock.
#![allow(clippy::disallowed_methods)]

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::client::{self, Request, Response};
use crate::support::envoy::{Bootstrap, Envoy, module_path, no_starts, wasm_filter};
use crate::support::issuer::{Gate, Issuer, Page};
use crate::support::until;
use crate::support::upstream::Upstream;

const TOKEN: &str = "an-opaque-token-of-amy+/~=";
const OTHER: &str = "an-opaque-token-of-bob";
/// The secret of the client `gate` that the server expects.
const SECRET: &str = "s+cret/%";
/// What of the secret and its header is searched for in the logs.
const SECRETS: [&str; 5] = [
    SECRET,
    "s%2Bcret",
    "Z2F0ZTpz",
    "an-opaque-token",
    "invalid-opaque",
];

fn document(server: &Issuer, members: &Value) -> Value {
    let mut introspection = json!({
        "uri": server.url("/introspect"), "cluster": "login", "client_id": "gate", "client_secret": SECRET,
        "timeout": "10s",
    });
    for (name, value) in members.as_object().unwrap() {
        introspection[name] = value.clone();
    }
    json!({
        "providers": [{"name": "legacy", "introspection": introspection}],
        "identity": {"headers": {"x-auth-subject": "{subject}"}},
    })
}

fn bootstrap(upstream: &Upstream, server: &Issuer) -> Bootstrap {
    Bootstrap::new(upstream.port()).cluster("login", &[server.port()])
}

/// A server that knows the two tokens.
fn server() -> Issuer {
    let server = Issuer::start();
    says(&server, "", json!({"active": false}));
    says(&server, TOKEN, json!({"active": true, "sub": "amy"}));
    says(&server, OTHER, json!({"active": true, "sub": "bob"}));
    server
}

/// From now on the server says this of a token; of every other token, if none is named.
fn says(server: &Issuer, token: &str, answer: Value) {
    let path = format!("/introspect {token}");
    server.serve(path.trim_end(), Page::introspection(&answer));
}

fn asked(server: &Issuer) -> usize {
    server.asked("/introspect")
}

fn post(envoy: &Envoy, listener: &str, token: &str, body: &[u8]) -> Response {
    let authorization = format!("Bearer {token}");
    let request = Request {
        method: if body.is_empty() { b"GET" } else { b"POST" },
        target: b"/",
        headers: vec![
            (b"host", b"api.example.com"),
            (b"authorization", authorization.as_bytes()),
        ],
        body,
    };
    client::send(envoy.listener(listener), &request).unwrap()
}

fn get(envoy: &Envoy, token: &str) -> u16 {
    post(envoy, "api", token, b"").status
}

fn waiting(envoy: &Envoy) -> u64 {
    envoy.stat("http.api.downstream_rq_active")
}

/// The lines of the log about failed questions.
fn failures(envoy: &Envoy) -> Vec<String> {
    let log = envoy.log();
    let lines = log.lines();
    let lines = lines.filter(|line| line.contains("provider `legacy`: introspection failed: "));
    lines.map(str::to_owned).collect()
}

/// No crash, and no secret in a log.
fn ends_well(envoy: &Envoy) {
    assert_eq!(envoy.alarms(), Vec::<String>::new());
    let logs = envoy.log() + &envoy.access_log();
    let shown = logs
        .lines()
        .find(|line| SECRETS.iter().any(|secret| line.contains(secret)));
    assert_eq!(shown, None);
}

#[test]
fn concurrent_requests_with_one_token_wait_for_one_question() {
    let (upstream, server, gate) = (Upstream::start(), server(), Gate::default());
    let active = Page::introspection(&json!({"active": true, "sub": "amy"}));
    server.serve(&format!("/introspect {TOKEN}"), active.behind(&gate));
    let envoy =
        Envoy::start(bootstrap(&upstream, &server).listener("api", &document(&server, &json!({}))));
    let body = vec![b'x'; 100_000];
    thread::scope(|scope| {
        let requests: Vec<_> = (0..50)
            .map(|_| scope.spawn(|| get(&envoy, TOKEN)))
            .collect();
        let posted = scope.spawn(|| post(&envoy, "api", TOKEN, &body));
        // Clients that close the connection while they wait.
        let gone = [(); 3].map(|()| {
            let mut stream = TcpStream::connect(envoy.listener("api")).unwrap();
            let head =
                format!("GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            stream
        });
        until("all wait", || waiting(&envoy) == 54);
        // Another token does not wait for this one.
        assert_eq!(get(&envoy, OTHER), 200);
        drop(gone);
        until("three are gone", || waiting(&envoy) == 51);
        gate.open();
        for request in requests {
            assert_eq!(request.join().unwrap(), 200);
        }
        let posted = posted.join().unwrap();
        let echoed: Value = serde_json::from_slice(&posted.body).unwrap();
        assert_eq!(echoed["body_length"], json!(body.len()));
    });
    assert_eq!(get(&envoy, TOKEN), 200, "from the cache");
    assert_eq!(server.asked(&format!("/introspect {TOKEN}")), 1);
    assert_eq!(asked(&server), 2);
    assert_eq!(envoy.counted("introspection.ok"), 2);
    assert_eq!(envoy.counted("introspection.failed"), 0);
    ends_well(&envoy);
}

#[test]
fn requests_are_answered_if_the_client_whose_request_asked_has_gone() {
    let (upstream, server, gate) = (Upstream::start(), server(), Gate::default());
    let active = Page::introspection(&json!({"active": true, "sub": "amy"}));
    server.serve(&format!("/introspect {TOKEN}"), active.behind(&gate));
    let envoy =
        Envoy::start(bootstrap(&upstream, &server).listener("api", &document(&server, &json!({}))));
    let mut first = TcpStream::connect(envoy.listener("api")).unwrap();
    let head = format!("GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
    first.write_all(head.as_bytes()).unwrap();
    until("the server is asked", || asked(&server) == 1);
    thread::scope(|scope| {
        let second = scope.spawn(|| get(&envoy, TOKEN));
        until("both wait", || waiting(&envoy) == 2);
        drop(first);
        until("the first has gone", || waiting(&envoy) == 1);
        gate.open();
        let begun = Instant::now();
        assert_eq!(second.join().unwrap(), 200);
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
    });
    assert_eq!(asked(&server), 1);
    ends_well(&envoy);
}

#[test]
fn in_shadow_mode_the_server_is_asked_and_no_request_waits() {
    let (upstream, server, gate) = (Upstream::start(), server(), Gate::default());
    let active = Page::introspection(&json!({"active": true, "sub": "amy"}));
    server.serve(&format!("/introspect {TOKEN}"), active.behind(&gate));
    let mut document = document(&server, &json!({}));
    document["mode"] = json!("shadow");
    let envoy = Envoy::start(bootstrap(&upstream, &server).listener("api", &document));
    let subject = || {
        let response = post(&envoy, "api", TOKEN, b"");
        assert_eq!(response.status, 200);
        String::from_utf8(response.body)
            .unwrap()
            .contains("x-auth-subject")
    };
    for _ in 0..3 {
        assert!(!subject(), "the server has not answered");
    }
    gate.open();
    until("the caller is known", subject);
    assert_eq!(server.asked(&format!("/introspect {TOKEN}")), 1);
    ends_well(&envoy);
}

#[test]
fn a_revoked_token_is_refused_when_the_cached_answer_has_ended() {
    let (upstream, server) = (Upstream::start(), server());
    let envoy = Envoy::start(
        bootstrap(&upstream, &server).listener("api", &document(&server, &json!({"cache": "2s"}))),
    );
    let begun = Instant::now();
    for _ in 0..3 {
        assert_eq!(get(&envoy, TOKEN), 200);
    }
    assert_eq!(asked(&server), 1);
    says(&server, TOKEN, json!({"active": false}));
    until("the revocation is seen", || get(&envoy, TOKEN) == 401);
    assert!(
        begun.elapsed() >= Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(asked(&server), 2);
    ends_well(&envoy);
}

#[test]
fn a_server_that_fails_makes_requests_unavailable_until_it_answers_again() {
    let (upstream, mut server) = (Upstream::start(), server());
    let members = json!({"timeout": "500ms", "cache": "0s"});
    let envoy =
        Envoy::start(bootstrap(&upstream, &server).listener("api", &document(&server, &members)));
    assert_eq!(get(&envoy, TOKEN), 200);
    let unavailable = |why: &str| {
        let quiet = no_starts();
        let begun = Instant::now();
        let response = post(&envoy, "api", TOKEN, b"");
        let elapsed = begun.elapsed();
        drop(quiet);
        assert_eq!(response.status, 503, "{why}");
        assert!(elapsed < Duration::from_millis(1500), "{why}: {elapsed:?}");
        assert_eq!(response.values("retry-after").count(), 1, "{why}");
        assert_eq!(response.values("www-authenticate").count(), 0, "{why}");
        until(why, || {
            failures(&envoy).iter().any(|line| line.contains(why))
        });
    };
    let path = format!("/introspect {TOKEN}");
    let client = "status 401: check `client_id` and `client_secret`";
    for (page, why) in [
        (Page::status(500), "expected status 200, found 500"),
        (Page::status(401), client),
        (Page::bytes("<html>"), "expected a JSON object"),
        (Page::bytes(vec![b' '; 70_000]), "response too long"),
        // Envoy answers with 503 in place of a server that closes the connection, and with 504 after the timeout.
        (Page::closed(), "expected status 200, found 503"),
        (Page::silence(), "expected status 200, found 504"),
    ] {
        server.serve(&path, page);
        unavailable(why);
    }
    // Once in a while, not for each request.
    server.serve(&path, Page::status(401));
    for _ in 0..20 {
        assert_eq!(get(&envoy, TOKEN), 503);
    }
    let lines = failures(&envoy);
    let same = lines.iter().filter(|line| line.contains(client)).count();
    assert!(same <= 2, "{lines:?}");
    server.stop();
    assert_eq!(get(&envoy, TOKEN), 503);
    assert_eq!(envoy.counted("introspection.failed"), 27);
    server.start_again();
    says(&server, TOKEN, json!({"active": true}));
    until("it answers again", || get(&envoy, TOKEN) == 200);
    ends_well(&envoy);
}

#[test]
fn a_call_that_is_not_sent_makes_the_request_unavailable() {
    let (upstream, server) = (Upstream::start(), server());
    let with = |members: Value| document(&server, &members);
    let shadow = {
        let mut document = with(json!({"cluster": "nobody"}));
        document["mode"] = json!("shadow");
        document
    };
    let envoy = Envoy::start(
        bootstrap(&upstream, &server)
            .cluster("nobody", &[])
            .listener("api", &with(json!({})))
            .listener("nobody", &with(json!({"cluster": "nobody"})))
            .listener("missing", &with(json!({"cluster": "missing"})))
            .listener("shadow", &shadow),
    );
    for _ in 0..3 {
        for listener in ["nobody", "missing"] {
            let response = post(&envoy, listener, TOKEN, b"content");
            assert_eq!(response.status, 503, "{listener}");
            assert_eq!(response.values("retry-after").count(), 1, "{listener}");
        }
        assert_eq!(post(&envoy, "shadow", TOKEN, b"content").status, 200);
        assert_eq!(get(&envoy, TOKEN), 200);
    }
    let lines = failures(&envoy);
    assert!(
        lines
            .iter()
            .any(|line| line.contains("expected a healthy endpoint"))
            && lines
                .iter()
                .any(|line| line.contains("no cluster `missing`")),
        "{lines:?}"
    );
    ends_well(&envoy);
}

#[test]
fn filters_that_share_a_vm_receive_their_own_responses() {
    let (upstream, one, other) = (Upstream::start(), server(), server());
    let gate = Gate::default();
    for (server, subject) in [(&one, "amy"), (&other, "eve")] {
        let active = Page::introspection(&json!({"active": true, "sub": subject}));
        server.serve(&format!("/introspect {TOKEN}"), active.behind(&gate));
    }
    let members = json!({"cluster": "other"});
    let envoy = Envoy::start(
        bootstrap(&upstream, &one)
            .cluster("other", &[other.port()])
            .listener("api", &document(&one, &json!({})))
            .listener("other", &document(&other, &members)),
    );
    let subject = |listener: &str| {
        let response = post(&envoy, listener, TOKEN, b"content");
        let echoed: Value = serde_json::from_slice(&response.body).unwrap();
        let headers = echoed["headers"].as_array().unwrap();
        let told = headers.iter().find(|header| header[0] == "x-auth-subject");
        told.unwrap()[1].as_str().unwrap().to_owned()
    };
    thread::scope(|scope| {
        let first = scope.spawn(|| subject("api"));
        let second = scope.spawn(|| subject("other"));
        until("both wait", || asked(&one) + asked(&other) == 2);
        gate.open();
        assert_eq!(first.join().unwrap(), "amy");
        assert_eq!(second.join().unwrap(), "eve");
    });
    ends_well(&envoy);
}

#[test]
fn requests_that_wait_when_the_configuration_changes_are_answered() {
    let (upstream, server, gate) = (Upstream::start(), server(), Gate::default());
    let active = Page::introspection(&json!({"active": true}));
    server.serve(&format!("/introspect {TOKEN}"), active.behind(&gate));
    let with = |members: Value| {
        bootstrap(&upstream, &server)
            .dynamic()
            .listener("api", &document(&server, &members))
    };
    let envoy = Envoy::start(with(json!({})));
    thread::scope(|scope| {
        let request = scope.spawn(|| get(&envoy, TOKEN));
        until("it waits", || waiting(&envoy) == 1);
        let changes = envoy.stat("listener_manager.lds.update_success");
        envoy.change_listeners(with(json!({"cache": "5s"})));
        until("it is changed", || {
            envoy.stat("listener_manager.lds.update_success") > changes
        });
        gate.open();
        let status = request.join().unwrap();
        assert!([200, 503].contains(&status), "{status}");
    });
    ends_well(&envoy);
}

#[test]
fn the_client_secret_can_be_in_a_variable() {
    let (upstream, server) = (Upstream::start(), server());
    let members = json!({"client_secret": {"env": "GATE_SECRET"}});
    let mut filter = wasm_filter("api", &module_path(), &document(&server, &members));
    filter["typed_config"]["config"]["vm_config"]["environment_variables"] =
        json!({"key_values": {"GATE_SECRET": SECRET}});
    let envoy = Envoy::start(bootstrap(&upstream, &server).listener_with("api", &[filter]));
    assert_eq!(get(&envoy, TOKEN), 200, "{}", envoy.log());
    assert_eq!(get(&envoy, "invalid-opaque-token"), 401);
    ends_well(&envoy);
}

#[test]
fn a_flood_of_random_tokens_does_not_stop_cached_ones() {
    let (upstream, server, gate) = (Upstream::start(), server(), Gate::default());
    let members = json!({"timeout": "5s"});
    let envoy =
        Envoy::start(bootstrap(&upstream, &server).listener("api", &document(&server, &members)));
    assert_eq!(get(&envoy, TOKEN), 200);
    let inactive = Page::introspection(&json!({"active": false}));
    server.serve("/introspect", inactive.behind(&gate));
    thread::scope(|scope| {
        let (envoy, server) = (&envoy, &server);
        let random = |number: usize| {
            scope.spawn(move || get(envoy, &format!("invalid-opaque-token-{number}")))
        };
        let requests: Vec<_> = (0..260).map(random).collect();
        // 256 calls wait for their responses. The requests beyond that are answered at once.
        until("the calls are under way", || {
            waiting(envoy) == 256 && envoy.counted("introspection.failed") == 4
        });
        assert_eq!(get(envoy, TOKEN), 200);
        assert_eq!(get(envoy, OTHER), 503);
        gate.open();
        let statuses: Vec<u16> = requests
            .into_iter()
            .map(|request| request.join().unwrap())
            .collect();
        let count = |status| statuses.iter().filter(|own| **own == status).count();
        assert_eq!((count(401), count(503)), (256, 4));
        assert_eq!(get(envoy, OTHER), 200);
        assert_eq!(asked(server), 258);
    });
    assert!(failures(&envoy)[0].contains("256 calls wait for their responses already"));
    ends_well(&envoy);
}
