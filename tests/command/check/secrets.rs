//! Environment variables with secrets: those that the settings of the filter declare.

use std::slice::from_ref;

use serde_json::{Value, json};

use super::{MANAGER, bootstrap, gate_with, route, router};
use crate::cli::{DENIED, Desk, INVALID, as_string_value};

/// A text that no output contains.
const SECRET: &str = "xyzzy";

const INTROSPECTION: &str = "providers[0].introspection";

fn document(secret: &Value) -> Value {
    json!({"providers": [{"name": "legacy", "introspection": {
        "uri": "https://login.example.com/introspect", "cluster": "login", "client_id": "gate", "client_secret": secret,
    }}]})
}

fn variable() -> Value {
    document(&json!({"env": "GATE_SECRET"}))
}

/// The errors and warnings about secrets and variables that `check` reports. `explain` reports the same errors.
fn reported(name: &str, text: &str) -> Vec<String> {
    let desk = Desk::new();
    desk.write(name, text);
    // The command does not read its own environment.
    let ran = desk.run(&["check", name]);
    let explained = desk.run(&["explain", name, "--path", "/"]);
    for ran in [&ran, &explained] {
        assert!(
            !ran.out.contains(SECRET) && !ran.err.contains(SECRET),
            "{}{}",
            ran.out,
            ran.err
        );
    }
    let about_secrets = |lines: Vec<&str>| -> Vec<String> {
        let lines = lines
            .into_iter()
            .filter(|line| line.contains("variable") || line.contains("secret"));
        let prefix = format!("{name}: ");
        lines
            .map(|line| line.trim_start_matches(&prefix).to_owned())
            .collect()
    };
    let found = about_secrets(ran.lines());
    let errors: Vec<_> = found
        .iter()
        .filter(|line| !line.contains("warning: "))
        .cloned()
        .collect();
    assert_eq!(about_secrets(explained.lines()), errors, "{text}");
    // The clusters of an Envoy are not what this is about, so that only the other verb's exit code says it.
    let code = if errors.is_empty() { DENIED } else { INVALID };
    let printed = format!("{}{}", explained.out, explained.err);
    assert_eq!(explained.code, code, "{text}: {printed}");
    found
}

/// A bootstrap whose filter declares these variables.
fn envoy(configuration: Option<Value>, variables: &Value) -> String {
    let mut filter = gate_with("countersign", &variable());
    let settings = &mut filter["typed_config"]["config"];
    settings["vm_config"]["environment_variables"] = variables.clone();
    if let Some(configuration) = configuration {
        settings["configuration"] = configuration;
    }
    bootstrap(&[filter, router()], &[route()]).to_string()
}

fn resource(api: &str, kind: &str, spec: &Value) -> String {
    json!({"apiVersion": api, "kind": kind, "metadata": {"name": "countersign"}, "spec": spec})
        .to_string()
}

#[test]
fn in_envoy_a_variable_must_be_declared() {
    let settings = format!("{MANAGER}.http_filters[0].typed_config.config");
    let declare = format!("`{settings}.vm_config.environment_variables.host_env_keys`");
    let undeclared = format!(
        "{settings}.configuration.value.{INTROSPECTION}.client_secret.env: environment variable `GATE_SECRET` is not \
         declared: add it to {declare}"
    );
    for variables in [
        json!({}),
        Value::Null,
        json!({"host_env_keys": ["GATE_SECRETS"]}),
        json!({"key_values": {"gateSecret": SECRET, "gate_secret": SECRET}}),
    ] {
        assert_eq!(
            reported("envoy.yaml", &envoy(None, &variables)),
            *from_ref(&undeclared),
            "{variables}"
        );
        let text = envoy(Some(as_string_value(&variable())), &variables);
        assert_eq!(
            reported("envoy.json", &text),
            *from_ref(&undeclared),
            "{variables}"
        );
    }
    for variables in [
        json!({"host_env_keys": ["HOME", "GATE_SECRET"]}),
        json!({"hostEnvKeys": ["GATE_SECRET"]}),
    ] {
        assert!(
            reported("envoy.yaml", &envoy(None, &variables)).is_empty(),
            "{variables}"
        );
    }
}

#[test]
fn a_value_in_the_file_is_checked_and_warned_of() {
    let settings = format!("{MANAGER}.http_filters[0].typed_config.config");
    let declared = format!("{settings}.vm_config.environment_variables");
    let visible = format!(
        "{declared}.key_values.GATE_SECRET: warning: a secret here is visible in Envoy's `/config_dump`: add it to \
         `{declared}.host_env_keys`"
    );
    let with = |value: &str| {
        envoy(
            None,
            &json!({"key_values": {"GATE_SECRET": value, "OTHER": "a"}}),
        )
    };
    assert_eq!(reported("envoy.yaml", &with(SECRET)), *from_ref(&visible));
    let path = format!("{settings}.configuration.value.{INTROSPECTION}.client_secret");
    let empty = format!("{path}.env: expected a secret, found an empty string");
    assert_eq!(reported("envoy.yaml", &with("")), [empty, visible]);
}

#[test]
fn in_istio_a_variable_must_be_declared() {
    let plugin = |env: Value| {
        let spec = json!({"pluginConfig": variable(), "vmConfig": {"env": env}});
        resource("extensions.istio.io/v1alpha1", "WasmPlugin", &spec)
    };
    let undeclared = format!(
        "spec.pluginConfig.{INTROSPECTION}.client_secret.env: environment variable `GATE_SECRET` is not declared: add \
         it to `spec.vmConfig.env` with `valueFrom: HOST`"
    );
    for env in [json!([]), json!([{"name": "OTHER", "valueFrom": "HOST"}])] {
        assert_eq!(
            reported("plugin.yaml", &plugin(env)),
            *from_ref(&undeclared)
        );
    }
    assert!(
        reported(
            "plugin.yaml",
            &plugin(json!([{"name": "GATE_SECRET", "valueFrom": "HOST"}]))
        )
        .is_empty()
    );
    let visible = "spec.vmConfig.env[0].value: warning: a secret here is visible in Envoy's `/config_dump`: add it to \
                   `spec.vmConfig.env` with `valueFrom: HOST`";
    let in_place = json!([{"name": "GATE_SECRET", "value": SECRET}]);
    assert_eq!(reported("plugin.yaml", &plugin(in_place)), [visible]);
}

#[test]
fn in_envoy_gateway_a_variable_must_be_declared() {
    let policy = |env: Value| {
        let spec = json!({"wasm": [{"name": "countersign", "config": variable(), "env": env}]});
        resource(
            "gateway.envoyproxy.io/v1alpha1",
            "EnvoyExtensionPolicy",
            &spec,
        )
    };
    let undeclared = format!(
        "spec.wasm[0].config.{INTROSPECTION}.client_secret.env: environment variable `GATE_SECRET` is not declared: add \
         it to `spec.wasm[0].env.hostKeys`"
    );
    assert_eq!(reported("policy.yaml", &policy(json!({}))), [undeclared]);
    assert!(reported("policy.yaml", &policy(json!({"hostKeys": ["GATE_SECRET"]}))).is_empty());
}

/// The settings are elsewhere, so that every variable counts as set, whatever the environment of the command is.
#[test]
fn in_a_whole_document_every_variable_is_set() {
    assert!(reported("gate.yaml", &variable().to_string()).is_empty());
}

/// Where a secret or its key is misspelt, in a list, or in another object.
#[test]
fn no_output_contains_a_secret() {
    let introspection = |members: &str| {
        format!(
            "providers:\n- name: legacy\n  introspection: {{uri: 'https://a', cluster: b, client_id: c, {members}}}\n"
        )
    };
    for text in [
        introspection("client_secret: xyzzy"),
        introspection("client_secret: [xyzzy]"),
        introspection("client_secret: {xyzzy}"),
        introspection("client_secret: {env: xyzzy}"),
        introspection("client_secret: {value: xyzzy}"),
        introspection("client_secret: 'xyzzy '"),
        introspection("client_secret: “xyzzy”"),
        introspection("client_secrets: xyzzy"),
        introspection("client-secret: xyzzy"),
        introspection("client_secret: '{{ xyzzy }}'"),
        introspection("client_secret: ${xyzzy}"),
        introspection("client_secret: xyzzy: xyzzy"),
        introspection("client_secret: 'xyzzy"),
        introspection("client_secret: &xyzzy"),
        introspection("client_secret: *xyzzy"),
        introspection("client_secret: a, client_secret: xyzzy"),
        "client_secret: xyzzy\nproviders: []\n".to_owned(),
        "providers:\n- {name: a, jwt: {client_secret: xyzzy}}\n".to_owned(),
    ] {
        let desk = Desk::new();
        for name in ["gate.yaml", "gate.json"] {
            desk.write(name, &text);
            for verb in [&["check", name][..], &["explain", name, "--path", "/"]] {
                let ran = desk.run(verb);
                assert!(!ran.out.contains(SECRET), "{text}: {}", ran.out);
                assert!(!ran.err.contains(SECRET), "{text}: {}", ran.err);
            }
        }
    }
}
