//! Configurations that Envoy rejects, with the message that is in its log.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::envoy::{Bootstrap, Envoy, module_path, wasm_filter};

/// A configuration whose rule has these members.
fn with_rule(members: Value) -> Value {
    let mut rule = json!({ "name": "admin", "respond": { "status": 403 } });
    for (name, value) in members.as_object().expect("an object") {
        rule[name] = value.clone();
    }
    json!({ "default": "public", "rules": [rule] })
}

/// Holds that Envoy rejects a configuration of this type, and logs a message.
fn hold(kind: &str, value: &Value, message: &str) {
    let mut filter = wasm_filter("api", &module_path(), value);
    filter["typed_config"]["config"]["configuration"]["@type"] =
        json!(format!("type.googleapis.com/google.protobuf.{kind}"));
    let bootstrap = Bootstrap::new(1).listener_with("api", &[filter]);
    let Err(why) = Envoy::try_start(&bootstrap.into_json(), Stdio::null()) else {
        panic!("Envoy accepts the configuration: {value}");
    };
    assert!(why.contains(message), "expected {message:?} in {why}");
}

#[test]
fn a_wildcard_that_would_match_nothing_is_rejected_in_both_forms() {
    let methods = with_rule(json!({ "match": { "paths": ["/admin/**"], "methods": ["*"] } }));
    let fault =
        "rules[0].match.methods[0]: `*` is not a wildcard here: remove `methods` to match any";
    hold("Struct", &methods, fault);
    hold("StringValue", &json!(methods.to_string()), fault);
    let header = with_rule(json!({ "match": { "headers": { "x-tenant": "red*" } } }));
    hold(
        "Struct",
        &header,
        "rules[0].match.headers.x-tenant: `*` is not a wildcard here: write each value",
    );
}

#[test]
fn a_configuration_in_another_language_is_rejected() {
    hold(
        "StringValue",
        &json!("default: public\nrules: []\n"),
        "expected JSON, found other text",
    );
    let provider = json!({ "issuer": "https://login.example.com", "remote_jwks": {} });
    hold(
        "Struct",
        &json!({ "providers": { "corp": provider } }),
        "this is a configuration of Envoy's `jwt_authn`",
    );
}

/// `PATH` is set in the environment of Envoy, which hides it from the filter unless the settings declare it.
#[test]
fn only_variables_that_the_settings_declare_are_set() {
    let log = |name: &str, variables: &Value| {
        let configuration = json!({ "providers": [{ "name": "legacy", "introspection": {
            "uri": "https://login.example.com/introspect", "cluster": "login", "client_id": "gate",
            "client_secret": { "env": name },
        } }] });
        let mut filter = wasm_filter("api", &module_path(), &configuration);
        filter["typed_config"]["config"]["vm_config"]["environment_variables"] = variables.clone();
        let bootstrap = Bootstrap::new(1).listener_with("api", &[filter]);
        Envoy::try_start(&bootstrap.into_json(), Stdio::null()).map(|envoy| envoy.log())
    };
    let declared = json!({ "host_env_keys": ["PATH"], "key_values": { "GATE_SECRET": "xyzzy" } });
    for name in ["PATH", "GATE_SECRET"] {
        let log = log(name, &declared).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(!log.contains("xyzzy"), "{name}: {log}");
    }
    for (name, variables) in [("PATH", &json!({})), ("GATE_SECRETS", &declared)] {
        let why = log(name, variables).unwrap_err();
        let fault = format!("client_secret.env: environment variable `{name}` is not set");
        assert!(why.contains(&fault), "{why}");
    }
}
