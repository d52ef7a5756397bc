//! Clients that prove a password by Digest (RFC 7616), which they compute without code of this repository.

use std::process::Command;

use countersign::authenticate::digest::{DigestAlgorithm, Ha1};
use serde_json::{Map, Value, json};

use crate::clients::{address, node, provider, python, run};
use crate::passwords::PASSWORD;
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::in_repository;
use crate::support::upstream::Upstream;

const REALM: &str = "orders";
/// A user name beyond ASCII, with a space.
const JASON: &str = "Jäsøn Doe";
/// A configuration with the users of the clients.
fn document(algorithms: &[&str], nonce_ttl: &str) -> Value {
    let user = |name: &str| {
        let ha1 = |algorithm: &&str| {
            let known = DigestAlgorithm::from_name(algorithm.as_bytes()).unwrap();
            let ha1 = Ha1::new(known, name, REALM, PASSWORD.as_bytes());
            let digits = String::from_utf8(ha1.digits().to_vec()).unwrap();
            ((*algorithm).to_owned(), json!(digits))
        };
        json!({"name": name, "ha1": algorithms.iter().map(ha1).collect::<Map<_, _>>()})
    };
    json!({
        "realm": REALM,
        "default": "authenticated",
        "providers": [{"name": "staff", "digest": {
            "algorithms": algorithms, "nonce_ttl": nonce_ttl, "users": [user("alice"), user(JASON)],
        }}],
        // A browser asks for it at any time. A challenge would change the nonce of the browser.
        "rules": [{"name": "icon", "match": {"paths": ["/favicon.ico"]}, "allow": "public"}],
    })
}

/// The same, in addition to tokens and passwords.
fn beside() -> Value {
    let mut document = document(&["SHA-256", "MD5"], "5m");
    let providers = document["providers"].as_array_mut().unwrap();
    providers.insert(0, provider());
    providers.insert(1, crate::passwords::document()["providers"][0].clone());
    providers[1]["name"] = json!("passwords");
    document
}

/// An Envoy with two workers and a listener for each configuration that the clients compare. At one of them, nonces expire
/// soon.
fn envoy(upstream: &Upstream, nonce_ttl: &str) -> Envoy {
    let mut proxy = document(&["SHA-256"], "5m");
    proxy["protect_as"] = json!("proxy");
    // Envoy answers these itself, after the filter.
    let routes = [
        json!({"match": {"path": "/moved"}, "redirect": {"path_redirect": "/orders/18"}}),
        json!({"match": {"path": "/busy"}, "direct_response": {"status": 503}}),
    ];
    Envoy::start(
        Bootstrap::new(upstream.port())
            .concurrency(2)
            .routed_listener("sha256", &document(&["SHA-256"], "5m"), &routes)
            .routed_listener("md5", &document(&["MD5"], "5m"), &routes)
            .listener("both", &document(&["SHA-256", "MD5"], "5m"))
            .routed_listener("expires", &document(&["SHA-256"], nonce_ttl), &routes)
            .listener("beside", &beside())
            .listener("proxy", &proxy),
    )
}

/// Runs a client that finds the listeners in its environment.
fn ask(client: &mut Command, envoy: &Envoy) {
    for listener in ["sha256", "md5", "both", "expires", "beside", "proxy"] {
        client.env(listener.to_uppercase(), address(envoy, listener));
    }
    client.env("JASON", JASON).env("PASSWORD", PASSWORD);
    run(client, envoy);
}

#[test]
fn curl_proves_a_password() {
    let upstream = Upstream::start();
    let envoy = envoy(&upstream, "1s");
    let mut curl = Command::new("sh");
    ask(curl.arg(in_repository("tests/clients/digest.sh")), &envoy);
}

#[test]
fn python_requests_proves_a_password() {
    let upstream = Upstream::start();
    // It repeats a request only once, which must be enough on a busy machine.
    let envoy = envoy(&upstream, "5s");
    let mut requests = Command::new(python());
    ask(
        requests.arg(in_repository("tests/clients/digest.py")),
        &envoy,
    );
}

#[test]
fn a_browser_asks_for_a_password_and_proves_it() {
    let upstream = Upstream::start();
    let envoy = envoy(&upstream, "2s");
    ask(&mut node("digest.mjs", &[]), &envoy);
}
