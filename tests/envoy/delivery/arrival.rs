//! The first configuration by ECDS: what requests receive before it arrives, and if it cannot be used.

use std::process::Stdio;

use serde_json::{Value, json};

use super::{ask, document, filter, holds, local, module, token, with_code, write_module};
use crate::support::discovery::Discovery;
use crate::support::envoy::{Bootstrap, Envoy, envoy_version};
use crate::support::until;
use crate::support::upstream::Upstream;

/// A filter that denies every request. `istio-agent` sends it if it cannot fetch the module and `failStrategy` is not
/// `FAIL_OPEN`.
fn deny_all(name: &str) -> Value {
    json!({"name": name, "typed_config": deny_all_config()})
}

fn deny_all_config() -> Value {
    json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", "rules": {}})
}

fn named(name: &str, filter: &Value) -> Value {
    let mut filter = filter.clone();
    filter["name"] = json!(name);
    filter
}

/// A bootstrap with which Envoy survives a module that arrives later.
///
/// Envoy 1.36 and 1.37 crash, on processors with memory protection keys, if their first module arrives after the workers
/// have started: `docs/deploying.md`. So they have one from the start, and keep it: they would give the socket of a listener
/// that goes to one that comes.
fn with_a_first_module(bootstrap: Bootstrap) -> Bootstrap {
    let version = envoy_version();
    match version.starts_with("1.36.") || version.starts_with("1.37.") {
        true => bootstrap.listener_with("first", &[filter(&document("first", "orders:read"))]),
        false => bootstrap,
    }
}

#[test]
fn no_request_passes_a_new_listener_before_the_filter() {
    let upstream = Upstream::start();
    let names = [
        "waits",
        "times-out",
        "is-wrong",
        "is-replaced",
        "has-default",
    ];
    let servers = names.map(|name| (name, Discovery::start()));
    let of = |name: &str| {
        &servers
            .iter()
            .find(|(own, _)| *own == name)
            .expect("a server")
            .1
    };
    of("is-wrong").publish(&named("is-wrong", &filter(&json!({"rules": 1}))));
    of("is-replaced").publish(&deny_all("is-replaced"));
    let mut listeners = Bootstrap::new(upstream.port());
    let mut clusters = Bootstrap::new(upstream.port());
    for (name, server) in &servers {
        clusters = clusters.cluster(name, &[server.port()]);
        let mut filter = Discovery::filter(name);
        let discovery = &mut filter["config_discovery"];
        match *name {
            "times-out" => discovery["config_source"]["initial_fetch_timeout"] = json!("0.2s"),
            "has-default" => {
                discovery["default_config"] = deny_all_config();
                discovery["apply_default_config_without_warming"] = json!(true);
            }
            _ => {}
        }
        listeners = listeners.listener_with(name, &[filter]);
    }
    let envoy = Envoy::start(with_a_first_module(clusters).dynamic());
    envoy.change_listeners(with_a_first_module(listeners));

    for (name, status, body) in [
        ("times-out", 500, ""),
        ("is-wrong", 500, ""),
        ("is-replaced", 403, "RBAC: access denied"),
        ("has-default", 403, "RBAC: access denied"),
    ] {
        until(name, || envoy.listening(name).is_some());
        for token in [None, Some(&*token())] {
            let answer = ask(&envoy, name, "/both", token);
            assert_eq!(
                (answer.status, &*answer.body, &*answer.challenge),
                (status, body, ""),
                "{name}"
            );
        }
    }
    until("Envoy has asked several times", || of("waits").asked() >= 5);
    assert_eq!(envoy.listening("waits"), None);

    for (name, server) in &servers {
        server.publish(&named(name, &filter(&document(name, "orders:read"))));
        until(name, || {
            envoy.listening(name).is_some() && ask(&envoy, name, "/both", None).status == 401
        });
        holds(&envoy, name, name);
    }
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

#[test]
fn envoy_does_not_start_without_the_module() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = write_module(&folder, "broken.wasm", &module()[..100_000]);
    for path in [broken, folder.path().join("missing.wasm")] {
        let filter = with_code(filter(&document("api", "orders:read")), &local(&path));
        let bootstrap = Bootstrap::new(1).listener_with("api", &[filter]);
        let started = Envoy::try_start(&bootstrap.into_json(), Stdio::null());
        assert!(started.is_err(), "{}", path.display());
    }
}

/// A listener without the filter is replaced by one with the filter only when the filter is there.
#[test]
fn a_listener_that_is_open_stays_as_it_is_until_the_filter_arrives() {
    let (upstream, server) = (Upstream::start(), Discovery::start());
    let bootstrap = |filters: &[Value]| {
        Bootstrap::new(upstream.port())
            .cluster("api", &[server.port()])
            .listener_with("api", filters)
    };
    let envoy = Envoy::start(with_a_first_module(bootstrap(&[])).dynamic());
    envoy.change_listeners(with_a_first_module(bootstrap(&[Discovery::filter("api")])));
    until("Envoy has asked several times", || server.asked() >= 5);
    assert_eq!(ask(&envoy, "api", "/both", None).status, 200);
    server.publish(&named("api", &filter(&document("api", "orders:read"))));
    until("the filter decides", || {
        ask(&envoy, "api", "/both", None).status == 401
    });
    holds(&envoy, "api", "api");
}
