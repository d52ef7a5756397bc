//! The manifests for Istio, Envoy Gateway and Kubernetes: valid by the definitions of their kinds, without a finding of
//! `countersign check`, and with the policies of the examples for Envoy.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::pages;
use crate::support;
use crate::support::crd::{Definitions, documents};
use crate::support::manifest::{self, Manifest};

/// The filter of an Envoy configuration.
const FILTER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config";

/// Groups whose kinds `make test-all` validates with the models that npm has.
const OTHER_GROUPS: [&str; 5] = [
    "",
    "apps",
    "policy",
    "networking.k8s.io",
    "kustomize.config.k8s.io",
];

#[test]
fn every_resource_is_valid() {
    let Some(definitions) = Definitions::from_environment() else {
        return;
    };
    let mut faults = Vec::new();
    let mut without: BTreeSet<String> = BTreeSet::new();
    let mut count = 0;
    let files = manifest::all();
    let files = files.into_iter().map(|file| (file.path, file.resources));
    for (place, resources) in files.chain(in_pages()) {
        for resource in resources {
            match definitions.faults(&resource) {
                Some(found) => {
                    count += 1;
                    let kind = resource["kind"].as_str().unwrap_or_default();
                    faults.extend(found.iter().map(|what| format!("{place}: {kind}{what}")));
                }
                None => without.extend(kind_of(&resource)),
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert!(count > 20, "{count}");
    for kind in without {
        support::say(&format!(
            "NOT RUN: {kind} against a definition, since CRDS has none"
        ));
    }
}

/// `Gateway of gateway.networking.k8s.io/v1`; none for kinds of Kubernetes itself and kustomize, which have no definition.
fn kind_of(resource: &Value) -> Option<String> {
    let (kind, version) = (resource["kind"].as_str()?, resource["apiVersion"].as_str()?);
    let group = version.split_once('/').map_or("", |(group, _)| group);
    (!OTHER_GROUPS.contains(&group)).then(|| format!("{kind} of {version}"))
}

/// The resources in the pages of the documentation, each with its place.
fn in_pages() -> Vec<(String, Vec<Value>)> {
    let mut found = Vec::new();
    for page in pages::pages() {
        for block in page.blocks() {
            if block.language == "yaml" && block.text.contains("apiVersion:") {
                found.push((page.at(block.line), documents(&block.text)));
            }
        }
    }
    found
}

#[test]
fn a_mistake_in_a_resource_is_found() {
    let Some(definitions) = Definitions::from_environment() else {
        return;
    };
    let plugin = &Manifest::read("envoy/istio/sidecar/wasm-plugin.yaml").resources[0];
    let extension = &Manifest::read("envoy/istio/sidecar/traffic-extension.yaml").resources[0];
    let policy = &Manifest::read("envoy/gateway/gateway.yaml").resources[0];
    let entry = &Manifest::read("envoy/istio/sidecar/wasm-plugin.yaml").resources[1];
    for (resource, pointer, value, expected) in [
        (plugin, "/spec/urls", json!("oci://x"), "urls"),
        (plugin, "/metadata/label", json!({}), "label"),
        (plugin, "/spec/phase", json!("AUTH"), "\"AUTH\""),
        (plugin, "/spec/priority", json!("10"), "integer"),
        (plugin, "/spec/sha256", json!("<digest>"), "does not match"),
        (
            plugin,
            "/spec/url",
            json!("ftp://x/y.wasm"),
            "schema one of",
        ),
        (plugin, "/spec/url", json!(null), "null"),
        (
            plugin,
            "/spec/targetRefs",
            json!([{"kind": "Gateway", "name": "x"}]),
            "only one of",
        ),
        (
            plugin,
            "/spec/match/0/ports",
            json!([{"number": 70_000}]),
            "maximum",
        ),
        (
            plugin,
            "/spec/match/0/ports",
            json!([{"number": 80}, {"number": 80}]),
            "twice",
        ),
        (
            plugin,
            "/spec/vmConfig",
            json!({"env": [{"name": "A", "value": "b", "valueFrom": "HOST"}]}),
            "only be set when",
        ),
        (extension, "/spec/wasm/config", json!({}), "config"),
        (
            extension,
            "/spec/lua",
            json!({"inlineCode": "x"}),
            "more than one",
        ),
        (policy, "/spec/backends", json!([]), "backends"),
        (
            policy,
            "/spec/wasm/0/code/type",
            json!("HTTP"),
            "http field needs to be set",
        ),
        (
            policy,
            "/spec/targetRefs/0/kind",
            json!("Service"),
            "Gateway",
        ),
        (
            entry,
            "/spec/ports/0/targetPort",
            json!(0),
            "between 1-65535",
        ),
        (entry, "/spec/addresses", json!(["192.0.2.0/24"]), "CIDR"),
    ] {
        let mut wrong = resource.clone();
        put(&mut wrong, pointer, value);
        let faults = definitions.faults(&wrong).expect("a definition");
        let found = faults.iter().any(|fault| fault.contains(expected));
        assert!(found, "{pointer}: {expected} is not in {faults:?}");
    }
    let mut incomplete = extension.clone();
    incomplete["spec"]["wasm"] = json!({});
    let faults = definitions.faults(&incomplete).expect("a definition");
    assert!(faults[0].contains("url"), "{faults:?}");
}

/// Sets a member that may not be there yet.
fn put(value: &mut Value, pointer: &str, new: Value) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    value.pointer_mut(parent).expect("a parent")[name] = new;
}

#[test]
fn check_finds_nothing_in_a_manifest_or_a_configuration() {
    let mut checked = 0;
    for path in support::files_below("envoy") {
        let text = fs::read_to_string(support::in_repository(&path)).unwrap();
        if !["wasm.v3.Wasm", "pluginConfig:", "EnvoyExtensionPolicy"]
            .iter()
            .any(|mark| text.contains(mark))
        {
            continue;
        }
        let ran = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("check")
            .arg(support::in_repository(&path))
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success(), "{path}: {printed}");
        assert!(
            printed.ends_with("no errors, no warnings\n"),
            "{path}: {printed}"
        );
        checked += 1;
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn no_manifest_forwards_requests_that_the_filter_has_not_decided() {
    for file in manifest::all() {
        let Some(settings) = file.settings() else {
            continue;
        };
        let path = &file.path;
        if let Some(fail_open) = settings.get("failOpen") {
            assert_eq!(*fail_open, false, "{path}");
            let source =
                &settings["code"][settings["code"]["type"].as_str().unwrap().to_lowercase()];
            assert!(source["sha256"].is_string(), "{path}");
        } else {
            assert_eq!(settings["failStrategy"], "FAIL_RELOAD", "{path}");
            assert!(settings["sha256"].is_string(), "{path}");
        }
    }
}

#[test]
fn a_traffic_extension_is_the_wasm_plugin_of_its_folder() {
    for folder in ["sidecar", "waypoint"] {
        let read = |name: &str| Manifest::read(&format!("envoy/istio/{folder}/{name}.yaml"));
        let (new, old) = (read("traffic-extension"), read("wasm-plugin"));
        assert_eq!(new.resources[1..], old.resources[1..], "{folder}");
        let mut nested = new.resources[0]["spec"].clone();
        let wasm = nested.as_object_mut().unwrap().remove("wasm").unwrap();
        nested
            .as_object_mut()
            .unwrap()
            .extend(wasm.as_object().unwrap().clone());
        assert_eq!(nested, old.resources[0]["spec"], "{folder}");
    }
}

#[test]
fn every_target_has_the_same_policy() {
    let mut policies = Vec::new();
    for path in [
        "envoy/istio/gateway/traffic-extension.yaml",
        "envoy/istio/sidecar/traffic-extension.yaml",
        "envoy/istio/waypoint/traffic-extension.yaml",
        "envoy/gateway/gateway.yaml",
        "envoy/gateway/http.yaml",
    ] {
        policies.push((path, Manifest::read(path).configuration().unwrap().clone()));
    }
    for path in [
        "envoy/kubernetes/base/envoy.yaml",
        "envoy/kubernetes/overlays/sidecar/envoy.yaml",
    ] {
        policies.push((
            path,
            yaml(path).pointer(FILTER).unwrap()["configuration"]["value"].clone(),
        ));
    }
    for (_, policy) in &mut policies {
        policy["providers"][0]["jwt"]["jwks"]["remote"]["cluster"] = json!("login");
    }
    for (path, policy) in &policies {
        assert_eq!(policy, &policies[0].1, "{path}");
    }
}

#[test]
fn istio_has_the_documents_of_the_envoy_examples() {
    for (plugin, example) in [
        ("wasm-plugin", "envoy/envoy.yaml"),
        ("credentials", "envoy/credentials.yaml"),
        ("certificates", "envoy/certificates.yaml"),
        ("proofs", "envoy/proofs.yaml"),
    ] {
        let plugin = Manifest::read(&format!("envoy/istio/gateway/{plugin}.yaml"));
        let example = yaml(example).pointer(FILTER).unwrap().clone();
        let mut document = plugin.configuration().unwrap().clone();
        rename_clusters(&mut document);
        assert_eq!(document, example["configuration"]["value"]);
        let declared = plugin.settings().unwrap()["vmConfig"]["env"].as_array();
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

/// The cluster that a configuration names is a port of a `ServiceEntry` in the same file, with TLS.
#[test]
fn every_cluster_of_istio_is_in_the_file() {
    let mut found = 0;
    for file in manifest::all() {
        let text = file
            .configuration()
            .map(Value::to_string)
            .unwrap_or_default();
        for part in text.split("\"outbound|").skip(1) {
            let name = part.split('"').next().unwrap();
            let (port, host) = name.split_once("||").unwrap();
            let port: u64 = port.parse().unwrap();
            let entry = file
                .of_kind("ServiceEntry")
                .find(|entry| entry["spec"]["hosts"] == json!([host]));
            let ports =
                entry.unwrap_or_else(|| panic!("{}: no {host}", file.path))["spec"]["ports"]
                    .as_array();
            let port = ports
                .unwrap()
                .iter()
                .find(|own| own["number"] == port)
                .unwrap();
            let target = port.get("targetPort").unwrap_or(&port["number"]);
            assert_eq!(*target, 443, "{}", file.path);
            let rule = file
                .of_kind("DestinationRule")
                .find(|rule| rule["spec"]["host"] == host)
                .unwrap();
            let policy = &rule["spec"]["trafficPolicy"];
            let own = policy["portLevelSettings"].as_array().into_iter().flatten();
            let own = own
                .into_iter()
                .find(|own| own["port"]["number"] == port["number"]);
            let tls = &own.unwrap_or(policy)["tls"];
            assert_eq!(
                (&tls["mode"], &tls["sni"]),
                (&json!("SIMPLE"), &json!(host)),
                "{}",
                file.path
            );
            found += 1;
        }
    }
    assert_eq!(found, 7);
}

#[test]
fn the_pods_have_the_labels_of_the_example() {
    let example = yaml("envoy/envoy.yaml")["stats_config"].clone();
    for path in [
        "envoy/kubernetes/base/envoy.yaml",
        "envoy/kubernetes/overlays/sidecar/envoy.yaml",
    ] {
        assert_eq!(yaml(path)["stats_config"], example, "{path}");
    }
}

#[test]
fn the_base_has_the_envoy_that_is_tested() {
    let requirements =
        fs::read_to_string(support::in_repository("envoy/requirements.txt")).unwrap();
    let (_, rest) = requirements.split_once("\nenvoy-server==").unwrap();
    let version = rest.split_whitespace().next().unwrap();
    let image = &yaml("envoy/kubernetes/base/kustomization.yaml")["images"][0];
    assert_eq!(image["newTag"], format!("distroless-v{version}"));
}

fn yaml(path: &str) -> Value {
    let text =
        fs::read_to_string(support::in_repository(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_yaml_ng::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}
