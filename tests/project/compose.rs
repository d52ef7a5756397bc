//! The example files that no other test starts: `envoy/compose/` and `envoy/istio/`.

use crate::support;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const COMPOSE: &str = "envoy/compose/docker-compose.yaml";
const FILTER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config";

fn yaml(path: &str) -> Value {
    let text =
        fs::read_to_string(support::in_repository(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_yaml_ng::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn compose_reads_its_file() {
    let has_compose = Command::new("docker")
        .args(["compose", "version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_compose {
        support::say("NOT RUN: `docker compose config`, since there is no docker compose here");
        return;
    }
    let output = Command::new("docker")
        .args(["compose", "-f", COMPOSE, "config", "--quiet"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn compose_mounts_what_is_there_where_the_example_looks_for_it() {
    let compose = yaml(COMPOSE);
    let folder = Path::new(COMPOSE).parent().unwrap();
    let mut targets = Vec::new();
    for service in ["envoy", "upstream"] {
        for volume in compose["services"][service]["volumes"].as_array().unwrap() {
            let mut parts = volume.as_str().unwrap().split(':');
            let source = support::in_repository(folder.join(parts.next().unwrap()));
            assert!(source.exists(), "{} is not there", source.display());
            targets.push(parts.next().unwrap().to_owned());
        }
    }
    let module =
        yaml("envoy/envoy.yaml").pointer(FILTER).unwrap()["vm_config"]["code"]["local"]["filename"]
            .clone();
    assert!(
        targets.iter().any(|target| module == **target),
        "{module} is not mounted"
    );
}

#[test]
fn compose_finds_the_address_that_it_replaces() {
    let script = yaml(COMPOSE)["services"]["envoy"]["entrypoint"][2].clone();
    let listener = "address: 127.0.0.1, port_value: 10000";
    assert!(script.as_str().unwrap().contains(&format!("s/{listener}/")));
    let example = fs::read_to_string(support::in_repository("envoy/envoy.yaml")).unwrap();
    assert_eq!(example.matches(listener).count(), 1);
}

#[test]
fn every_file_means_the_same_envoy() {
    let requirements =
        fs::read_to_string(support::in_repository("envoy/requirements.txt")).unwrap();
    let (_, rest) = requirements.split_once("\nenvoy-server==").unwrap();
    let version = rest.split_whitespace().next().unwrap();
    assert_eq!(
        yaml(COMPOSE)["services"]["envoy"]["image"],
        format!("envoyproxy/envoy:v{version}")
    );
}

#[test]
fn istio_has_the_documents_of_the_envoy_examples() {
    for (plugin, example) in [
        ("envoy/istio/gateway/wasm-plugin.yaml", "envoy/envoy.yaml"),
        ("envoy/istio/gateway/credentials.yaml", "envoy/credentials.yaml"),
        ("envoy/istio/gateway/certificates.yaml", "envoy/certificates.yaml"),
        ("envoy/istio/gateway/proofs.yaml", "envoy/proofs.yaml"),
    ] {
        // The manifests after the first one are about clusters, whose names differ.
        let text = fs::read_to_string(support::in_repository(plugin)).unwrap();
        let (first, _) = text.split_once("\n---\n").unwrap_or((&text, ""));
        let plugin: Value = serde_yaml_ng::from_str(first).unwrap();
        let example = yaml(example).pointer(FILTER).unwrap().clone();
        let mut document = plugin["spec"]["pluginConfig"].clone();
        rename_clusters(&mut document);
        assert_eq!(document, example["configuration"]["value"]);
        assert_ne!(plugin["spec"]["failStrategy"], "FAIL_OPEN");
        let declared = plugin["spec"]["vmConfig"]["env"].as_array();
        let declared = declared.into_iter().flatten().map(|one| &one["name"]);
        let host = example["vm_config"]["environment_variables"]["host_env_keys"].as_array();
        assert!(declared.eq(host.into_iter().flatten()));
    }
}

/// Gives Istio's clusters the names that they have in the Envoy examples: `outbound|443||login.example.com` is `login`.
fn rename_clusters(document: &mut Value) {
    match document {
        Value::Object(members) => members.values_mut().for_each(rename_clusters),
        Value::Array(items) => items.iter_mut().for_each(rename_clusters),
        Value::String(text) => {
            if let Some(host) = text.strip_prefix("outbound|443||") {
                *text = host.split('.').next().unwrap_or_default().to_owned();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn the_command_accepts_the_examples_without_a_warning() {
    for file in [
        "envoy/credentials.yaml",
        "envoy/certificates.yaml",
        "envoy/proofs.yaml",
        "envoy/istio/gateway/credentials.yaml",
        "envoy/istio/gateway/certificates.yaml",
        "envoy/istio/gateway/proofs.yaml",
    ] {
        let ran = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("check")
            .arg(support::in_repository(file))
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&ran.stdout),
            "1 configuration, no errors, no warnings\n"
        );
    }
}

#[test]
fn the_wasm_plugin_fits_istios_schema() {
    let Some(schema) = support::crd::schema("istio-wasmplugin.yaml", "v1alpha1") else {
        return;
    };
    let plugin = yaml("envoy/istio/gateway/wasm-plugin.yaml");
    assert_eq!(plugin["apiVersion"], "extensions.istio.io/v1alpha1");
    assert_eq!(
        support::crd::faults(&plugin["spec"], &schema),
        Vec::<String>::new()
    );
    // The validation can fail.
    let wrong = serde_json::json!({"phase": "AUTH", "urls": 1});
    assert_eq!(support::crd::faults(&wrong, &schema).len(), 3);
}
