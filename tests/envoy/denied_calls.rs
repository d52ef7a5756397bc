//! An Envoy that denies the filter a call (`capability_restriction_config`): the filter must not trap on a request, since
//! a trap ends it for every request of the worker, and must not let a request pass that it would deny otherwise.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use crate::support;
use crate::support::client::Connection;
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::issuer::Issuer;
use crate::support::module::{module_imports, wasm_filter_without};
use crate::support::upstream::Upstream;

/// The filter does not start without these: the SDK makes them and panics if Envoy denies them. With each, what Envoy logs.
const NEEDED: [(&str, &str); 4] = [
    ("proxy_get_buffer_bytes", "Function: proxy_on_configure"),
    ("proxy_log", "Function: proxy_on_configure"),
    (
        "proxy_set_effective_context",
        "the host denies `proxy_set_effective_context`",
    ),
    (
        "proxy_set_tick_period_milliseconds",
        "Function: proxy_on_configure",
    ),
];

/// A denied change or response leaves a request paused.
const PATIENCE: Duration = Duration::from_secs(2);

fn document(issuer: &Issuer) -> Value {
    let jwks = json!({"remote": {"uri": issuer.url("/jwks"), "cluster": "issuer"}});
    let jwt = json!({"issuer": "https://login.example.com", "audiences": ["orders"], "jwks": jwks});
    json!({
        "audit": {"log": "all"},
        "providers": [{"name": "corp", "jwt": jwt}],
        "identity": {"headers": {"x-auth-subject": "{subject}"}},
        "throttle": {"failures": 10, "window": "1m", "block": "5m", "by": ["address"]},
        "rules": [
            {"name": "open", "match": {"paths": ["/open"]}, "allow": "public"},
            {"name": "orders", "match": {"paths": ["/orders"]}},
        ],
    })
}

fn token(key: &SigningKey) -> String {
    let claims = json!({
        "iss": "https://login.example.com", "aud": "orders", "sub": "amy", "exp": support::now() + 600,
    });
    let algorithm = key.algorithm().unwrap();
    let header = json!({"alg": algorithm.name(), "kid": "1"});
    key.sign(algorithm, &header, claims.to_string().as_bytes())
        .unwrap()
}

#[test]
fn a_denied_call_does_not_trap_and_lets_nothing_pass() {
    let key = SigningKey::generate(Algorithm::Es256).with_kid(Some("1"));
    let other = SigningKey::generate(Algorithm::Es256).with_kid(Some("1"));
    let issuer = Issuer::with_keys(&[&key]);
    let upstream = Upstream::start();
    let document = document(&issuer);
    let mut calls = module_imports();
    let is_needed = |call: &str| NEEDED.iter().any(|(needed, _)| call == *needed);
    calls.retain(|call| call.starts_with("proxy_") && !is_needed(call));
    let mut bootstrap = Bootstrap::new(upstream.port()).cluster("issuer", &[issuer.port()]);
    for call in &calls {
        let filter = wasm_filter_without(call, call, &document);
        bootstrap = bootstrap.listener_with(call, &[filter]);
    }
    let mut bootstrap = bootstrap.into_json();
    for listener in bootstrap["static_resources"]["listeners"]
        .as_array_mut()
        .expect("a list")
    {
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["http_protocol_options"] = json!({"enable_trailers": true});
    }
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    let get = |path: &str, authorization: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nhost: api.example.com\r\nx-auth-subject: root\r\n{authorization}\r\n"
        )
    };
    let good = format!("authorization: Bearer {}\r\n", token(&key));
    let forged = format!("authorization: Bearer {}\r\n", token(&other));
    let requests = [
        (get("/open", ""), true),
        (get("/orders", &good), true),
        (get("/orders", &good), true),
        (get("/orders", ""), false),
        (get("/orders", &forged), false),
        (
            "POST /open HTTP/1.1\r\nhost: api.example.com\r\ntransfer-encoding: chunked\r\n\r\n\
             1\r\na\r\n0\r\nx-auth-subject: root\r\n\r\n"
                .to_owned(),
            true,
        ),
    ];
    let statuses: Vec<(String, Vec<u16>)> = thread::scope(|scope| {
        let asked: Vec<_> = calls
            .iter()
            .map(|call| {
                let (server, requests) = (envoy.listener(call), &requests);
                let ask = move || {
                    let statuses = requests.iter().map(|(request, may_pass)| {
                        let response = Connection::new(server, PATIENCE).ask(request.as_bytes());
                        // No response: the request stays paused.
                        let Ok(response) = response else {
                            return 0;
                        };
                        let body = String::from_utf8_lossy(&response.body);
                        assert!(*may_pass || response.status != 200, "{call}: {request}");
                        assert!(!body.contains("root"), "{call}: {request}: {body}");
                        response.status
                    });
                    (call.clone(), statuses.collect())
                };
                scope.spawn(ask)
            })
            .collect();
        let answered = asked.into_iter().map(|asked| asked.join().unwrap());
        answered.collect()
    });
    assert_eq!(envoy.alarms(), Vec::<String>::new());
    let of = |call: &str| {
        let found = statuses.iter().find(|(own, _)| own == call);
        &found.expect("the filter makes the call").1
    };
    for (call, statuses) in &statuses {
        support::say(&format!("without {call}: {statuses:?}"));
    }
    let trailers_kept = of("proxy_remove_header_map_value").last();
    assert_ne!(trailers_kept, Some(&200), "a trailer could not be removed");
    let undisturbed = [200, 200, 200, 401, 401, 200];
    for call in [
        "proxy_call_foreign_function",
        "proxy_define_metric",
        "proxy_get_log_level",
        "proxy_increment_metric",
        "proxy_record_metric",
        "proxy_set_property",
        "proxy_get_shared_data",
        "proxy_set_shared_data",
    ] {
        assert_eq!(*of(call), undisturbed, "{call}");
    }
}

#[test]
fn envoy_rejects_a_configuration_without_the_calls_that_it_needs() {
    let issuer = Issuer::start();
    for (call, logged) in NEEDED {
        let filter = wasm_filter_without(call, call, &document(&issuer));
        let bootstrap = Bootstrap::new(1)
            .cluster("issuer", &[issuer.port()])
            .listener_with("api", &[filter]);
        let Err(why) = Envoy::try_start(&bootstrap.into_json(), Stdio::null()) else {
            panic!("Envoy accepts the configuration without {call}");
        };
        assert!(
            why.contains(logged) && !why.contains("configuration rejected"),
            "{call}: {why}"
        );
    }
}
