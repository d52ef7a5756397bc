//! User names and passwords in a real Envoy: fetched users, hashes that the module computes, and the budget for them.

// Envoy reads the real clock.
#![allow(clippy::disallowed_methods)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding};
use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use crate::support;
use crate::support::client::{self, Connection, Request, Response};
use crate::support::envoy::{Bootstrap, Envoy, no_starts};
use crate::support::issuer::{Issuer, Page};
use crate::support::upstream::Upstream;
use crate::support::{say, until};

/// The bcrypt hashes of `secret` and of `other` with cost 10, by `htpasswd`.
const SECRET: &str = "$2y$10$ICQhh57fc2lpCwcEpV2ESOc3ViW.5odl5H1ljhgUFkRzmyMvKOb5e";
const OTHER: &str = "$2y$10$qE2V7V6SHFr26Zj6L4r5se.sykPAhYMq2OYSqOffttbt/xlDswTmu";

/// A hash of `secret` without cost.
const FAST: &str = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";

/// The argon2id hash of `secret` that `countersign hash password` prints, with 19 MiB.
const ARGON2ID: &str = "$argon2id$v=19$m=19456,t=2,p=1$kx/6tujFB7vUafrpobK4pg$NU4vgC4As62tlK8w2owk1ZKZytbFhsyDWTIZ2JLSLrs";

fn user(name: &str, password: &str) -> Value {
    json!({"name": name, "password": password})
}

fn basic(users: &Value) -> Value {
    json!({"name": "staff", "basic": {"users": users}})
}

fn authorization(name: &str, password: &str) -> String {
    let credential = Base64::encode_string(format!("{name}:{password}").as_bytes());
    format!("Basic {credential}")
}

fn send(envoy: &Envoy, listener: &str, authorization: &str) -> Response {
    let headers: Vec<(&[u8], &[u8])> = vec![
        (b"host", b"api.example.com"),
        (b"authorization", authorization.as_bytes()),
    ];
    let request = Request {
        method: b"GET",
        target: b"/",
        headers,
        body: b"",
    };
    client::send(envoy.listener(listener), &request).unwrap()
}

fn ask(envoy: &Envoy, listener: &str, name: &str, password: &str) -> u16 {
    send(envoy, listener, &authorization(name, password)).status
}

/// Asks until the budget of the worker allows the hash.
fn ask_patiently(envoy: &Envoy, listener: &str, name: &str, password: &str) -> u16 {
    let mut status = 503;
    until("the budget allows a hash", || {
        status = ask(envoy, listener, name, password);
        status != 503
    });
    status
}

/// Whether the last requests of a user, on any worker, had this status.
fn all(envoy: &Envoy, name: &str, password: &str, expected: u16) -> bool {
    (0..10).all(|_| ask(envoy, "staff", name, password) == expected)
}

fn ends_well(envoy: &Envoy) {
    assert_eq!(envoy.alarms(), Vec::<String>::new());
    let log = envoy.log();
    for secret in [SECRET, OTHER, FAST, "hunter2"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn users_are_issued_changed_and_withdrawn_on_all_workers() {
    let (upstream, issuer) = (Upstream::start(), Issuer::start());
    let serve = |users: Value| issuer.serve("/users", Page::json(&json!({ "users": users })));
    serve(json!([user("alice", SECRET)]));
    let remote = json!({"uri": issuer.url("/users"), "cluster": "issuer", "refresh": "1s", "timeout": "10s"});
    let document = json!({
        "hash_budget": "900ms",
        "providers": [basic(&json!({ "remote": remote }))],
    });
    let bootstrap = Bootstrap::new(upstream.port()).cluster("issuer", &[issuer.port()]);
    let envoy = Envoy::start(bootstrap.concurrency(2).listener("staff", &document));
    let becomes = |name: &str, password: &str, status: u16| {
        until(&format!("{name}:{password} {status}"), || {
            all(&envoy, name, password, status)
        });
    };
    becomes("alice", "secret", 200);
    becomes("bob", "secret", 401);
    assert!(envoy.counted("hashes") >= 2);
    assert_eq!(envoy.counted("lists.entries.staff"), 1);
    // A new list with the same entry makes neither worker hash again.
    serve(json!([user("carol", FAST), user("alice", SECRET)]));
    becomes("carol", "secret", 200);
    let hashed = envoy.counted("hashes");
    assert!(all(&envoy, "alice", "secret", 200));
    assert_eq!(envoy.counted("hashes"), hashed);
    // Another password, and the user is withdrawn.
    serve(json!([user("alice", OTHER)]));
    becomes("alice", "secret", 401);
    becomes("alice", "other", 200);
    becomes("carol", "secret", 401);
    serve(json!([]));
    becomes("alice", "other", 401);
    // An entry that is not a hash is ignored, and is not in the log.
    serve(json!([user("alice", "hunter2"), user("bob", FAST)]));
    becomes("bob", "secret", 200);
    assert!(all(&envoy, "alice", "hunter2", 401));
    let log = envoy.log();
    assert!(
        log.contains("1 ignored: entry 0: `password`: expected a bcrypt or argon2id hash"),
        "{log}"
    );
    ends_well(&envoy);
}

#[test]
fn beyond_the_budget_only_cached_users_pass() {
    let upstream = Upstream::start();
    // A hash of cost 10 takes more than the 20 ms that are saved, so that the next one waits for a minute.
    let document = json!({
        "hash_budget": "1ms",
        "providers": [basic(&json!([user("alice", SECRET), user("bob", OTHER)]))],
    });
    let bootstrap = Bootstrap::new(upstream.port()).concurrency(1);
    let envoy = Envoy::start(bootstrap.listener("staff", &document));
    assert_eq!(
        ask(&envoy, "staff", "alice", "secret"),
        200,
        "{}",
        envoy.log()
    );
    for _ in 0..3 {
        let refused = send(&envoy, "staff", &authorization("bob", "other"));
        assert_eq!(refused.status, 503);
        assert!(refused.values("retry-after").next().is_some());
        assert_eq!(refused.values("www-authenticate").count(), 0);
        assert_eq!(ask(&envoy, "staff", "bob", "wrong"), 503);
        assert_eq!(ask(&envoy, "staff", "nobody", "wrong"), 503);
        assert_eq!(ask(&envoy, "staff", "alice", "wrong"), 503);
        assert_eq!(ask(&envoy, "staff", "alice", "secret"), 200);
    }
    assert_eq!(envoy.counted("hashes"), 1);
    assert!(
        envoy.log().contains("\"reason\":\"hash_budget_spent\""),
        "{}",
        envoy.log()
    );
    ends_well(&envoy);
}

#[test]
fn hashes_of_each_scheme_are_verified_in_the_module() {
    let upstream = Upstream::start();
    let users = json!([
        user("bcrypt", SECRET),
        user("sha", FAST),
        user(
            "sha256",
            "{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols="
        ),
        user("argon2id", ARGON2ID),
    ]);
    let document = json!({"hash_budget": "900ms", "providers": [basic(&users)]});
    let bootstrap = Bootstrap::new(upstream.port()).concurrency(1);
    let envoy = Envoy::start(bootstrap.listener("staff", &document));
    for name in ["bcrypt", "sha", "sha256", "argon2id"] {
        assert_eq!(
            ask_patiently(&envoy, "staff", name, "secret"),
            200,
            "{name}"
        );
        assert_eq!(
            ask_patiently(&envoy, "staff", name, "Secret"),
            401,
            "{name}"
        );
    }
    assert_eq!(envoy.counted("hashes"), 4);
    ends_well(&envoy);
}

/// Sends wrong passwords as fast as one worker answers them, and meanwhile requests with a token and of a cached user.
#[test]
fn a_flood_of_wrong_passwords_spends_only_the_budget() {
    let upstream = Upstream::start();
    let key = SigningKey::generate(Algorithm::Es256);
    let jwks = json!({"inline": {"keys": [key.public_jwk()]}});
    let document = json!({"audit": {"log": "none"}, "providers": [
        {"name": "as", "jwt": {"issuer": "https://as", "audiences": "any", "jwks": jwks}},
        basic(&json!([user("alice", SECRET), user("bob", OTHER)])),
    ]});
    let bootstrap = Bootstrap::new(upstream.port()).concurrency(1);
    let envoy = Envoy::start(bootstrap.listener("staff", &document));
    let claims =
        json!({"iss": "https://as", "aud": "api", "sub": "carol", "exp": support::now() + 600});
    let token = key.sign(
        Algorithm::Es256,
        &json!({"alg": "ES256"}),
        claims.to_string().as_bytes(),
    );
    let bearer = format!("Bearer {}", token.unwrap());
    let alice = authorization("alice", "secret");
    assert_eq!(ask(&envoy, "staff", "alice", "secret"), 200);
    for _ in 0..3 {
        assert_eq!(send(&envoy, "staff", &bearer).status, 200);
    }
    let _quiet = no_starts();
    let before = envoy.counted("hashes");
    let (begun, is_over) = (Instant::now(), AtomicBool::new(false));
    let server = envoy.listener("staff");
    let head = |authorization: &str| {
        format!("GET / HTTP/1.1\r\nhost: api.example.com\r\nauthorization: {authorization}\r\n\r\n")
            .into_bytes()
    };
    let (wrong, refused, mut times) = thread::scope(|scope| {
        let flood: Vec<_> = (0..4)
            .map(|thread| {
                let is_over = &is_over;
                scope.spawn(move || {
                    let mut connection = Connection::new(server, Duration::from_secs(30));
                    let (mut wrong, mut refused) = (0_u64, 0_u64);
                    for number in 0_u64.. {
                        if is_over.load(Ordering::Relaxed) {
                            break;
                        }
                        let guess = authorization("bob", &format!("guess {thread} {number}"));
                        match connection.ask(&head(&guess)).unwrap().status {
                            401 => wrong += 1,
                            503 => refused += 1,
                            status => panic!("{status}"),
                        }
                    }
                    (wrong, refused)
                })
            })
            .collect();
        let honest = [&bearer, &alice].map(|authorization| {
            let is_over = &is_over;
            scope.spawn(move || {
                let mut connection = Connection::new(server, Duration::from_secs(30));
                let (head, mut times) = (head(authorization), Vec::new());
                while !is_over.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    assert_eq!(connection.ask(&head).unwrap().status, 200);
                    times.push(begun.elapsed());
                    thread::sleep(Duration::from_millis(5));
                }
                times
            })
        });
        thread::sleep(Duration::from_secs(12));
        is_over.store(true, Ordering::Relaxed);
        let flood = flood.into_iter().map(|thread| thread.join().unwrap());
        let (wrong, refused) = flood.fold((0, 0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
        let times = honest.map(|thread| thread.join().unwrap());
        (wrong, refused, times)
    });
    let took = begun.elapsed();
    let hashes = envoy.counted("hashes") - before;
    let p99 = times.each_mut().map(|times| {
        times.sort();
        times[times.len() * 99 / 100]
    });
    let rate = (wrong + refused) as f64 / took.as_secs_f64();
    say(&format!(
        "{rate:.0} wrong passwords a second: {hashes} hashes in {took:?}, {refused} times 503; p99 with a token {:?}, of a \
         cached user {:?}",
        p99[0], p99[1]
    ));
    assert_eq!(hashes, wrong);
    assert!(refused > wrong);
    // A second is saved at first, and 5 % of the time follows. No hash of cost 10 takes less than 20 ms.
    let budget = 1.0 + 0.05 * took.as_secs_f64();
    assert!(hashes as f64 <= budget / 0.02 + 1.0, "{hashes}");
    ends_well(&envoy);
}
