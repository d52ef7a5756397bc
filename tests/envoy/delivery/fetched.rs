//! The module fetched by Envoy over HTTP, with its SHA-256, as in Envoy Gateway.

use serde_json::{Value, json};

use super::{ask, document, filter, module, other_module, sha256, token, with_code};
use crate::support::discovery::Discovery;
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::issuer::{Issuer, Page};
use crate::support::until;
use crate::support::upstream::Upstream;

fn remote(server: &Issuer, path: &str, sha256: &str, retries: u32) -> Value {
    json!({"remote": {
        "http_uri": {"uri": server.url(path), "cluster": "modules", "timeout": "10s"},
        "sha256": sha256,
        "retry_policy": {"num_retries": retries, "retry_back_off": {"base_interval": "0.1s", "max_interval": "0.2s"}},
    }})
}

fn fetched(server: &Issuer, path: &str, sha256: &str, retries: u32) -> Value {
    with_code(filter(&document(path, "orders:read")), &remote(server, path, sha256, retries))
}

fn bootstrap(upstream: &Upstream, server: &Issuer) -> Bootstrap {
    Bootstrap::new(upstream.port()).cluster("modules", &[server.port()])
}

fn works(envoy: &Envoy, listener: &str) {
    assert_eq!(ask(envoy, listener, "/both", None).status, 401);
    assert_eq!(ask(envoy, listener, "/never", Some(&token())).status, 403);
    assert_eq!(ask(envoy, listener, "/both", Some(&token())).status, 200);
}

#[test]
fn only_a_module_with_the_right_digest_runs() {
    let (upstream, server) = (Upstream::start(), Issuer::start());
    let module = module();
    server.serve("/plugin.wasm", Page::bytes(module.clone()));
    let envoy = Envoy::start(bootstrap(&upstream, &server).dynamic()
        .listener_with("right", &[fetched(&server, "/plugin.wasm", &sha256(&module), 1)])
        .listener_with("wrong", &[fetched(&server, "/plugin.wasm", &sha256(b"another"), 1)]));
    works(&envoy, "right");
    for _ in 0..3 { eprintln!("wrong: {:?}", ask(&envoy, "wrong", "/both", Some(&token()))); }
    eprintln!("{}", envoy.log());
    eprintln!("asked {}", server.asked("/plugin.wasm"));
}

#[test]
fn a_listener_is_closed_until_the_module_is_fetched() {
    let (upstream, mut server) = (Upstream::start(), Issuer::start());
    let module = module();
    server.serve("/plugin.wasm", Page::bytes(module.clone()));
    server.stop();
    let envoy = Envoy::start(bootstrap(&upstream, &server).dynamic());
    envoy.change_listeners(bootstrap(&upstream, &server)
        .listener_with("api", &[fetched(&server, "/plugin.wasm", &sha256(&module), 100)])
        .listener_with("gives-up", &[fetched(&server, "/other.wasm", &sha256(b"x"), 2)]));
    until("gives up", || envoy.listening("gives-up").is_some());
    eprintln!("gives up: {:?}", ask(&envoy, "gives-up", "/both", Some(&token())));
    eprintln!("{:?}", envoy.listening("api"));
    eprintln!("{}", envoy.admin("/stats?filter=cluster.modules.upstream_rq"));
    server.start_again();
    until("api", || envoy.listening("api").is_some());
    works(&envoy, "api");
}

#[test]
fn a_module_is_replaced_by_another_build() {
    let (upstream, server) = (Upstream::start(), Issuer::start());
    let (one, two) = (module(), other_module());
    server.serve("/one.wasm", Page::bytes(one.clone()));
    server.serve("/two.wasm", Page::bytes(two.clone()));
    let envoy = Envoy::start(bootstrap(&upstream, &server).dynamic()
        .listener_with("api", &[fetched(&server, "/one.wasm", &sha256(&one), 1)]));
    eprintln!("one: {:?}", ask(&envoy, "api", "/both", None));
    envoy.change_listeners(bootstrap(&upstream, &server)
        .listener_with("api", &[fetched(&server, "/two.wasm", &sha256(&two), 5)]));
    until("realm", || ask(&envoy, "api", "/both", None).challenge.contains("two"));
    std::thread::sleep(std::time::Duration::from_secs(2));
    eprintln!("two: {:?}", ask(&envoy, "api", "/both", None));
    eprintln!("{}", envoy.admin("/stats?filter=wasm.*(created|active|cache)"));
    eprintln!("{}", envoy.log());
}

#[test]
fn ecds_nack() {
    let (upstream, server, discovery) = (Upstream::start(), Issuer::start(), Discovery::start());
    let (one, two) = (module(), other_module());
    server.serve("/one.wasm", Page::bytes(one.clone()));
    server.serve("/two.wasm", Page::bytes(two.clone()));
    let nacking = |path: &str, module: &[u8]| {
        let mut filter = fetched(&server, path, &sha256(module), 1);
        filter["typed_config"]["config"]["vm_config"]["nack_on_code_cache_miss"] = json!(true);
        filter["typed_config"]["config"]["vm_config"]["vm_id"] = json!(path);
        filter
    };
    let base = || bootstrap(&upstream, &server).cluster("discovery", &[discovery.port()]);
    discovery.publish(&nacking("/one.wasm", &one));
    let envoy = Envoy::start(base().dynamic());
    envoy.change_listeners(base().listener_with("api", &[Discovery::filter("countersign")]));
    until("open", || envoy.listening("api").is_some());
    for _ in 0..5 { eprintln!("nack first: {:?}", ask(&envoy, "api", "/both", None)); std::thread::sleep(std::time::Duration::from_millis(300));}
    discovery.publish(&nacking("/one.wasm", &one));
    for _ in 0..5 { eprintln!("nack first again: {:?}", ask(&envoy, "api", "/both", None)); std::thread::sleep(std::time::Duration::from_millis(300));}
    discovery.publish(&nacking("/two.wasm", &two));
    for _ in 0..8 { eprintln!("nack two: {:?}", ask(&envoy, "api", "/both", None)); std::thread::sleep(std::time::Duration::from_millis(300));}
    eprintln!("nack {}", envoy.log());
}
#[test]
fn ecds_remote_late() {
    let (upstream, server, discovery) = (Upstream::start(), Issuer::start(), Discovery::start());
    let one = module();
    server.serve("/one.wasm", Page::bytes(one.clone()));
    let base = || bootstrap(&upstream, &server).cluster("discovery", &[discovery.port()]);
    let envoy = Envoy::start(base().dynamic());
    let mut filter = Discovery::filter("countersign");
    filter["config_discovery"]["config_source"]["initial_fetch_timeout"] = json!("0.3s");
    envoy.change_listeners(base().listener_with("api", &[filter]));
    until("open", || envoy.listening("api").is_some());
    eprintln!("late before: {:?}", ask(&envoy, "api", "/both", None));
    discovery.publish(&fetched(&server, "/one.wasm", &sha256(&one), 1));
    for _ in 0..5 { eprintln!("late: {:?}", ask(&envoy, "api", "/both", None)); std::thread::sleep(std::time::Duration::from_millis(300));}
    eprintln!("late {}", envoy.log());
}
