//! The manifests of `envoy/` as `kubectl` builds them, against the models of Kubernetes, Gateway API and Istio that npm has.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support;
use crate::support::crd::documents;
use crate::support::manifest::{self, Manifest};

/// Groups whose kinds have a definition, against which `tests/project/manifests.rs` validates them, or which no package has.
const OTHER_GROUPS: [&str; 5] = [
    "extensions.istio.io",
    "security.istio.io",
    "telemetry.istio.io",
    "gateway.envoyproxy.io",
    "kustomize.config.k8s.io",
];

/// The resources of an overlay of `envoy/kubernetes/overlays/`.
fn built(overlay: &str) -> Vec<Value> {
    let kubectl = std::env::var_os("KUBECTL").expect("KUBECTL names a kubectl");
    let ran = Command::new(kubectl)
        .arg("kustomize")
        .arg(support::in_repository(format!(
            "envoy/kubernetes/overlays/{overlay}"
        )))
        .output()
        .expect("kubectl runs");
    assert!(
        ran.status.success(),
        "{overlay}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
    documents(&String::from_utf8(ran.stdout).expect("UTF-8"))
}

fn of_kind<'r>(resources: &'r [Value], kind: &str) -> &'r Value {
    let mut found = resources.iter().filter(|resource| resource["kind"] == kind);
    found.next().unwrap_or_else(|| panic!("no {kind}"))
}

/// The faults of each resource, by the models and types of npm's packages.
fn faults(resources: &[Value]) -> Vec<Vec<String>> {
    let mut node = Command::new("node")
        .arg(support::in_repository("tests/kubernetes/validate.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    let text = json!(resources).to_string();
    let mut stdin = node.stdin.take().expect("stdin is piped");
    stdin.write_all(text.as_bytes()).expect("node reads");
    drop(stdin);
    let output = node.wait_with_output().expect("node ends");
    assert!(output.status.success(), "validate.mjs failed");
    serde_json::from_slice(&output.stdout).expect("lists of faults")
}

#[test]
fn every_resource_is_valid() {
    let files = manifest::all()
        .into_iter()
        .map(|file| (file.path, file.resources));
    let overlays = ["gateway", "sidecar"].map(|overlay| (overlay.to_owned(), built(overlay)));
    let mut named = Vec::new();
    for (place, resources) in files.chain(overlays) {
        for resource in resources {
            let version = resource["apiVersion"].as_str().expect("a version");
            let group = version.split('/').next().unwrap_or_default();
            // The API server does not know what kustomize completes.
            let is_part = place.starts_with("envoy/kubernetes/");
            if !OTHER_GROUPS.contains(&group) && !is_part {
                named.push((place.clone(), resource));
            }
        }
    }
    assert!(named.len() > 20, "{}", named.len());
    let resources: Vec<Value> = named.iter().map(|(_, resource)| resource.clone()).collect();
    for ((place, resource), faults) in named.iter().zip(faults(&resources)) {
        assert_eq!(
            faults,
            Vec::<String>::new(),
            "{place}: {}",
            resource["kind"]
        );
    }
}

#[test]
fn a_mistake_in_a_resource_is_found() {
    let deployment = of_kind(&built("gateway"), "Deployment").clone();
    let gateway = Manifest::read("envoy/gateway/gateway.yaml");
    let route = of_kind(&gateway.resources, "HTTPRoute").clone();
    let rule = Manifest::read("envoy/istio/sidecar/wasm-plugin.yaml");
    let rule = of_kind(&rule.resources, "DestinationRule").clone();
    let rows = [
        (
            &deployment,
            "/spec/template/spec/containers/0/imagePull",
            json!("Always"),
            "imagePull",
        ),
        (&deployment, "/spec/replicas", json!("3"), "replicas"),
        (&route, "/spec/rule", json!([]), "rule"),
        (
            &route,
            "/spec/rules/0/backendRefs/0/port",
            json!(70_000),
            "65535",
        ),
        (
            &rule,
            "/spec/trafficPolicy/portLevelSettings/0/tls/mode",
            json!("TLS"),
            "allowed values",
        ),
        (
            &rule,
            "/spec/trafficPolicy/tls_settings",
            json!({}),
            "tls_settings",
        ),
    ];
    let wrong = rows.each_ref().map(|(resource, pointer, value, _)| {
        let mut wrong = (*resource).clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        wrong.pointer_mut(parent).expect("a parent")[name] = value.clone();
        wrong
    });
    for ((_, pointer, _, expected), faults) in rows.iter().zip(faults(&wrong)) {
        assert!(
            faults.iter().any(|fault| fault.contains(expected)),
            "{pointer}: {faults:?}"
        );
    }
}

#[test]
fn an_overlay_is_complete() {
    for (overlay, name, config, port) in [
        (
            "gateway",
            "countersign",
            "envoy/kubernetes/base/envoy.yaml",
            "https",
        ),
        (
            "sidecar",
            "orders",
            "envoy/kubernetes/overlays/sidecar/envoy.yaml",
            "http",
        ),
    ] {
        let resources = built(overlay);
        let map = of_kind(&resources, "ConfigMap");
        let text = std::fs::read_to_string(support::in_repository(config)).expect("a file");
        assert_eq!(map["data"]["envoy.yaml"], text, "{overlay}");

        let deployment = of_kind(&resources, "Deployment");
        assert_eq!(deployment["metadata"]["name"], name);
        let pod = &deployment["spec"]["template"]["spec"];
        let envoy = &pod["containers"][0];
        assert_eq!(envoy["ports"][0]["name"], port);
        let mounts = envoy["volumeMounts"].as_array().expect("mounts");
        let volumes = pod["volumes"].as_array().expect("volumes");
        assert_eq!(mounts.len(), volumes.len(), "{overlay}");
        for (mount, volume) in mounts.iter().zip(volumes) {
            assert_eq!(mount["name"], volume["name"], "{overlay}");
        }
        // The name ends in a hash, so that a change of the configuration replaces the Pods.
        let mounted = &volumes[1]["configMap"]["name"];
        assert_eq!(*mounted, map["metadata"]["name"], "{overlay}");
        assert_ne!(*mounted, "countersign", "{overlay}");
        let module = volumes[0]["image"]["reference"].as_str().expect("an image");
        assert!(module.contains("@sha256:"), "{module}");

        for container in pod["containers"].as_array().expect("containers") {
            let image = container["image"].as_str().expect("an image");
            let tag = image.rsplit_once(':').expect("a tag").1;
            assert_ne!(tag, "latest", "{image}");
            let security = &container["securityContext"];
            assert_eq!(security["readOnlyRootFilesystem"], true, "{image}");
            assert_eq!(security["capabilities"]["drop"], json!(["ALL"]), "{image}");
            assert!(
                container["resources"]["limits"]["memory"].is_string(),
                "{image}"
            );
        }
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);

        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        assert_eq!(deployment["spec"]["selector"]["matchLabels"], *labels);
        assert_eq!(of_kind(&resources, "Service")["spec"]["selector"], *labels);
        assert_eq!(
            of_kind(&resources, "Service")["spec"]["ports"][0]["targetPort"],
            port
        );
        for (kind, selector) in [
            ("PodDisruptionBudget", "selector"),
            ("NetworkPolicy", "podSelector"),
        ] {
            assert_eq!(
                of_kind(&resources, kind)["spec"][selector]["matchLabels"],
                *labels
            );
        }
        let clients = &of_kind(&resources, "NetworkPolicy")["spec"]["ingress"][0];
        assert_eq!(clients["ports"][0]["port"], port, "{overlay}");
        assert!(
            resources
                .iter()
                .all(|resource| resource["metadata"]["namespace"] == "shop")
        );
    }
}
