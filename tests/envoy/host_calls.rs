//! The calls that the filter makes to the host for each request: Envoy logs each of them at the level `trace`.
//!
//! A call costs 0.3 to 1 µs. A change that makes another call, or spares one, changes the table here.

use std::collections::BTreeMap;

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use crate::support;
use crate::support::client::{self, Request};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::until;
use crate::support::upstream::Upstream;

/// Reads the header map of the request.
const HEADERS: &str = "proxy_get_header_map_pairs";
/// Reads the time.
const TIME: &str = "proxy_get_current_time_nanoseconds";
/// Reads a property of the request: here, the client's address.
const READ: &str = "proxy_get_property";
/// Writes filter state.
const STATE: &str = "proxy_set_property";
/// Writes a line to the log.
const LOG: &str = "proxy_log";
/// Responds.
const RESPOND: &str = "proxy_send_local_response";
/// Verifies a signature.
const VERIFY: &str = "proxy_call_foreign_function";

/// The situations: the calls with `filter_state: [reason, subject]`, at most how many they may be, and the calls with the
/// default.
const TABLE: &[(&str, &[&str], usize, &[&str])] = &[
    ("public rule", &[HEADERS], 2, &[HEADERS, STATE]),
    ("public rule with a token", &[HEADERS], 2, &[HEADERS, STATE]),
    (
        "repeated token",
        &[HEADERS, TIME, STATE],
        4,
        &[HEADERS, TIME, STATE, STATE, STATE],
    ),
    (
        "token never seen",
        &[HEADERS, TIME, VERIFY, STATE],
        5,
        &[HEADERS, TIME, VERIFY, STATE, STATE, STATE],
    ),
    (
        "no token",
        &[HEADERS, TIME, STATE, READ, LOG, RESPOND],
        6,
        &[HEADERS, TIME, STATE, STATE, READ, LOG, RESPOND],
    ),
    (
        "forged token, repeated",
        &[HEADERS, TIME, STATE, READ, LOG, RESPOND],
        6,
        &[HEADERS, TIME, STATE, STATE, READ, LOG, RESPOND],
    ),
    (
        "forged token, never seen",
        &[HEADERS, TIME, VERIFY, STATE, READ, LOG, RESPOND],
        7,
        &[HEADERS, TIME, VERIFY, STATE, STATE, READ, LOG, RESPOND],
    ),
    (
        "scope is missing",
        &[HEADERS, TIME, STATE, STATE, READ, LOG, RESPOND],
        7,
        &[
            HEADERS, TIME, STATE, STATE, STATE, STATE, READ, LOG, RESPOND,
        ],
    ),
];

fn document(key: &SigningKey) -> Value {
    json!({
        "providers": [{"name": "corp", "jwt": {
            "issuer": "https://login.example.com", "audiences": ["orders"],
            "jwks": {"inline": {"keys": [key.public_jwk()]}},
        }}],
        "rules": [
            {"name": "open", "match": {"paths": ["/open"]}, "allow": "public"},
            {"name": "read", "match": {"paths": ["/orders"]}},
            {"name": "write", "match": {"paths": ["/refunds"]}, "require": {"scopes": ["orders:write"]}},
        ],
    })
}

fn token(key: &SigningKey, number: u32) -> String {
    let claims = json!({
        "iss": "https://login.example.com", "aud": "orders", "sub": "amy", "exp": support::now() + 600, "jti": number,
    });
    let header = json!({"alg": "ES256", "kid": "one"});
    let token = key.sign(Algorithm::Es256, &header, claims.to_string().as_bytes());
    format!("Bearer {}", token.unwrap())
}

/// Sends a request, waits until it has ended, and returns the calls that it made.
fn calls(
    envoy: &Envoy,
    listener: &str,
    (target, authorization): (&str, Option<&str>),
    status: u16,
) -> Vec<String> {
    let before = requests(&envoy.log()).len();
    let mut headers = vec![(&b"host"[..], &b"api.example.com"[..])];
    headers.extend(authorization.map(|value| (&b"authorization"[..], value.as_bytes())));
    let request = Request {
        method: b"GET",
        target: target.as_bytes(),
        headers,
        body: b"",
    };
    let response = client::send(envoy.listener(listener), &request).unwrap();
    assert_eq!(response.status, status, "{target} {authorization:?}");
    let mut own = Vec::new();
    until("the request has ended", || {
        own = requests(&envoy.log()).split_off(before);
        !own.is_empty()
    });
    assert_eq!(own.len(), 1, "requests are sent one after the other");
    own.remove(0)
}

#[test]
fn a_request_makes_no_more_calls_than_it_needs() {
    let upstream = Upstream::start();
    let key = SigningKey::generate(Algorithm::Es256).with_kid(Some("one"));
    let other = SigningKey::generate(Algorithm::Es256).with_kid(Some("one"));
    let document = document(&key);
    let mut short = document.clone();
    short["filter_state"] = json!(["reason", "subject"]);
    let bootstrap = Bootstrap::new(upstream.port())
        .logging_calls()
        .listener("short", &short)
        .listener("default", &document);
    let envoy = Envoy::start(bootstrap);
    for listener in ["short", "default"] {
        let (good, forged) = (token(&key, 1), token(&other, 1));
        let (good, forged) = (Some(good.as_str()), Some(forged.as_str()));
        let (unseen, unseen_forged) = (token(&key, 2), token(&other, 2));
        let (unseen, unseen_forged) = (Some(unseen.as_str()), Some(unseen_forged.as_str()));
        // A result is cached when the token comes again, and a counter is defined when it first counts.
        for _ in 0..3 {
            calls(&envoy, listener, ("/orders", good), 200);
            calls(&envoy, listener, ("/orders", forged), 401);
            calls(&envoy, listener, ("/refunds", good), 403);
            calls(&envoy, listener, ("/orders", None), 401);
        }
        for (situation, in_short, bound, by_default) in TABLE {
            let (request, status) = match *situation {
                "public rule" => (("/open", None), 200),
                "public rule with a token" => (("/open", good), 200),
                "repeated token" => (("/orders", good), 200),
                "token never seen" => (("/orders", unseen), 200),
                "no token" => (("/orders", None), 401),
                "forged token, repeated" => (("/orders", forged), 401),
                "forged token, never seen" => (("/orders", unseen_forged), 401),
                "scope is missing" => (("/refunds", good), 403),
                other => panic!("{other}"),
            };
            let expected = match listener {
                "short" => in_short,
                _ => by_default,
            };
            let found = calls(&envoy, listener, request, status);
            assert_eq!(found, *expected, "{listener}: {situation}");
            assert!(listener != "short" || found.len() <= *bound, "{situation}");
        }
    }
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

/// The calls of each request that has ended, in the order in which they ended.
///
/// Envoy logs `[host->vm] proxy_on_tick(1)` before a callback, `[host<-vm] proxy_on_tick …` after it, and in between
/// `[vm->host] env.proxy_log(…)`. Each thread has instances of the module, and runs one callback at a time.
fn requests(log: &str) -> Vec<Vec<String>> {
    let mut threads: BTreeMap<&str, Thread<'_>> = BTreeMap::new();
    let mut ended = Vec::new();
    for line in log.lines() {
        let Some(number) = line.split(['[', ']']).nth(3) else {
            continue;
        };
        let thread = threads.entry(number).or_default();
        let after = |mark: &str| {
            let (_, rest) = line.split_once(mark)?;
            rest.split(['(', ' ']).next()
        };
        if let Some(callback) = after("[host->vm] ") {
            thread.callbacks.push(callback);
        } else if after("[host<-vm] ").is_some() {
            if thread.callbacks.pop() == Some("proxy_on_delete") {
                ended.push(std::mem::take(&mut thread.calls));
            }
        } else if let Some(call) = after("[vm->host] env.")
            && let Some(outermost) = thread.callbacks.first()
            && !OF_ROOT.contains(outermost)
        {
            thread.calls.push(call.to_owned());
        }
    }
    ended
}

/// The callbacks of a root context that call the host.
const OF_ROOT: [&str; 2] = ["proxy_on_configure", "proxy_on_tick"];

/// What one thread of Envoy does.
#[derive(Default)]
struct Thread<'l> {
    /// The callbacks that run, the outermost first: in a call, the host has the module allocate memory.
    callbacks: Vec<&'l str>,
    /// The calls of the request that has not ended.
    calls: Vec<String>,
}
