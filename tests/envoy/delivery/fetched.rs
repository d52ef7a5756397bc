//! The module fetched by Envoy over HTTP, with its SHA-256, as in Envoy Gateway.

use serde_json::{Value, json};

use super::{
    Answer, ask, build, document, filter, holds, module, other_module, sha256, token, with_code,
};
use crate::support::discovery::Discovery;
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::issuer::{Gate, Issuer, Page};
use crate::support::until;
use crate::support::upstream::Upstream;

/// The filter with this realm. Envoy fetches the module from `/REALM.wasm`, and tries again so often.
fn fetched(realm: &str, server: &Issuer, sha256: &str, retries: u32) -> Value {
    let code = json!({"remote": {
        "http_uri": {"uri": server.url(&format!("/{realm}.wasm")), "cluster": "modules", "timeout": "10s"},
        "sha256": sha256,
        "retry_policy": {"num_retries": retries, "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.1s"}},
    }});
    in_vm(
        with_code(filter(&document(realm, "orders:read")), &code),
        realm,
    )
}

fn in_vm(mut filter: Value, id: &str) -> Value {
    filter["typed_config"]["config"]["vm_config"]["vm_id"] = json!(id);
    filter
}

/// The status of a request that the filter would let pass, and of one that it would deny.
fn statuses(envoy: &Envoy, listener: &str) -> [u16; 2] {
    [Some(&*token()), None].map(|token| ask(envoy, listener, "/both", token).status)
}

/// The answer to a request without a credential. It shows the realm and the build.
fn missing(envoy: &Envoy, listener: &str) -> Answer {
    ask(envoy, listener, "/both", None)
}

#[test]
fn no_request_passes_without_the_right_module() {
    let (upstream, mut server) = (Upstream::start(), Issuer::start());
    let (right, late) = (build(b'r'), build(b'l'));
    for (path, module) in [
        ("/right.wasm", &right),
        ("/wrong.wasm", &right),
        ("/late.wasm", &late),
    ] {
        server.serve(path, Page::bytes(module.clone()));
    }
    let listeners = |all: &[(&str, String, u32)]| {
        let none = Bootstrap::new(upstream.port()).cluster("modules", &[server.port()]);
        all.iter().fold(none, |listeners, (name, sha256, retries)| {
            listeners.listener_with(name, &[fetched(name, &server, sha256, *retries)])
        })
    };
    let served = [
        ("right", sha256(&right), 1),
        ("wrong", sha256(b"another"), 1),
    ];
    let all = [
        &served[..],
        &[
            ("gives-up", sha256(b"absent"), 1),
            ("late", sha256(&late), 1000),
        ],
    ]
    .concat();
    let (served, all) = (listeners(&served), listeners(&all));
    let envoy = Envoy::start(served.dynamic());
    holds(&envoy, "right", "right");
    assert_eq!(statuses(&envoy, "wrong"), [503, 503]);

    server.stop();
    envoy.change_listeners(all);
    until("Envoy gives up", || envoy.listening("gives-up").is_some());
    assert_eq!(statuses(&envoy, "gives-up"), [503, 503]);
    assert_eq!(envoy.listening("late"), None);
    server.start_again();
    until("the module is fetched", || {
        envoy.listening("late").is_some()
    });
    holds(&envoy, "late", "late");
    // Envoy does not try again.
    assert_eq!(statuses(&envoy, "gives-up"), [503, 503]);
    assert_eq!(statuses(&envoy, "wrong"), [503, 503]);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

/// Envoy makes the key of a VM without the code that it has still to fetch, and finds the VM of the module before.
#[test]
fn another_build_runs_only_with_another_vm_id() {
    let (upstream, server) = (Upstream::start(), Issuer::start());
    let (one, two) = (module(), other_module());
    let gate = Gate::default();
    server.serve("/one.wasm", Page::bytes(one.clone()));
    server.serve("/two.wasm", Page::bytes(two.clone()).behind(&gate));
    let (one, two) = (
        fetched("one", &server, &sha256(&one), 1),
        fetched("two", &server, &sha256(&two), 1),
    );
    let listeners = |[same, other]: [Value; 2]| {
        Bootstrap::new(upstream.port())
            .cluster("modules", &[server.port()])
            .listener_with("same", &[same])
            .listener_with("other", &[other])
    };
    let envoy = Envoy::start(listeners([one.clone(), in_vm(one, "1")]).dynamic());
    envoy.change_listeners(listeners([in_vm(two.clone(), "one"), in_vm(two, "2")]));
    until("Envoy fetches the module", || server.asked("/two.wasm") > 0);
    for listener in ["same", "other"] {
        let answer = missing(&envoy, listener);
        assert_eq!(
            answer.challenge, "Bearer realm=\"one\"",
            "{listener} waits for the module"
        );
        assert!(answer.body.contains("is required"));
    }
    gate.open();
    for (listener, says) in [("same", "is required"), ("other", "IS required")] {
        until(listener, || {
            missing(&envoy, listener).challenge == "Bearer realm=\"two\""
        });
        assert!(missing(&envoy, listener).body.contains(says), "{listener}");
    }
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

/// So a configuration that arrives by ECDS must name the module in a file, as `istio-agent` has it.
#[test]
fn with_ecds_envoy_fetches_a_module_only_before_the_listener_is_open() {
    let (upstream, server) = (Upstream::start(), Issuer::start());
    let names = ["first", "late", "nacks"];
    let discovery = names.map(|_| Discovery::start());
    let mut listeners = Bootstrap::new(upstream.port()).cluster("modules", &[server.port()]);
    for (name, discovery) in names.iter().zip(&discovery) {
        let mut filter = Discovery::filter(name);
        if *name == "late" {
            filter["config_discovery"]["config_source"]["initial_fetch_timeout"] = json!("0.2s");
        }
        listeners = listeners
            .cluster(name, &[discovery.port()])
            .listener_with(name, &[filter]);
    }
    let publish = |number: usize, realm: &str| {
        let name = names[number];
        let module = build(realm.as_bytes()[0]);
        let mut filter = fetched(realm, &server, &sha256(&module), 1);
        server.serve(&format!("/{realm}.wasm"), Page::bytes(module));
        filter["name"] = json!(name);
        filter["typed_config"]["config"]["vm_config"]["nack_on_code_cache_miss"] =
            json!(name == "nacks");
        discovery[number].publish(&filter);
    };
    publish(0, "a");
    publish(2, "b");
    let envoy = Envoy::start(listeners.dynamic());
    holds(&envoy, "first", "a");
    assert_eq!(statuses(&envoy, "late"), [500, 500]);
    assert_eq!(statuses(&envoy, "nacks"), [500, 500]);
    until("Envoy fetches it nevertheless", || {
        server.asked("/b.wasm") > 0
    });

    let reloads = |name: &str| {
        envoy.stat(&format!(
            "extension_config_discovery.http_filter.{name}.config_reload"
        ))
    };
    for (number, realm, before) in [(0, "c", 1), (1, "d", 0)] {
        publish(number, realm);
        until("the configuration is in force", || {
            reloads(names[number]) > before
        });
        // The filter is absent: every request passes.
        assert_eq!(statuses(&envoy, names[number]), [200, 200]);
        assert_eq!(server.asked(&format!("/{realm}.wasm")), 0);
    }
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}
