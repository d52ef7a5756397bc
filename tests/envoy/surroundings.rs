//! What `countersign check` reports about settings around the filter is what a real Envoy does with them.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::{self, Request, Response};
use crate::support::envoy::{Bootstrap, Envoy, module_path, wasm_filter};
use crate::support::findings;
use crate::support::upstream::Upstream;

/// Nobody passes, since no rule permits it.
fn closed() -> Value {
    json!({"rules": [{"name": "none", "match": {"paths": ["/none"]}, "allow": "public"}]})
}

/// Everybody passes, and nobody can send `x-auth-subject`.
fn with_identity() -> Value {
    json!({"default": "public", "identity": {"headers": {"x-auth-subject": "{subject}"}}})
}

fn gate(vm_id: &str, document: &Value) -> Value {
    wasm_filter(vm_id, &module_path(), document)
}

fn router() -> Value {
    json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    })
}

fn rbac() -> Value {
    let header = json!({"name": "x-auth-subject", "string_match": {"exact": "alice"}});
    let policies =
        json!({"alice": {"permissions": [{"any": true}], "principals": [{"header": header}]}});
    json!({"name": "envoy.filters.http.rbac", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", "rules": {"policies": policies},
    }})
}

fn path_change() -> Value {
    let code = "function envoy_on_request(h) h:headers():replace(':path', '/admin') end";
    json!({"name": "envoy.filters.http.lua", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": code},
    }})
}

/// The filter, which a matcher skips for requests with `x-skip: 1`.
fn skipped(filter: &Value) -> Value {
    let input = json!({"name": "header", "typed_config": {
        "@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput", "header_name": "x-skip",
    }});
    let skip = json!({"name": "skip", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter",
    }});
    let map = json!({"map": {"1": {"action": skip}}});
    json!({"name": "countersign", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher",
        "extension_config": filter,
        "xds_matcher": {"matcher_tree": {"input": input, "exact_match_map": map}},
    }})
}

fn route(path: &str, disabled: bool) -> Value {
    let mut route = json!({"match": {"path": path}, "route": {"cluster": "upstream"}});
    if disabled {
        route["typed_per_filter_config"] = json!({"countersign": {
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": true,
        }});
    }
    route
}

fn ask(envoy: &Envoy, listener: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut all: Vec<(&[u8], &[u8])> = vec![(b"host", b"api.example.com")];
    let headers = headers.iter();
    all.extend(headers.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    let request = Request {
        method: b"GET",
        target: path.as_bytes(),
        headers: all,
        body: b"",
    };
    client::send(envoy.listener(listener), &request).unwrap()
}

/// The exit code of `check`, and its report.
fn check(name: &str, text: &str) -> (i32, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    let output = command.arg("check").arg(&file).output().unwrap();
    (
        output.status.code().unwrap(),
        findings::brief(&String::from_utf8(output.stdout).unwrap()),
    )
}

/// Each listener of a bootstrap, checked alone.
fn assert_reported(bootstrap: &Value, expected: &[(&str, i32, &str)]) {
    for (name, code, part) in expected {
        let mut alone = bootstrap.clone();
        let listeners = alone["static_resources"]["listeners"]
            .as_array_mut()
            .unwrap();
        listeners.retain(|listener| listener["name"] == *name);
        let (exit, report) = check("envoy.json", &alone.to_string());
        assert!(
            exit == *code && report.contains(part),
            "{name}: {exit}: {report}"
        );
    }
}

#[test]
fn what_check_reports_opens_the_gate() {
    let upstream = Upstream::start();
    let mut disabled = gate("disabled", &closed());
    disabled["disabled"] = json!(true);
    let matched = skipped(&gate("matched", &closed()));
    let identity = |name: &str| gate(name, &with_identity());
    let bootstrap = Bootstrap::new(upstream.port())
        .listener_with("disabled", &[disabled])
        .listener_with("matched", &[matched])
        .routed_listener("route", &with_identity(), &[route("/open", true), route("/shut", false)])
        .listener_with("rbac-before", &[rbac(), identity("before")])
        .listener_with("rbac-behind", &[identity("behind"), rbac()])
        .listener_with("rewritten", &[gate("rewritten", &json!({
            "rules": [{"name": "shop", "match": {"paths": ["/shop"]}, "allow": "public"}],
        })), path_change()])
        .into_json();
    assert_reported(
        &bootstrap,
        &[
            (
                "disabled",
                3,
                "http_filters[0].disabled: the filter does not run",
            ),
            (
                "matched",
                0,
                "the matcher decides for which requests the filter runs",
            ),
            (
                "route",
                3,
                "typed_per_filter_config.countersign: the filter does not run here",
            ),
            (
                "rbac-before",
                3,
                "this filter reads `x-auth-subject` before Countersign sets it",
            ),
            ("rbac-behind", 0, "no errors, no warnings"),
            (
                "rewritten",
                0,
                "this filter changes `:path` after Countersign has evaluated the request",
            ),
        ],
    );

    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    let forged = [("x-auth-subject", "alice")];
    let status = |listener: &str, path: &str, headers: &[(&str, &str)]| {
        ask(&envoy, listener, path, headers).status
    };
    assert_eq!(status("disabled", "/", &[]), 200);
    assert_eq!(status("matched", "/", &[]), 403);
    assert_eq!(status("matched", "/", &[("x-skip", "1")]), 200);
    assert_eq!(status("rbac-before", "/", &forged), 200);
    assert_eq!(status("rbac-behind", "/", &forged), 403);
    for (path, arrives) in [("/open", true), ("/shut", false)] {
        let response = ask(&envoy, "route", path, &forged);
        assert_eq!(response.status, 200);
        let shown = String::from_utf8_lossy(&response.body).to_lowercase();
        assert_eq!(shown.contains("x-auth-subject"), arrives, "{path}: {shown}");
    }
    let rewritten = ask(&envoy, "rewritten", "/shop", &[]);
    assert_eq!(rewritten.status, 200);
    assert!(String::from_utf8_lossy(&rewritten.body).contains("/admin"));
    assert_eq!(status("rewritten", "/admin", &[]), 403);
}

#[test]
fn what_check_reports_is_rejected_by_envoy() {
    let upstream = Upstream::start();
    let start = |bootstrap: &Value| Envoy::try_start(bootstrap, Stdio::null()).err();
    let bootstrap = Bootstrap::new(upstream.port())
        .listener_with("order", &[router(), gate("order", &closed())])
        .into_json();
    let (code, report) = check("envoy.json", &bootstrap.to_string());
    assert!(
        code == 3 && report.contains("Envoy rejects this"),
        "{code}: {report}"
    );
    assert!(start(&bootstrap).is_some_and(|log| log.contains("terminal filter")));

    let mut trailing = gate("trailing", &closed());
    trailing["typed_config"]["config"]["configuration"] = json!({
        "@type": "type.googleapis.com/google.protobuf.StringValue", "value": "{\"default\": \"public\",}",
    });
    let bootstrap = Bootstrap::new(upstream.port())
        .listener_with("trailing", &[trailing])
        .into_json();
    let (code, report) = check("envoy.json", &bootstrap.to_string());
    assert!(
        code == 3 && report.contains("configuration.value: "),
        "{code}: {report}"
    );
    assert!(start(&bootstrap).is_some_and(|log| log.contains("configuration rejected")));
}

#[test]
fn a_configuration_that_names_an_unknown_cluster_answers_503() {
    let upstream = Upstream::start();
    let jwks = json!({"remote": {"uri": "http://login.example.com/jwks", "cluster": "logn", "timeout": "1s"}});
    let jwt = json!({"issuer": "https://login.example.com", "audiences": ["orders"], "jwks": jwks});
    let document = json!({"providers": [{"name": "corp", "jwt": jwt}]});
    let bootstrap = Bootstrap::new(upstream.port())
        .cluster("login", &[upstream.port()])
        .listener("dead", &document)
        .into_json();
    assert_reported(&bootstrap, &[("dead", 3, "unknown cluster `logn`")]);
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    // {"alg":"RS256"}.{"iss":"https://login.example.com"}
    let token = "Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUuY29tIn0.AAAA";
    assert_eq!(
        ask(&envoy, "dead", "/", &[("authorization", token)]).status,
        503
    );
}
