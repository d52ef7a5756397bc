//! Audit lines follow the level of Envoy's log, which its admin interface changes while requests come.

use std::collections::BTreeSet;

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::json;

use crate::support::client::{Request, send};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::module::wasm_filter_without;
use crate::support::until;
use crate::support::upstream::Upstream;

/// Two filters. Envoy tells its level to the first one only.
const FILTERS: [&str; 2] = ["told", "not-told"];

/// A level, and whether Envoy shows the lines of permitted requests and those of denied ones.
const LEVELS: [(&str, bool, bool); 7] = [
    ("info", true, true),
    ("error", false, false),
    ("warning", false, true),
    ("off", false, false),
    ("trace", true, true),
    ("critical", false, false),
    ("debug", true, true),
];

/// Sends a request that is permitted, and one that is denied.
fn ask(envoy: &Envoy, filter: &str, id: &str) {
    for (rule, expected) in [("open", 200), ("closed", 401)] {
        let target = format!("/{rule}/{filter}/{id}");
        let request = Request {
            method: b"GET",
            target: target.as_bytes(),
            headers: vec![(b"host", b"api.example.com")],
            body: b"",
        };
        let response = send(envoy.listener(filter), &request).unwrap();
        assert_eq!(response.status, expected, "{rule}");
    }
}

/// Sets the level of Envoy's component `wasm`.
fn set_level(envoy: &Envoy, level: &str) {
    let target = format!("/logging?wasm={level}");
    let request = Request {
        method: b"POST",
        target: target.as_bytes(),
        headers: vec![(b"host", b"admin")],
        body: b"",
    };
    let response = send(envoy.admin_address(), &request).unwrap();
    assert_eq!(response.status, 200, "{level}");
}

/// The paths of the audit lines in Envoy's log, without those of the requests that only wait for a level.
fn paths(envoy: &Envoy) -> BTreeSet<String> {
    let log = envoy.log();
    let paths = log.lines().filter_map(|line| {
        let (_, rest) = line.split_once(r#""path":""#)?;
        let (path, _) = rest.split_once('"')?;
        (!path.ends_with("/before")).then(|| path.to_owned())
    });
    paths.collect()
}

#[test]
fn a_line_is_written_if_envoy_shows_its_level_at_that_time() {
    let upstream = Upstream::start();
    let key = SigningKey::generate(Algorithm::Es256);
    let jwks = json!({"inline": {"keys": [key.public_jwk()]}});
    let document = json!({
        "audit": {"log": "all"},
        "providers": [{"name": "as", "jwt": {"issuer": "https://as", "audiences": ["api"], "jwks": jwks}}],
        "rules": [{"name": "open", "match": {"paths": ["/open/**"]}, "allow": "public"}],
    });
    let not_told = wasm_filter_without("proxy_get_log_level", FILTERS[1], &document);
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port())
            .listener(FILTERS[0], &document)
            .listener_with(FILTERS[1], &[not_told]),
    );
    let mut expected = BTreeSet::new();
    let mut counted = 0;
    for (level, is_info_shown, is_warning_shown) in LEVELS {
        set_level(&envoy, level);
        for filter in FILTERS {
            ask(&envoy, filter, "before");
            counted += 2;
        }
        // On each tick, a filter reads the level, and then counts the requests before.
        until("the requests are counted", || {
            envoy.counted("allowed") + envoy.counted("denied") == counted
        });
        for filter in FILTERS {
            ask(&envoy, filter, level);
            counted += 2;
            let shown = [("open", is_info_shown), ("closed", is_warning_shown)];
            let shown = shown.iter().filter(|(_, is_shown)| *is_shown);
            expected.extend(shown.map(|(rule, _)| format!("/{rule}/{filter}/{level}")));
        }
    }
    until("every expected line is written", || {
        paths(&envoy).len() >= expected.len()
    });
    assert_eq!(paths(&envoy), expected);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}
