//! The module without the kinds of credentials that can be left out: `make test-all` builds it.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::json;

use crate::clients::provider;
use crate::support::client::{Request, send};
use crate::support::envoy::{Bootstrap, Envoy, wasm_filter};
use crate::support::upstream::Upstream;

fn module() -> PathBuf {
    let path = std::env::var_os("WITHOUT_KINDS");
    path.expect("WITHOUT_KINDS names no module: `make test-all` builds one")
        .into()
}

#[test]
fn a_module_without_kinds_verifies_tokens() {
    let upstream = Upstream::start();
    let document = json!({"realm": "orders", "providers": [provider()]});
    let filter = wasm_filter("without-kinds", &module(), &document);
    let bootstrap = Bootstrap::new(upstream.port()).listener_with("plain", &[filter]);
    let envoy = Envoy::start(bootstrap);
    let request = |authorization: &'static [u8]| Request {
        method: b"GET",
        target: b"/orders/17",
        headers: vec![
            (b"host", b"api.example.com"),
            (b"authorization", authorization),
        ],
        body: b"",
    };
    let refused = send(envoy.listener("plain"), &request(b"Bearer a.b.c")).unwrap();
    assert_eq!(refused.status, 401);
    assert_eq!(refused.values("www-authenticate").count(), 1);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

#[test]
fn a_module_without_kinds_rejects_their_configuration() {
    let hash = "0".repeat(64);
    let kinds = [
        (
            "introspection",
            json!({"uri": "https://as.example.com", "cluster": "as", "client_id": "gate", "client_secret": "not-a-secret"}),
        ),
        ("api_key", json!({"keys": [{"id": "acme", "sha256": hash}]})),
        ("basic", json!({"users": []})),
        (
            "digest",
            json!({"users": [{"name": "lab", "ha1": {"SHA-256": hash}}]}),
        ),
        ("mtls", json!({"subjects": ["*.example.com"]})),
    ];
    let mut providers: Vec<_> = kinds
        .iter()
        .map(|(key, value)| json!({"name": key, *key: value}))
        .collect();
    let mut bound = provider();
    bound["jwt"]["dpop"] = json!({});
    providers.push(bound);
    let document = json!({"origin": "https://api.example.com", "providers": providers});
    let filter = wasm_filter("without-kinds", &module(), &document);
    let bootstrap = Bootstrap::new(1)
        .listener_with("plain", &[filter])
        .into_json();
    let Err(refused) = Envoy::try_start(&bootstrap, Stdio::null()) else {
        panic!("Envoy accepted the configuration");
    };
    let features = [
        "introspection",
        "api-key",
        "basic",
        "digest",
        "mtls",
        "dpop",
    ];
    for (key, feature) in [
        "introspection",
        "api_key",
        "basic",
        "digest",
        "mtls",
        "dpop",
    ]
    .iter()
    .zip(features)
    {
        let expected = format!(
            "this build does not verify `{key}`: build the module with the feature `{feature}`"
        );
        assert!(refused.contains(&expected), "{expected}: {refused}");
    }
}
