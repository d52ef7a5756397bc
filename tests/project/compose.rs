//! `compose.yaml` and its parts, without Docker. `tests/clients/compose.rs` starts it.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support;

const COMPOSE: &str = "compose.yaml";

fn text(path: &str) -> String {
    fs::read_to_string(support::in_repository(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The services by name, with the values of their merge keys.
fn services() -> Vec<(String, Value)> {
    let mut compose: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text(COMPOSE)).unwrap();
    compose.apply_merge().unwrap();
    let compose = serde_json::to_value(compose).unwrap();
    let services = compose["services"].as_object().unwrap().clone();
    assert!(services.len() >= 8);
    services.into_iter().collect()
}

/// The strings of a list that a service may have.
fn list<'a>(service: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    let items = service[key].as_array().into_iter().flatten();
    items.map(|item| item.as_str().expect("a string"))
}

#[test]
fn no_service_is_reached_from_another_machine() {
    for (name, service) in services() {
        for port in list(&service, "ports") {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port}");
        }
        assert!(service["network_mode"].is_null(), "{name}");
    }
}

#[test]
fn no_service_has_root_capabilities_or_a_file_system_to_write_to() {
    for (name, service) in services() {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        assert!(
            list(&service, "security_opt").eq(["no-new-privileges:true"]),
            "{name}"
        );
        assert!(service["mem_limit"].is_string(), "{name}");
        assert!(
            service["privileged"].is_null() && service["cap_add"].is_null(),
            "{name}"
        );
        let user = service["user"].as_str().unwrap();
        assert!(
            !user.starts_with("0:") && user.contains(':'),
            "{name}: {user}"
        );
        // Only the one-shot service writes to the volume.
        for volume in list(&service, "volumes") {
            assert!(
                volume.ends_with(":ro") || name == "prepare",
                "{name}: {volume}"
            );
        }
    }
}

#[test]
fn every_mounted_file_exists() {
    for (name, service) in services() {
        for volume in list(&service, "volumes") {
            let (source, _) = volume.split_once(':').unwrap();
            if source.starts_with('.') {
                assert!(
                    support::in_repository(source).exists(),
                    "{name}: {source} does not exist"
                );
            }
        }
    }
}

#[test]
fn every_service_that_lasts_has_a_health_check() {
    for (name, service) in services() {
        assert_eq!(
            service["healthcheck"].is_object(),
            name != "prepare",
            "{name}"
        );
    }
}

#[test]
fn every_image_has_a_version() {
    for (name, service) in services() {
        let image = service["image"].as_str().unwrap();
        if service["build"].is_null() {
            let (_, tag) = image
                .split_once(':')
                .unwrap_or_else(|| panic!("{name}: {image}"));
            assert!(
                tag.contains(|c: char| c.is_ascii_digit()),
                "{name}: {image}"
            );
        }
    }
    for file in ["programs/source", "programs/prebuilt", "issuer/"] {
        let path = format!(
            "envoy/compose/{file}{}Dockerfile",
            if file.ends_with('/') { "" } else { "." }
        );
        for line in text(&path).lines().filter(|line| line.starts_with("FROM ")) {
            let image = line.split_whitespace().nth(1).unwrap();
            assert!(
                image.contains(':') && !image.ends_with(":latest"),
                "{path}: {line}"
            );
        }
    }
}

#[test]
fn the_versions_are_those_of_the_repository() {
    let requirements = text("envoy/requirements.txt");
    let (_, rest) = requirements.split_once("\nenvoy-server==").unwrap();
    let envoy = rest.split_whitespace().next().unwrap();
    let services = services();
    let (_, service) = services.iter().find(|(name, _)| name == "envoy").unwrap();
    assert_eq!(service["image"], format!("envoyproxy/envoy:v{envoy}"));

    let toolchain = text("rust-toolchain.toml");
    let (_, rest) = toolchain.split_once("channel = \"").unwrap();
    let (rust, _) = rest.split_once('"').unwrap();
    let build = text("envoy/compose/programs/source.Dockerfile");
    assert!(build.contains(&format!("FROM rust:{rust}-slim-")));
    assert!(build.contains(&format!("ENV RUSTUP_TOOLCHAIN={rust}\n")));
}

/// The only warning is that the keys are fetched over plain HTTP, from a container of the same network.
#[test]
fn the_configuration_of_the_filter_is_valid() {
    let ran = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .arg("check")
        .arg(support::in_repository("envoy/compose/gate.yaml"))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&ran.stdout);
    assert!(
        printed.ends_with("1 configuration, no errors, 1 warning\n"),
        "{printed}"
    );
    assert!(
        printed.contains("providers[0].jwt.jwks.remote.uri"),
        "{printed}"
    );
}

/// What the identity provider promises is what the rules need.
#[test]
fn the_issuer_and_the_filter_agree() {
    let gate: Value = serde_yaml_ng::from_str(&text("envoy/compose/gate.yaml")).unwrap();
    let jwt = &gate["providers"][0]["jwt"];
    let provider = text("envoy/compose/issuer/provider.mjs");
    let audience = jwt["audiences"][0].as_str().unwrap();
    assert!(provider.contains(&format!("const API = \"{audience}\";")));
    let issuer = text("envoy/compose/issuer/issuer.mjs");
    assert!(issuer.contains(&format!("ISSUER = {}", jwt["issuer"])));
}

/// Cargo reads the manifest of every package of the workspace, whichever it builds.
#[test]
fn the_image_that_builds_the_programs_has_every_package() {
    let (manifest, ignored) = (text("Cargo.toml"), text(".dockerignore"));
    let members = manifest
        .lines()
        .find_map(|line| line.strip_prefix("members = ["));
    let paths = members.expect("packages").split('"').skip(1).step_by(2);
    let folders: Vec<_> = paths.filter_map(|path| path.split('/').next()).collect();
    assert!(folders.len() >= 7);
    for folder in folders {
        let included = format!("!{folder}");
        assert!(ignored.lines().any(|line| line == included), "{folder}");
    }
}
