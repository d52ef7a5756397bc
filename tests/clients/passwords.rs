//! User names and passwords: hashes that `htpasswd` writes, and clients that send passwords.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::clients::{address, node, provider, python, run};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::in_repository;
use crate::support::upstream::Upstream;

/// A password beyond ASCII and ISO 8859-1, with a colon.
pub const PASSWORD: &str = "pä:ß €";

/// The hash that `htpasswd` of apache2-utils writes for the password.
fn htpasswd(option: &str) -> String {
    let ended = Command::new("htpasswd")
        .args(["-nb", option, "user", PASSWORD])
        .stdin(Stdio::null())
        .output()
        .expect("htpasswd runs (Debian: apt-get install apache2-utils)");
    assert!(ended.status.success(), "{ended:?}");
    let line = String::from_utf8(ended.stdout).unwrap();
    let hash = line.trim().strip_prefix("user:");
    hash.expect("htpasswd writes the user and the hash")
        .to_owned()
}

/// A configuration with the users of the clients. The budget is for clients that send several passwords at once.
pub fn document() -> Value {
    let bcrypt = htpasswd("-B");
    json!({
        "realm": "orders",
        "hash_budget": "900ms",
        "providers": [{"name": "staff", "basic": {"users": [
            {"name": "alice", "password": bcrypt},
            {"name": "jörg", "password": bcrypt},
            {"name": "sha", "password": htpasswd("-s")},
        ]}}],
    })
}

#[test]
fn curl_sends_a_password() {
    let upstream = Upstream::start();
    let mut proxy = document();
    proxy["protect_as"] = json!("proxy");
    let bootstrap = Bootstrap::new(upstream.port())
        .listener("plain", &document())
        .listener("proxy", &proxy);
    let envoy = Envoy::start(bootstrap);
    let mut curl = Command::new("sh");
    curl.arg(in_repository("tests/clients/passwords.sh"))
        .env("ADDRESS", address(&envoy, "plain"))
        .env("PROXY", address(&envoy, "proxy"))
        .env("PASSWORD", PASSWORD);
    run(&mut curl, &envoy);
}

#[test]
fn python_requests_sends_a_password() {
    let upstream = Upstream::start();
    let envoy = Envoy::start(Bootstrap::new(upstream.port()).listener("plain", &document()));
    let mut requests = Command::new(python());
    requests
        .arg(in_repository("tests/clients/passwords.py"))
        .env("ADDRESS", address(&envoy, "plain"))
        .env("PASSWORD", PASSWORD);
    run(&mut requests, &envoy);
}

#[test]
fn a_browser_asks_for_a_password() {
    let upstream = Upstream::start();
    let mut beside = document();
    let providers = beside["providers"].as_array_mut().unwrap();
    providers.insert(0, provider());
    let bootstrap = Bootstrap::new(upstream.port())
        .listener("plain", &document())
        .listener("beside", &beside);
    let envoy = Envoy::start(bootstrap);
    let variables = [
        ("ADDRESS", &*address(&envoy, "plain")),
        ("BESIDE", &*address(&envoy, "beside")),
        ("PASSWORD", PASSWORD),
    ];
    run(&mut node("passwords.mjs", &variables), &envoy);
}
