//! The first configuration by ECDS: what requests get before it arrives, and if it is wrong.

use serde_json::{Value, json};

use super::{ask, document, filter, token};
use crate::support::discovery::Discovery;
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::until;
use crate::support::upstream::Upstream;

fn envoy(upstream: &Upstream, discovery: &Discovery) -> Envoy {
    Envoy::start(bootstrap(upstream, discovery).dynamic())
}

fn bootstrap(upstream: &Upstream, discovery: &Discovery) -> Bootstrap {
    Bootstrap::new(upstream.port()).cluster("discovery", &[discovery.port()])
}

/// The filter denies and lets pass as it should.
fn works(envoy: &Envoy) {
    assert_eq!(ask(envoy, "api", "/both", None).status, 401);
    assert_eq!(ask(envoy, "api", "/never", Some(&token())).status, 403);
    assert_eq!(ask(envoy, "api", "/both", Some(&token())).status, 200);
}

#[test]
fn a_new_listener_is_closed_until_the_filter_arrives() {
    let (upstream, discovery) = (Upstream::start(), Discovery::start());
    let envoy = envoy(&upstream, &discovery);
    let with_filter = bootstrap(&upstream, &discovery).listener_with("api", &[Discovery::filter("countersign")]);
    envoy.change_listeners(with_filter);
    until("Envoy has asked several times", || discovery.asked() >= 5);
    eprintln!("before: {:?}", envoy.listening("api").map(|_| ask(&envoy, "api", "/both", Some(&token()))));
    discovery.publish(&filter(&document("api", "orders:read")));
    until("the listener is open", || envoy.listening("api").is_some());
    eprintln!("after: {:?}", ask(&envoy, "api", "/both", None));
    until("works", || ask(&envoy, "api", "/both", None).status == 401);
    works(&envoy);
}

#[test]
fn a_listener_that_is_open_lets_requests_pass_until_the_filter_arrives() {
    let (upstream, discovery) = (Upstream::start(), Discovery::start());
    let envoy = Envoy::start(bootstrap(&upstream, &discovery).dynamic().listener_with("api", &[]));
    let with_filter = bootstrap(&upstream, &discovery).listener_with("api", &[Discovery::filter("countersign")]);
    envoy.change_listeners(with_filter);
    until("Envoy has asked several times", || discovery.asked() >= 5);
    eprintln!("before: {:?}", envoy.listening("api").map(|_| ask(&envoy, "api", "/both", None)));
    discovery.publish(&filter(&document("api", "orders:read")));
    until("works", || ask(&envoy, "api", "/both", None).status == 401);
    works(&envoy);
}

#[test]
fn a_wrong_first_configuration_denies_every_request() {
    let (upstream, discovery) = (Upstream::start(), Discovery::start());
    let envoy = envoy(&upstream, &discovery);
    discovery.publish(&filter(&json!({"rules": 1})));
    let with_filter = bootstrap(&upstream, &discovery).listener_with("api", &[Discovery::filter("countersign")]);
    envoy.change_listeners(with_filter);
    until("the listener is open", || envoy.listening("api").is_some());
    eprintln!("wrong: {:?}", ask(&envoy, "api", "/both", Some(&token())));
    discovery.publish(&filter(&document("api", "orders:read")));
    until("works", || ask(&envoy, "api", "/both", None).status == 401);
    works(&envoy);
}

/// What istio-agent sends in place of the filter when it cannot fetch the module.
fn denies_all() -> Value {
    json!({"name": "countersign", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", "rules": {},
    }})
}

#[test]
fn rbac_in_place_of_the_filter_denies_every_request() {
    let (upstream, discovery) = (Upstream::start(), Discovery::start());
    let envoy = envoy(&upstream, &discovery);
    discovery.publish(&denies_all());
    let with_filter = bootstrap(&upstream, &discovery).listener_with("api", &[Discovery::filter("countersign")]);
    envoy.change_listeners(with_filter);
    until("the listener is open", || envoy.listening("api").is_some());
    eprintln!("rbac: {:?}", ask(&envoy, "api", "/both", Some(&token())));
    discovery.publish(&filter(&document("api", "orders:read")));
    until("works", || ask(&envoy, "api", "/both", None).status == 401);
    works(&envoy);
}
