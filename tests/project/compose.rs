//! The example files that no other test starts: `envoy/compose/`.

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
