//! The example files that no other test starts: `envoy/compose/` and `envoy/istio/`.

mod support;

use std::fs;
use std::io::Write as _;
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

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[test]
fn compose_reads_its_file() {
    let has_compose = Command::new("docker")
        .args(["compose", "version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_compose {
        say("NOT RUN: `docker compose config`, since there is no docker compose here");
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
fn istio_has_the_documents_of_the_envoy_example() {
    let plugin = yaml("envoy/istio/wasmplugin.yaml");
    let example = yaml("envoy/envoy.yaml");
    assert_eq!(
        plugin["spec"]["pluginConfig"],
        example.pointer(FILTER).unwrap()["configuration"]["value"]
    );
    assert_ne!(plugin["spec"]["failStrategy"], "FAIL_OPEN");
}

#[test]
fn the_wasm_plugin_fits_istios_schema() {
    let Some(folder) = std::env::var_os("CRDS") else {
        say(
            "NOT RUN: the WasmPlugin against Istio's schema, since CRDS names no folder of resource definitions",
        );
        return;
    };
    let path = Path::new(&folder).join("istio-wasmplugin.yaml");
    let definition: Value = serde_yaml_ng::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let schema =
        &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let plugin = yaml("envoy/istio/wasmplugin.yaml");
    assert_eq!(plugin["apiVersion"], "extensions.istio.io/v1alpha1");
    let mut faults = Vec::new();
    validate(&plugin["spec"], schema, "spec", &mut faults);
    assert!(faults.is_empty(), "{faults:#?}");
    // The validation can fail.
    validate(
        &serde_json::json!({"phase": "AUTH", "urls": 1}),
        schema,
        "spec",
        &mut faults,
    );
    assert_eq!(faults.len(), 3, "{faults:#?}");
}

/// The part of OpenAPI v3 that the definition needs: `type`, `enum`, `required`, known properties, list items.
fn validate(value: &Value, schema: &Value, at: &str, faults: &mut Vec<String>) {
    let is_of_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !is_of_type {
        faults.push(format!("{at}: no {}", schema["type"]));
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        faults.push(format!("{at}: {value} is none of {allowed:?}"));
    }
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if value.get(name).is_none() {
            faults.push(format!("{at}: lacks {name}"));
        }
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        if let Some(schema) = schema["properties"].get(name) {
            validate(member, schema, &at, faults);
        } else if let Some(schema) = schema["additionalProperties"].as_object() {
            validate(member, &Value::Object(schema.clone()), &at, faults);
        } else if schema["x-kubernetes-preserve-unknown-fields"] != true {
            faults.push(format!("{at}: unknown"));
        }
    }
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        validate(item, &schema["items"], &format!("{at}[{place}]"), faults);
    }
}
