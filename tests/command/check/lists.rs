//! Lists of API keys: expired ones, and the clusters from which they are fetched.

use serde_json::{Value, json};

use super::{bootstrap, gate_with, route, router};
use crate::cli::Desk;

/// Whether `check` says this about a file.
fn says(file: &Value, expected: &str) -> bool {
    let desk = Desk::new();
    desk.write("file.yaml", file.to_string());
    let ran = desk.run(&["check", "file.yaml"]);
    ran.lines().iter().any(|line| line.contains(expected))
}

fn with_keys(keys: &Value) -> Value {
    json!({"providers": [{"name": "partners", "api_key": {"keys": keys}}]})
}

#[test]
fn an_expired_key_is_reported() {
    let sha256 = "a".repeat(64);
    let keys = |expires: &str| json!([{"id": "a", "sha256": sha256}, {"id": "b", "sha256": sha256, "expires": expires}]);
    let expected =
        "providers[0].api_key.keys[1].expires: warning: this key has expired: it is denied";
    assert!(says(&with_keys(&keys("2020-01-01T00:00:00Z")), expected));
    for expires in ["2999-01-01T00:00:00Z", "2020", ""] {
        assert!(!says(&with_keys(&keys(expires)), "expired"), "{expires}");
    }
}

#[test]
fn the_cluster_of_a_list_must_exist_and_have_tls() {
    let file = |uri: &str, name: &str, address: &str| {
        let keys = with_keys(&json!({"remote": {"uri": uri, "cluster": name}}));
        let mut file = bootstrap(&[gate_with("countersign", &keys), router()], &[route()]);
        let address = json!({"socket_address": {"address": address, "port_value": 80}});
        file["static_resources"]["clusters"] = json!([{"name": "keys", "load_assignment": {"endpoints": [
            {"lb_endpoints": [{"endpoint": {"address": address}}]},
        ]}}]);
        file
    };
    let https = "https://keys.example.com/keys";
    let unknown = "api_key.keys.remote.cluster: unknown cluster `kys`: the filter cannot fetch lists of credentials, so it \
                   answers every credential of the provider with 503; did you mean `keys`?";
    assert!(says(&file(https, "kys", "127.0.0.1"), unknown));
    let no_tls = "clusters[0]: warning: lists of credentials fetched without TLS can be replaced by anyone on the network path";
    assert!(says(&file(https, "keys", "keys.example.com"), no_tls));
    // The URL says nothing about where the cluster is.
    assert!(says(
        &file("http://127.0.0.1/keys", "keys", "keys.example.com"),
        no_tls
    ));
    for uri in [https, "http://127.0.0.1/keys"] {
        let local = file(uri, "keys", "127.0.0.1");
        assert!(!says(&local, "cluster") && !says(&local, "TLS"), "{uri}");
    }
}
