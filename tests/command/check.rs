//! `check`: the settings around a configuration that make it ineffective, one by one.

mod bypass;
mod certificates;
mod clusters;
mod istio;
mod json;
mod lists;
mod order;
mod secrets;
mod values;

use serde_json::{Value, json};

use crate::cli::{Desk, GOOD, INVALID, as_struct};

const MANAGER: &str = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config";

fn message(kind: &str, mut fields: Value) -> Value {
    fields["@type"] = json!(format!("type.googleapis.com/envoy.{kind}"));
    fields
}

fn http_filter(package: &str, kind: &str, config: Value) -> Value {
    let kind = format!("extensions.filters.http.{package}.v3.{kind}");
    json!({"name": format!("envoy.filters.http.{package}"), "typed_config": message(&kind, config)})
}

/// A filter with a configuration that sets `x-auth-subject`.
fn gate(name: &str) -> Value {
    gate_with(
        name,
        &json!({"default": "public", "identity": {"headers": {"x-auth-subject": "{subject}"}}}),
    )
}

fn gate_with(name: &str, document: &Value) -> Value {
    let config = json!({"config": {
        "failure_policy": "FAIL_RELOAD", "vm_config": {"vm_id": name},
        "configuration": as_struct(document),
    }});
    let mut filter = http_filter("wasm", "Wasm", config);
    filter["name"] = json!(name);
    filter
}

fn router() -> Value {
    http_filter("router", "Router", json!({}))
}

fn disabled() -> Value {
    message("config.route.v3.FilterConfig", json!({"disabled": true}))
}

fn enabled() -> Value {
    message("config.route.v3.FilterConfig", json!({"config": {}}))
}

fn route() -> Value {
    json!({"match": {"prefix": "/"}, "route": {"cluster": "upstream"}})
}

fn manager(http_filters: &[Value], routes: &[Value]) -> Value {
    message(
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        json!({
            "stat_prefix": "ingress", "use_remote_address": true, "http_filters": http_filters,
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        }),
    )
}

fn chain(manager: &Value) -> Value {
    json!({"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]})
}

/// A bootstrap without settings that make the filter ineffective.
fn bootstrap(http_filters: &[Value], routes: &[Value]) -> Value {
    let chains = [chain(&manager(http_filters, routes))];
    json!({"static_resources": {"listeners": [{"name": "ingress", "filter_chains": chains}], "clusters": [
        {"name": "upstream"},
    ]}})
}

fn manager_of(bootstrap: &mut Value) -> &mut Value {
    &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
}

/// Checks a file with a name, and that it has one error, which contains a text, and no warnings.
fn assert_invalid(name: &str, text: &str, expected: &str) {
    let desk = Desk::new();
    desk.write(name, text);
    let ran = desk.run_with_input(&["check", name], text);
    assert!(
        ran.out.contains(expected),
        "{name}: {text}: {}{}",
        ran.out,
        ran.err
    );
    assert_eq!(
        ran.lines()[1..],
        ["1 configuration, 1 error, no warnings"],
        "{text}"
    );
    assert_eq!(ran.code, INVALID, "{text}");
    let explained = desk.run_with_input(&["explain", name, "--path", "/"], text);
    assert_eq!(explained.code, INVALID, "{text}");
    assert_eq!(explained.lines(), ran.lines()[..1], "{text}");
}

/// Checks a file, and that it has exactly the findings: parts of lines, in order.
fn assert_findings(what: &str, text: &str, expected: &[&str], code: i32) {
    let desk = Desk::new();
    desk.write("file.yaml", text);
    let ran = desk.run(&["check", "file.yaml"]);
    let lines = ran.lines();
    assert_eq!(
        lines.len(),
        expected.len() + 1,
        "{what}: {}{}",
        ran.out,
        ran.err
    );
    for (line, part) in lines.iter().zip(expected) {
        assert!(line.contains(part), "{what}: expected {part}, found {line}");
    }
    assert_eq!(ran.code, code, "{what}: {}", ran.out);
}

fn assert_clean(what: &str, text: &str) {
    assert_findings(what, text, &[], GOOD);
}

fn remote(cluster: &str) -> Value {
    let jwks = json!({"remote": {"uri": "https://login.example.com/jwks", "cluster": cluster}});
    json!({"providers": [{"name": "corp", "jwt": {"issuer": "https://login.example.com", "audiences": ["a"], "jwks": jwks}}]})
}
