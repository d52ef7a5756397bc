//! Fetched keys in a real Envoy: when and how often they are fetched, and how requests are decided meanwhile.

// Envoy reads the real clock.
#![allow(clippy::disallowed_methods)]

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use crate::support;
use crate::support::client::{self, Request, Response};
use crate::support::envoy::{Bootstrap, Envoy, module_path, no_starts, wasm_filter};
use crate::support::issuer::{Gate, Issuer, Page};
use crate::support::until;
use crate::support::upstream::Upstream;

pub(super) const ISSUER: &str = "https://login.example.com";
/// The time within which every worker adopts what one worker fetched. Workers look ten times per second.
const WORKERS_LOOK: Duration = Duration::from_millis(300);

fn let_workers_look() {
    let _quiet = no_starts();
    thread::sleep(WORKERS_LOOK);
}

pub(super) fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Algorithm::Es256).with_kid(Some(kid))
}

pub(super) fn token_of(issuer: &str, key: &SigningKey) -> String {
    let claims = json!({
        "iss": issuer, "aud": "orders", "sub": "amy", "exp": support::now() + 600,
    });
    let algorithm = key.algorithm().unwrap();
    let mut header = json!({"alg": algorithm.name()});
    if let Some(kid) = key.kid() {
        header["kid"] = json!(kid);
    }
    key.sign(algorithm, &header, claims.to_string().as_bytes())
        .unwrap()
}

pub(super) fn token(key: &SigningKey) -> String {
    token_of(ISSUER, key)
}

pub(super) fn provider(name: &str, jwks: &Value) -> Value {
    json!({"name": name, "jwt": {"issuer": ISSUER, "audiences": ["orders"], "jwks": jwks}})
}

/// A configuration of one provider whose keys are at `/jwks`.
fn document(issuer: &Issuer) -> Value {
    document_with(issuer, json!({}))
}

/// The same configuration with more members of `remote`.
pub(super) fn document_with(issuer: &Issuer, members: Value) -> Value {
    let mut remote = json!({"uri": issuer.url("/jwks"), "cluster": "issuer", "timeout": "10s"});
    for (name, value) in members.as_object().unwrap() {
        remote[name] = value.clone();
    }
    json!({"providers": [provider("corp", &json!({"remote": remote}))]})
}

pub(super) fn bootstrap(upstream: &Upstream, issuer: &Issuer) -> Bootstrap {
    Bootstrap::new(upstream.port()).cluster("issuer", &[issuer.port()])
}

fn get(envoy: &Envoy, listener: &str, target: &str, token: &str) -> Response {
    let authorization = format!("Bearer {token}");
    let mut headers: Vec<(&[u8], &[u8])> = vec![(b"host", b"api.example.com")];
    if !token.is_empty() {
        headers.push((b"authorization", authorization.as_bytes()));
    }
    let request = Request {
        method: b"GET",
        target: target.as_bytes(),
        headers,
        body: b"",
    };
    client::send(envoy.listener(listener), &request).unwrap()
}

pub(super) fn ask(envoy: &Envoy, listener: &str, token: &str) -> (u16, String) {
    read(&get(envoy, listener, "/", token))
}

/// The status and the `error` of the response.
fn read(response: &Response) -> (u16, String) {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let error = body["error"].as_str().unwrap_or_default();
    (response.status, error.to_owned())
}

pub(super) fn passes() -> (u16, String) {
    (200, String::new())
}

pub(super) fn refused() -> (u16, String) {
    (401, "invalid_token".to_owned())
}

pub(super) fn unavailable() -> (u16, String) {
    (503, "temporarily_unavailable".to_owned())
}

/// The number of active requests of a listener.
fn under_way(envoy: &Envoy, listener: &str) -> u64 {
    envoy.stat(&format!("http.{listener}.downstream_rq_active"))
}

/// The first log line about a failed fetch of a provider's keys.
pub(super) fn failed_fetch<'l>(log: &'l str, provider: &str) -> Option<&'l str> {
    let begin = format!("provider `{provider}`: fetching keys from `");
    log.lines()
        .find(|line| line.contains(&begin) && line.contains("` failed: "))
}

fn ends_well(envoy: &Envoy) {
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

#[test]
fn keys_are_fetched_at_configuration_once_for_all_workers() {
    let (upstream, one, two) = (Upstream::start(), key("one"), key("two"));
    let issuer = Issuer::with_keys(&[&one, &two]);
    let envoy = Envoy::start(
        bootstrap(&upstream, &issuer)
            .concurrency(2)
            .listener("remote", &document(&issuer)),
    );
    until("keys are fetched before anybody asks", || {
        envoy.counted("jwks.fetched") == 1
    });
    // Either of the two workers can take the connection.
    for _ in 0..20 {
        assert_eq!(ask(&envoy, "remote", &token(&one)), passes());
        assert_eq!(ask(&envoy, "remote", &token(&two)), passes());
    }
    assert_eq!(ask(&envoy, "remote", &token(&key("one"))), refused());
    assert_eq!(issuer.asked("/jwks"), 1);
    assert_eq!(envoy.counted("jwks.fetched"), 1);
    assert_eq!(envoy.counted("jwks.failed"), 0);
    assert_eq!(envoy.counted("jwks.keys"), 2);
    ends_well(&envoy);
}

#[test]
fn requests_before_the_first_keys_wait_and_are_judged() {
    for concurrency in [1, 2] {
        let (upstream, one, gate) = (Upstream::start(), key("one"), Gate::default());
        let issuer = Issuer::start();
        issuer.serve("/jwks", Page::keys(&[&one]).behind(&gate));
        let envoy = Envoy::start(
            bootstrap(&upstream, &issuer)
                .concurrency(concurrency)
                .listener("remote", &document(&issuer)),
        );
        let (good, forged, body) = (token(&one), token(&key("one")), vec![b'x'; 100_000]);
        thread::scope(|scope| {
            let send = |token: &str| {
                let token = token.to_owned();
                scope.spawn(|| ask(&envoy, "remote", &{ token }))
            };
            let good_ones: Vec<_> = (0..20).map(|_| send(&good)).collect();
            let forged_ones: Vec<_> = (0..4).map(|_| send(&forged)).collect();
            let posted = scope.spawn(|| {
                let authorization = format!("Bearer {good}");
                let headers: Vec<(&[u8], &[u8])> = vec![
                    (b"host", b"api.example.com"),
                    (b"authorization", authorization.as_bytes()),
                ];
                let request = Request {
                    method: b"POST",
                    target: b"/",
                    headers,
                    body: &body,
                };
                client::send(envoy.listener("remote"), &request).unwrap()
            });
            // Two clients that close the connection while they wait.
            let gone: Vec<_> = (0..2)
                .map(|_| {
                    let mut stream = TcpStream::connect(envoy.listener("remote")).unwrap();
                    let head = format!(
                        "GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {good}\r\n\r\n"
                    );
                    stream.write_all(head.as_bytes()).unwrap();
                    stream
                })
                .collect();
            until("all wait", || under_way(&envoy, "remote") == 27);
            drop(gone);
            until("two are gone", || under_way(&envoy, "remote") == 25);
            gate.open();
            for answer in good_ones {
                assert_eq!(answer.join().unwrap(), passes());
            }
            for answer in forged_ones {
                assert_eq!(answer.join().unwrap(), refused());
            }
            let posted = posted.join().unwrap();
            assert_eq!(posted.status, 200);
            let echoed: Value = serde_json::from_slice(&posted.body).unwrap();
            assert_eq!(echoed["body_length"], json!(body.len()));
        });
        assert_eq!(ask(&envoy, "remote", &good), passes());
        assert_eq!(issuer.asked("/jwks"), 1, "{concurrency} workers");
        until("all are counted", || envoy.counted("allowed") == 22);
        ends_well(&envoy);
    }
}

#[test]
fn an_issuer_that_does_not_answer_is_its_providers_trouble_alone() {
    let (upstream, one, other) = (Upstream::start(), key("one"), key("other"));
    let issuer = Issuer::start();
    issuer.serve("/jwks", Page::silence());
    let mut document = document_with(&issuer, json!({"timeout": "1s"}));
    let mut partners = provider(
        "partners",
        &json!({"inline": {"keys": [other.public_jwk()]}}),
    );
    partners["jwt"]["issuer"] = json!("https://partners.example.com");
    document["providers"].as_array_mut().unwrap().push(partners);
    document["rules"] = json!([
        {"name": "health", "match": {"paths": ["/healthz"]}, "allow": "public"},
        {"name": "all", "match": {"paths": ["/**"]}},
    ]);
    let envoy = Envoy::start(bootstrap(&upstream, &issuer).listener("remote", &document));

    let quiet = no_starts();
    let begun = Instant::now();
    let response = get(&envoy, "remote", "/", &token(&one));
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(read(&response), unavailable());
    let retry_after = response.values("retry-after").next().unwrap();
    assert!(
        std::str::from_utf8(retry_after)
            .unwrap()
            .parse::<u32>()
            .unwrap()
            > 0
    );
    assert_eq!(response.values("www-authenticate").count(), 0);

    let partner = token_of("https://partners.example.com", &other);
    assert_eq!(ask(&envoy, "remote", &partner), passes());
    assert_eq!(get(&envoy, "remote", "/healthz", "").status, 200);
    assert_eq!(get(&envoy, "remote", "/", "").status, 401);
    until("the failure is known", || envoy.counted("jwks.failed") > 0);
    for _ in 0..5 {
        let begun = Instant::now();
        assert_eq!(ask(&envoy, "remote", &token(&one)), unavailable());
        assert!(
            begun.elapsed() < Duration::from_millis(500),
            "answered at once"
        );
    }
    drop(quiet);

    issuer.serve("/jwks", Page::keys(&[&one]));
    until("the issuer is asked again", || {
        ask(&envoy, "remote", &token(&one)) == passes()
    });
    ends_well(&envoy);
}

#[test]
fn an_issuer_that_is_not_there_at_first_is_found_later() {
    let (upstream, one) = (Upstream::start(), key("one"));
    let mut issuer = Issuer::with_keys(&[&one]);
    issuer.stop();
    let envoy = Envoy::start(bootstrap(&upstream, &issuer).listener("remote", &document(&issuer)));
    until("the failure is known", || envoy.counted("jwks.failed") > 0);
    assert_eq!(ask(&envoy, "remote", &token(&one)), unavailable());
    issuer.start_again();
    until("the issuer is asked again", || {
        ask(&envoy, "remote", &token(&one)) == passes()
    });
    let log = envoy.log();
    let line = failed_fetch(&log, "corp");
    assert!(
        line.is_some_and(|line| line.contains("expected status 200, found 503")),
        "{log}"
    );
    ends_well(&envoy);
}

/// Stops what runs beside a test, also if the test panics.
struct StopsOnDrop<'a>(&'a AtomicBool);

impl Drop for StopsOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn keys_are_refreshed_while_traffic_flows() {
    let (upstream, one, two) = (Upstream::start(), key("one"), key("two"));
    let issuer = Issuer::with_keys(&[&one]);
    let often = document_with(&issuer, json!({"refresh": "300ms"}));
    let envoy = Envoy::start(
        bootstrap(&upstream, &issuer)
            .concurrency(2)
            .listener("remote", &often),
    );
    let next_fetch = || {
        let before = issuer.asked("/jwks");
        // A fetch that is under way can still bring the old keys. The one after it does not.
        until("keys are fetched again", || {
            issuer.asked("/jwks") >= before + 2
        });
        let_workers_look();
    };
    let (old, new) = (token(&one), token(&two));
    assert_eq!(ask(&envoy, "remote", &old), passes());

    let (stop, asked, wrong) = (
        AtomicBool::new(false),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                asked.fetch_add(1, Ordering::SeqCst);
                if ask(&envoy, "remote", &old) != passes() {
                    wrong.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        let _stops = StopsOnDrop(&stop);
        // The issuer publishes the new key before it uses it.
        issuer.serve("/jwks", Page::keys(&[&one, &two]));
        next_fetch();
        for _ in 0..20 {
            assert_eq!(ask(&envoy, "remote", &new), passes());
        }
        // A failed fetch removes no keys.
        for page in [
            Page::status(500),
            Page::closed(),
            Page::bytes("{\"keys\": ["),
            Page::json(&json!({"keys": []})),
        ] {
            let failed = envoy.counted("jwks.failed");
            issuer.serve("/jwks", page);
            until("it fails", || envoy.counted("jwks.failed") > failed);
            let_workers_look();
            assert_eq!(ask(&envoy, "remote", &new), passes());
            assert_eq!(
                ask(&envoy, "remote", &token(&key("stranger"))),
                unavailable()
            );
            issuer.serve("/jwks", Page::keys(&[&one, &two]));
            let fetched = envoy.counted("jwks.fetched");
            until("it goes well again", || {
                envoy.counted("jwks.fetched") > fetched
            });
        }
    });
    assert!(asked.into_inner() > 100);
    assert_eq!(wrong.into_inner(), 0);

    // a token whose key is withdrawn is denied, also if it was cached.
    issuer.serve("/jwks", Page::keys(&[&two]));
    next_fetch();
    for _ in 0..10 {
        assert_eq!(ask(&envoy, "remote", &old), refused());
        assert_eq!(ask(&envoy, "remote", &new), passes());
    }
    assert_eq!(envoy.counted("jwks.keys"), 1);
    ends_well(&envoy);
}

/// Takes half a minute, because the cool-down cannot be configured.
#[test]
fn j_10_unknown_keys_cause_one_fetch_in_a_cool_down() {
    let (upstream, one, two) = (Upstream::start(), key("one"), key("two"));
    let (issuer, failing) = (Issuer::with_keys(&[&one]), Issuer::with_keys(&[&one]));
    let mut other = document(&failing);
    other["providers"][0]["jwt"]["jwks"]["remote"]["cluster"] = json!("failing");
    let envoy = Envoy::start(
        bootstrap(&upstream, &issuer)
            .cluster("failing", &[failing.port()])
            .concurrency(2)
            .listener("remote", &document(&issuer))
            .listener("failing", &other),
    );
    until("keys are fetched", || envoy.counted("jwks.fetched") == 2);
    let flood = |number: usize| {
        let strangers: Vec<String> = (0..number)
            .map(|n| token(&two_named(&two, &format!("stranger-{n}"))))
            .collect();
        thread::scope(|scope| {
            let waves: Vec<_> = strangers
                .chunks(number / 8)
                .map(|tokens| {
                    let envoy = &envoy;
                    scope.spawn(move || {
                        let asked = tokens.iter().map(|token| ask(envoy, "remote", token));
                        asked.collect::<Vec<_>>()
                    })
                })
                .collect();
            for wave in waves {
                for answer in wave.join().unwrap() {
                    assert_eq!(answer, refused());
                }
            }
        });
    };
    // The issuer uses the new key at once. Within the cool-down the key is unknown, and no fetch is sent.
    issuer.serve("/jwks", Page::keys(&[&two]));
    failing.serve("/jwks", Page::status(500));
    assert_eq!(ask(&envoy, "remote", &token(&one)), passes());
    assert_eq!(ask(&envoy, "remote", &token(&two)), refused());
    assert_eq!(ask(&envoy, "failing", &token(&two)), refused());
    flood(200);
    assert_eq!(issuer.asked("/jwks"), 1);

    thread::sleep(Duration::from_secs(30));
    // After the cool-down, the first request with it waits for the new keys and passes. The flood causes no further fetch.
    let quiet = no_starts();
    let begun = Instant::now();
    assert_eq!(ask(&envoy, "remote", &token(&two)), passes());
    assert!(begun.elapsed() < Duration::from_secs(2));
    drop(quiet);
    let_workers_look();
    assert_eq!(ask(&envoy, "remote", &token(&one)), refused());
    flood(200);
    assert_eq!(issuer.asked("/jwks"), 2);
    // If the fetch fails, known keys stay in use, and tokens with unknown keys get 503.
    assert_eq!(ask(&envoy, "failing", &token(&two)), unavailable());
    assert_eq!(ask(&envoy, "failing", &token(&one)), passes());
    let log = envoy.log();
    assert!(!log.contains("stranger-"), "{log}");
    ends_well(&envoy);
}

fn two_named(key: &SigningKey, kid: &str) -> SigningKey {
    SigningKey::from_jwk(&key.private_jwk())
        .unwrap()
        .with_kid(Some(kid))
}

/// Takes half a minute, because the cool-down cannot be configured.
#[test]
fn a_key_that_was_replaced_and_kept_its_kid_is_fetched_once_in_a_cool_down() {
    let (upstream, old, new) = (Upstream::start(), key("default"), key("default"));
    let (issuer, failing) = (Issuer::with_keys(&[&old]), Issuer::with_keys(&[&old]));
    let mut other = document(&failing);
    other["providers"][0]["jwt"]["jwks"]["remote"]["cluster"] = json!("failing");
    let mut throttled = document(&issuer);
    throttled["throttle"] = json!({"failures": 3, "window": "10m", "block": "1h"});
    let envoy = Envoy::start(
        bootstrap(&upstream, &issuer)
            .cluster("failing", &[failing.port()])
            .concurrency(2)
            .listener("remote", &throttled)
            .listener("failing", &other),
    );
    until("keys are fetched", || envoy.counted("jwks.fetched") == 2);
    let_workers_look();
    let flood = || {
        let forged: Vec<String> = (0..50).map(|_| token(&key("default"))).collect();
        thread::scope(|scope| {
            let envoy = &envoy;
            for some in forged.chunks(10) {
                scope.spawn(move || {
                    for token in some {
                        ask(envoy, "remote", token);
                    }
                });
            }
        });
    };
    issuer.serve("/jwks", Page::keys(&[&new]));
    failing.serve("/jwks", Page::status(500));
    assert_eq!(ask(&envoy, "remote", &token(&old)), passes());
    // Good tokens of the new key are no guesses.
    for _ in 0..20 {
        assert_eq!(ask(&envoy, "remote", &token(&new)), refused());
    }
    assert_eq!(ask(&envoy, "failing", &token(&new)), refused());
    assert_eq!(issuer.asked("/jwks"), 1);

    thread::sleep(Duration::from_secs(30));
    let quiet = no_starts();
    let begun = Instant::now();
    assert_eq!(ask(&envoy, "remote", &token(&new)), passes());
    assert!(begun.elapsed() < Duration::from_secs(2));
    drop(quiet);
    let_workers_look();
    for _ in 0..20 {
        assert_eq!(ask(&envoy, "remote", &token(&new)), passes());
        // Nor are tokens that the issuer signed before.
        assert_eq!(ask(&envoy, "remote", &token(&old)), refused());
    }
    flood();
    assert_eq!(issuer.asked("/jwks"), 2);
    assert_eq!(ask(&envoy, "remote", &token(&new)), passes());
    // The token names a key that is known, so it is refused although the fetch fails.
    assert_eq!(ask(&envoy, "failing", &token(&new)), refused());
    assert_eq!(failing.asked("/jwks"), 2);
    ends_well(&envoy);
}

#[test]
fn keys_of_two_sources_of_one_issuer_verify() {
    let (upstream, one, two, own) = (Upstream::start(), key("one"), key("two"), key("own"));
    let (issuer, metadata) = (
        Issuer::with_keys(&[&one]),
        "/.well-known/openid-configuration",
    );
    let remote = |path: &str| json!({"remote": {"uri": issuer.url(path), "cluster": "issuer"}});
    let mut discovered = json!({"discovery": {"uri": issuer.url(metadata), "cluster": "issuer"}});
    discovered["discovery"]["timeout"] = json!("10s");
    issuer.serve(
        metadata,
        Page::json(&json!({"issuer": ISSUER, "jwks_uri": issuer.url("/new")})),
    );
    issuer.serve("/new", Page::keys(&[&two]));
    issuer.serve("/gone", Page::status(404));
    let inline = json!({"inline": {"keys": [own.public_jwk()]}});
    let both = json!([remote("/jwks"), discovered, inline]);
    let half = json!([remote("/jwks"), remote("/gone"), inline]);
    let document = |jwks: &Value| json!({"providers": [provider("corp", jwks)]});
    let envoy = Envoy::start(
        bootstrap(&upstream, &issuer)
            .concurrency(2)
            .listener("both", &document(&both))
            .listener("half", &document(&half)),
    );
    until("keys are fetched", || envoy.counted("jwks.fetched") >= 3);
    until("a source fails", || envoy.counted("jwks.failed") >= 1);
    let_workers_look();
    for _ in 0..10 {
        for signer in [&one, &two, &own] {
            assert_eq!(ask(&envoy, "both", &token(signer)), passes());
        }
        assert_eq!(ask(&envoy, "both", &token(&key("three"))), refused());
        assert_eq!(ask(&envoy, "half", &token(&one)), passes());
        assert_eq!(ask(&envoy, "half", &token(&own)), passes());
        // Its key can be at the source that was never fetched.
        assert_eq!(ask(&envoy, "half", &token(&two)), unavailable());
        let unnamed = SigningKey::generate(Algorithm::Es256).with_kid(None);
        assert_eq!(ask(&envoy, "half", &token(&unnamed)), unavailable());
        // Its key is known, and has not signed it.
        assert_eq!(ask(&envoy, "half", &token(&key("one"))), refused());
        assert_eq!(ask(&envoy, "half", &token(&key("own"))), refused());
    }
    let log = envoy.log();
    let line = failed_fetch(&log, "corp");
    assert!(line.is_some_and(|line| line.contains("/gone`")), "{log}");
    ends_well(&envoy);
}

#[test]
fn the_log_says_once_that_keys_are_not_tried() {
    let upstream = Upstream::start();
    let unnamed = |algorithm| SigningKey::generate(algorithm).with_kid(None);
    let (rsa, last) = (unnamed(Algorithm::Es256), unnamed(Algorithm::EdDsa));
    let mut keys = vec![rsa.public_jwk()];
    keys.extend((0..5).map(|_| unnamed(Algorithm::EdDsa).public_jwk()));
    keys.push(last.public_jwk());
    let issuer = Issuer::start();
    issuer.serve("/jwks", Page::json(&json!({ "keys": keys })));
    let envoy = Envoy::start(bootstrap(&upstream, &issuer).listener("remote", &document(&issuer)));
    let said = "provider `corp`: a token was denied before all keys";
    assert_eq!(ask(&envoy, "remote", &token(&rsa)), passes());
    // All keys that can have signed this one are tried.
    assert_eq!(
        ask(&envoy, "remote", &token(&unnamed(Algorithm::Es256))),
        refused()
    );
    assert!(!envoy.log().contains(said));
    for _ in 0..5 {
        assert_eq!(ask(&envoy, "remote", &token(&last)), refused());
    }
    until("the log says it", || envoy.log().contains(said));
    assert_eq!(envoy.log().matches(said).count(), 1);
    ends_well(&envoy);
}

#[test]
fn answers_that_are_no_keys_are_told_and_bad_keys_spare_the_others() {
    let (upstream, one, private) = (Upstream::start(), key("one"), key("stranger-private"));
    let secret = SigningKey::from_secret(b"a secret that is long enough for HS256")
        .with_algorithm(Some(Algorithm::Hs256))
        .with_kid(Some("stranger-oct"));
    let mut off_curve = key("stranger-off").public_jwk();
    off_curve["x"] = off_curve["y"].clone();
    let bad = [
        private.private_jwk(),
        secret.private_jwk(),
        off_curve,
        json!({"kty": "PQ", "kid": "stranger-pq"}),
        json!({"kty": "RSA", "kid": "stranger-rsa"}),
        json!("stranger"),
    ];
    let mut mixed = bad.to_vec();
    mixed.push(one.public_jwk());
    // J-21: both keys with the same `kid` are candidates.
    mixed.push(two_named(&key("two"), "one").public_jwk());

    let issuer = Issuer::start();
    let cases = [
        (
            "status",
            Page::status(500),
            "expected status 200, found 500",
        ),
        ("closed", Page::closed(), "expected status 200, found 503"),
        (
            "redirect",
            Page::status(302),
            "expected status 200, found 302",
        ),
        (
            "cut",
            Page::bytes("{\"keys\": ["),
            "cannot read the response: ",
        ),
        (
            "array",
            Page::json(&json!([])),
            "a key set must be an object",
        ),
        (
            "keyless",
            Page::json(&json!({})),
            "a key set must have an array `keys`",
        ),
        (
            "empty",
            Page::json(&json!({"keys": []})),
            "no usable key: the key set is empty",
        ),
        (
            "bad",
            Page::json(&json!({ "keys": bad })),
            "a shared secret is accepted in `inline` keys only",
        ),
        (
            "huge",
            Page::bytes(vec![b' '; 600_000]),
            "response too long: expected at most 524288 bytes",
        ),
    ];
    let document = |name: &str| {
        let remote =
            json!({"remote": {"uri": issuer.url(&format!("/{name}")), "cluster": "issuer"}});
        json!({"providers": [provider(name, &remote)]})
    };
    issuer.serve("/mixed", Page::json(&json!({ "keys": mixed })));
    let mut bootstrap = bootstrap(&upstream, &issuer).listener("mixed", &document("mixed"));
    for (name, page, _) in &cases {
        issuer.serve(&format!("/{name}"), page.clone());
        bootstrap = bootstrap.listener(name, &document(name));
    }
    let envoy = Envoy::start(bootstrap);
    assert_eq!(ask(&envoy, "mixed", &token(&one)), passes());
    assert_eq!(ask(&envoy, "mixed", &token(&private)), refused());
    assert_eq!(ask(&envoy, "mixed", &token(&secret)), refused());
    for (name, _, said) in &cases {
        assert_eq!(ask(&envoy, name, &token(&one)), unavailable(), "{name}");
        let log = envoy.log();
        let line = failed_fetch(&log, name);
        assert!(
            line.is_some_and(|line| line.contains(said)),
            "{name}: {log}"
        );
    }
    let log = envoy.log();
    for said in [
        "/mixed`: 2 usable, 6 ignored: key 0: expected a public key, found a private key; key 1: a shared secret",
        "key 3: unknown `kty`: `PQ`; key 4: `n` is missing; key 5: a key must be an object",
    ] {
        assert!(log.contains(said), "{said}: {log}");
    }
    let private = private.private_jwk();
    let hidden = [
        "stranger",
        private["d"].as_str().unwrap(),
        private["x"].as_str().unwrap(),
    ];
    assert_eq!(hidden.iter().find(|text| log.contains(**text)), None);
    ends_well(&envoy);
}

#[test]
fn discovery_finds_the_keys_of_the_issuer_that_is_meant() {
    let (upstream, one) = (Upstream::start(), key("one"));
    let (issuer, keys) = (Issuer::with_keys(&[&one]), Issuer::with_keys(&[&one]));
    let own = |issuer_name: &str, jwks_uri: &str| {
        Page::json(&json!({"issuer": issuer_name, "jwks_uri": jwks_uri}))
    };
    let elsewhere = || own(ISSUER, &keys.url("/jwks"));
    let other_origin = "which is another origin than the metadata's: set `jwks_cluster`";
    let cases: [(&str, Page, Option<&str>); 8] = [
        ("right", own(ISSUER, &issuer.url("/jwks")), None),
        ("elsewhere-named", elsewhere(), None),
        ("elsewhere", elsewhere(), Some(other_origin)),
        (
            "other-issuer",
            own("https://login.example.com/", &issuer.url("/jwks")),
            Some("expected `https://login.example.com`, found `https://login.example.com/`"),
        ),
        (
            "garbage",
            Page::bytes("<html>"),
            Some("the metadata is not a JSON object"),
        ),
        (
            "nowhere",
            own(ISSUER, "/jwks"),
            Some("the metadata has no valid `jwks_uri`"),
        ),
        (
            "missing",
            Page::status(404),
            Some("expected status 200, found 404"),
        ),
        (
            "keys-missing",
            own(ISSUER, &issuer.url("/none")),
            Some("expected status 200, found 404"),
        ),
    ];
    let mut bootstrap = bootstrap(&upstream, &issuer)
        .cluster("keys", &[keys.port()])
        .cluster("nobody", &[]);
    for (name, page, _) in &cases {
        let path = format!("/{name}/.well-known/openid-configuration");
        issuer.serve(&path, page.clone());
        let mut discovery = json!({"uri": issuer.url(&path), "cluster": "issuer"});
        if *name == "elsewhere-named" {
            discovery["jwks_cluster"] = json!("keys");
        }
        let jwks = json!({ "discovery": discovery });
        bootstrap = bootstrap.listener(name, &json!({"providers": [provider(name, &jwks)]}));
    }
    // A cluster that does not exist, and one without an endpoint.
    let mut faults: Vec<(&str, Option<&str>)> =
        cases.iter().map(|(name, _, said)| (*name, *said)).collect();
    for (name, cluster, said) in [
        (
            "no-cluster",
            "unheard-of",
            "Envoy has no cluster `unheard-of`",
        ),
        (
            "no-endpoint",
            "nobody",
            "cluster `nobody` did not accept the request",
        ),
    ] {
        let jwks = json!({"remote": {"uri": issuer.url("/jwks"), "cluster": cluster}});
        bootstrap = bootstrap.listener(name, &json!({"providers": [provider(name, &jwks)]}));
        faults.push((name, Some(said)));
    }
    let envoy = Envoy::start(bootstrap);
    for (name, said) in faults {
        let expected = if said.is_none() {
            passes()
        } else {
            unavailable()
        };
        assert_eq!(
            ask(&envoy, name, &token(&one)),
            expected,
            "{name}: {}",
            envoy.log()
        );
        let log = envoy.log();
        let line = failed_fetch(&log, name);
        match said {
            None => assert_eq!(line, None),
            Some(said) => assert!(
                line.is_some_and(|line| line.contains(said)),
                "{name}: {log}"
            ),
        }
    }
    assert_eq!(issuer.asked("/right/.well-known/openid-configuration"), 1);
    assert_eq!(keys.asked("/jwks"), 1);
    ends_well(&envoy);
}

#[test]
fn two_filters_of_one_vm_do_not_meet() {
    let (upstream, one, two) = (Upstream::start(), key("same"), key("same"));
    let (first, second) = (Issuer::with_keys(&[&one]), Issuer::with_keys(&[&two]));
    let mut other = document(&second);
    other["providers"][0]["jwt"]["jwks"]["remote"]["cluster"] = json!("second");
    let filter = |document: &Value| wasm_filter("shared", &module_path(), document);
    let envoy = Envoy::start(
        bootstrap(&upstream, &first)
            .cluster("second", &[second.port()])
            .concurrency(2)
            .listener_with("first", &[filter(&document(&first))])
            .listener_with("second", &[filter(&other)]),
    );
    for _ in 0..10 {
        assert_eq!(ask(&envoy, "first", &token(&one)), passes());
        assert_eq!(ask(&envoy, "second", &token(&two)), passes());
        // J-14: the same `kid`, and another key.
        assert_eq!(ask(&envoy, "first", &token(&two)), refused());
        assert_eq!(ask(&envoy, "second", &token(&one)), refused());
    }
    assert_eq!((first.asked("/jwks"), second.asked("/jwks")), (1, 1));
    ends_well(&envoy);
}

#[test]
fn a_new_document_finds_the_keys_that_the_old_one_had() {
    let (upstream, one) = (Upstream::start(), key("one"));
    let issuer = Issuer::with_keys(&[&one]);
    let base = || bootstrap(&upstream, &issuer);
    let good = document(&issuer);
    let envoy = Envoy::start(base().concurrency(2).dynamic().listener("remote", &good));
    assert_eq!(ask(&envoy, "remote", &token(&one)), passes());

    let mut faulty = good.clone();
    faulty["providers"][0]["jwt"]["audience"] = json!("orders");
    envoy.change_listeners(base().listener("remote", &faulty));
    until("configuration rejected", || {
        envoy.log().contains("configuration rejected")
    });
    assert_eq!(ask(&envoy, "remote", &token(&one)), passes());

    let mut changed = good.clone();
    changed["realm"] = json!("changed");
    // From here on the issuer does not answer. A worker without keys would wait.
    issuer.serve("/jwks", Page::silence());
    envoy.change_listeners(base().listener("remote", &changed));
    until("the document is changed", || {
        assert_eq!(ask(&envoy, "remote", &token(&one)), passes());
        let response = get(&envoy, "remote", "/", "");
        let challenge = response.values("www-authenticate").next().unwrap();
        challenge == b"Bearer realm=\"changed\""
    });
    for _ in 0..20 {
        assert_eq!(ask(&envoy, "remote", &token(&one)), passes());
    }
    assert_eq!(issuer.asked("/jwks"), 1);
    assert_eq!(envoy.counted("jwks.fetched"), 1);
    ends_well(&envoy);
}
