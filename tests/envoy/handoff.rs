//! Who the caller is, handed over to other filters: the files of `envoy/handoff/` and `envoy/istio/` that users copy, in
//! a real Envoy.

use std::fs;
use std::process::Command;

use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::support;
use crate::support::example;
use crate::support::handoff::{Outcome, RATELIMIT, Running, limits_hold};

const RBAC: &str = "envoy/handoff/rbac.yaml";
const RBAC_BY_HEADERS: &str = "envoy/handoff/rbac-headers.yaml";
const LOCAL_RATELIMIT: &str = "envoy/handoff/local-ratelimit.yaml";
const ISTIO: &str = "envoy/istio/gateway/authorization-policy.yaml";
const FILES: [&str; 5] = [RBAC, RBAC_BY_HEADERS, LOCAL_RATELIMIT, RATELIMIT, ISTIO];

/// The example with its first two filters, Countersign and the one behind it, in the wrong order.
fn swapped(mut bootstrap: Value) -> Value {
    let listener = &mut bootstrap["static_resources"]["listeners"][0];
    example::http_filters(listener).swap(0, 1);
    bootstrap
}

#[test]
fn rbac_decides_by_filter_state() {
    let running = Running::of(RBAC);
    let (alice, bob) = (json!({"sub": "alice"}), json!({"sub": "bob"}));
    let forged = [
        ("wasm.countersign.subject", "alice"),
        ("x-auth-subject", "alice"),
    ];
    for (request, claims, fields, expected) in [
        ("GET /healthz", None, &[][..], Outcome::Passed),
        ("GET /catalogue/shoes", None, &[], Outcome::Passed),
        ("GET /catalogue/shoes", Some(&bob), &[], Outcome::Passed),
        ("GET /reports/1", None, &[], Outcome::Refused(401)),
        ("GET /reports/1", Some(&alice), &[], Outcome::Passed),
        (
            "POST /reports/1",
            Some(&alice),
            &[],
            Outcome::RefusedByEnvoy(403),
        ),
        (
            "GET /reports/1",
            Some(&bob),
            &[],
            Outcome::RefusedByEnvoy(403),
        ),
        (
            "GET /reports/1",
            Some(&bob),
            &forged,
            Outcome::RefusedByEnvoy(403),
        ),
        ("GET /reports/1", None, &forged, Outcome::Refused(401)),
        (
            "GET /healthz/../reports/1",
            Some(&bob),
            &[],
            Outcome::Refused(400),
        ),
    ] {
        assert_eq!(
            running.send(request, claims, fields),
            expected,
            "{request} {claims:?} {fields:?}"
        );
    }
    assert_eq!(running.envoy.alarms(), Vec::<String>::new());
}

/// `filter_state["wasm.countersign.subject"] == <alice>`, as RBAC takes a condition of CEL: parsed.
fn subject_is(alice: &Value) -> Value {
    let name = json!({"const_expr": {"string_value": "wasm.countersign.subject"}});
    let state = json!({"ident_expr": {"name": "filter_state"}});
    let subject = json!({"call_expr": {"function": "_[_]", "args": [state, name]}});
    json!({"call_expr": {"function": "_==_", "args": [subject, {"const_expr": alice}]}})
}

#[test]
fn to_cel_filter_state_is_bytes() {
    let below = |path: &str, alice: Value| {
        json!({
            "permissions": [{"url_path": {"path": {"prefix": path}}}],
            "principals": [{"any": true}],
            "condition": subject_is(&alice),
        })
    };
    let running = Running::start(|upstream| {
        let mut bootstrap = example::bootstrap(RBAC, &[("upstream", upstream)]);
        let filters = example::http_filters(&mut bootstrap["static_resources"]["listeners"][0]);
        filters[1]["typed_config"]["rules"]["policies"] = json!({
            // base64 of `alice`
            "bytes": below("/reports/bytes", json!({"bytes_value": "YWxpY2U="})),
            "text": below("/reports/text", json!({"string_value": "alice"})),
        });
        bootstrap
    });
    let (alice, bob) = (json!({"sub": "alice"}), json!({"sub": "bob"}));
    let refused = Outcome::RefusedByEnvoy(403);
    assert_eq!(
        running.send("GET /reports/bytes", Some(&alice), &[]),
        Outcome::Passed
    );
    assert_eq!(running.send("GET /reports/bytes", Some(&bob), &[]), refused);
    assert_eq!(
        running.send("GET /reports/text", Some(&alice), &[]),
        refused
    );
}

/// `alice`, auditors, and others, at what both kinds of policy say of fields.
fn fields_decide(running: &Running) {
    let by = |subject: &str, roles: &[&str]| json!({"sub": subject, "roles": roles});
    let forged = [("x-auth-subject", "alice"), ("X-Auth-Roles", "auditor")];
    for (request, claims, fields, expected) in [
        ("GET /healthz", None, &[][..], Outcome::Passed),
        ("GET /reports/1", None, &[], Outcome::Refused(401)),
        ("GET /reports/1", None, &forged, Outcome::Refused(401)),
        (
            "GET /reports/1",
            Some(by("alice", &[])),
            &[],
            Outcome::Passed,
        ),
        (
            "GET /reports/1",
            Some(by("bob", &["auditor"])),
            &[],
            Outcome::Passed,
        ),
        (
            "GET /reports/1",
            Some(by("bob", &["auditor", "clerk"])),
            &[],
            Outcome::Passed,
        ),
        (
            "GET /reports/1",
            Some(by("bob", &["clerk", "auditor"])),
            &[],
            Outcome::Passed,
        ),
        (
            "GET /reports/1",
            Some(by("bob", &["clerk"])),
            &[],
            Outcome::RefusedByEnvoy(403),
        ),
        (
            "GET /reports/1",
            Some(by("bob", &["no-auditor"])),
            &[],
            Outcome::RefusedByEnvoy(403),
        ),
        // One role with a space in it is not two.
        (
            "GET /reports/1",
            Some(by("bob", &["auditor clerk"])),
            &[],
            Outcome::RefusedByEnvoy(403),
        ),
        (
            "GET /reports/1",
            Some(by("bob", &["clerk"])),
            &forged,
            Outcome::RefusedByEnvoy(403),
        ),
        (
            "GET /reports/1",
            Some(by("bob", &[])),
            &[("x_auth_subject", "alice")],
            Outcome::RefusedByEnvoy(403),
        ),
        ("GET /healthz", None, &forged, Outcome::Passed),
    ] {
        assert_eq!(
            running.send(request, claims.as_ref(), fields),
            expected,
            "{request} {claims:?} {fields:?}"
        );
    }
    assert_eq!(running.envoy.alarms(), Vec::<String>::new());
}

#[test]
fn rbac_decides_by_fields_that_no_client_sets() {
    let running = Running::of(RBAC_BY_HEADERS);
    fields_decide(&running);
    let clerks_and_auditors = json!({"sub": "bob", "roles": ["clerk", "auditor", "guard"]});
    assert_eq!(
        running.send("GET /reports/1", Some(&clerks_and_auditors), &[]),
        Outcome::Passed
    );
}

#[test]
fn before_countersign_rbac_believes_what_a_client_sent() {
    let running = Running::start(|upstream| {
        swapped(example::bootstrap(
            RBAC_BY_HEADERS,
            &[("upstream", upstream)],
        ))
    });
    let bob = json!({"sub": "bob"});
    let forged = [("x-auth-subject", "alice")];
    assert_eq!(
        running.send("GET /reports/1", Some(&bob), &forged),
        Outcome::Passed
    );
    assert_eq!(
        running.send("GET /reports/1", Some(&bob), &[]),
        Outcome::RefusedByEnvoy(403)
    );
}

#[test]
fn a_local_limit_is_each_callers_own() {
    let running = Running::of(LOCAL_RATELIMIT);
    let (alice, bob) = (json!({"sub": "alice"}), json!({"sub": "bob"}));
    limits_hold(&running);
    let forged = [("x-auth-subject", "carol")];
    assert_eq!(
        running.send("GET /orders/1", Some(&alice), &forged),
        Outcome::RefusedByEnvoy(429)
    );
    assert_eq!(
        running.send("GET /orders/1", Some(&bob), &[]),
        Outcome::RefusedByEnvoy(429)
    );
}

/// The documents of the example: the plugin and the policy.
fn istio() -> (Value, Value) {
    let text = fs::read_to_string(support::in_repository(ISTIO)).unwrap();
    let mut documents = serde_yaml_ng::Deserializer::from_str(&text)
        .map(|document| Value::deserialize(document).unwrap());
    let pair = (documents.next().unwrap(), documents.next().unwrap());
    assert_eq!(pair.1["kind"], "AuthorizationPolicy");
    assert_eq!(documents.next(), None);
    pair
}

/// What Istio makes of the policy for Envoy (istio/istio, `pilot/pkg/security/authz/model`): a policy for each rule; in it
/// all of the conditions, and of each condition one of its values. What the example does not use is refused.
fn rbac_of(policy: &Value) -> Value {
    let any_of = |name: &str, values: &Value, matcher: &dyn Fn(&str) -> Value| -> Value {
        let values = values.as_array().unwrap().iter();
        let values: Vec<Value> = values
            .map(|value| matcher(value.as_str().unwrap()))
            .collect();
        match name {
            "ids" => json!({"or_ids": {"ids": values}}),
            _ => json!({"or_rules": {"rules": values}}),
        }
    };
    let spec = &policy["spec"];
    assert_eq!(spec["action"], "ALLOW");
    let mut policies = serde_json::Map::new();
    for (number, rule) in spec["rules"].as_array().unwrap().iter().enumerate() {
        let mut permissions = Vec::new();
        for (name, values) in rule["to"][0]["operation"].as_object().unwrap() {
            permissions.push(match name.as_str() {
                "paths" => any_of(
                    "rules",
                    values,
                    &|path| json!({"url_path": {"path": string_match(path)}}),
                ),
                "methods" => any_of("rules", values, &|method| header(":method", method)),
                other => panic!("{other} of an operation is not translated here"),
            });
        }
        let mut principals = Vec::new();
        for condition in rule["when"].as_array().into_iter().flatten() {
            let key = condition["key"].as_str().unwrap();
            let name = key
                .strip_prefix("request.headers[")
                .and_then(|rest| rest.strip_suffix(']'))
                .unwrap_or_else(|| panic!("{key} is not translated here"));
            principals.push(any_of("ids", &condition["values"], &|value| {
                header(name, value)
            }));
        }
        if principals.is_empty() {
            principals.push(json!({"any": true}));
        }
        policies.insert(
            format!("ns[istio-system]-policy[reports]-rule[{number}]"),
            json!({
                "permissions": [{"and_rules": {"rules": permissions}}],
                "principals": [{"and_ids": {"ids": principals}}],
            }),
        );
    }
    json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "ALLOW", "policies": policies}
        }
    })
}

fn header(name: &str, value: &str) -> Value {
    match value {
        "*" => json!({"header": {"name": name, "present_match": true}}),
        _ => json!({"header": {"name": name, "string_match": string_match(value)}}),
    }
}

/// `x`, `x*` or `*x`; a star elsewhere is itself.
fn string_match(value: &str) -> Value {
    if let Some(end) = value.strip_prefix('*') {
        json!({"suffix": end})
    } else if let Some(start) = value.strip_suffix('*') {
        json!({"prefix": start})
    } else {
        json!({"exact": value})
    }
}

/// The Envoy that Istio makes of the example: plugins of phase AUTHN stand before the filter of the policy.
fn as_istio_does(upstream: u16) -> Value {
    let (plugin, policy) = istio();
    assert_eq!(plugin["spec"]["phase"], "AUTHN");
    let mut bootstrap = example::bootstrap(RBAC_BY_HEADERS, &[("upstream", upstream)]);
    let filters = example::http_filters(&mut bootstrap["static_resources"]["listeners"][0]);
    example::set(
        &mut filters[0],
        "/typed_config/config/configuration/value",
        plugin["spec"]["pluginConfig"].clone(),
    );
    filters[1] = rbac_of(&policy);
    bootstrap
}

#[test]
fn an_authorization_policy_decides_by_fields_that_no_client_sets() {
    let running = Running::start(as_istio_does);
    fields_decide(&running);
    let sent = |roles: &[&str], request| {
        running.send(request, Some(&json!({"sub": "bob", "roles": roles})), &[])
    };
    // As the comment in the file says.
    assert_eq!(
        sent(&["clerk", "auditor", "guard"], "GET /reports/1"),
        Outcome::RefusedByEnvoy(403)
    );
    assert_eq!(sent(&["auditor"], "POST /reports/1"), Outcome::Passed);
    let alice = json!({"sub": "alice"});
    assert_eq!(
        running.send("POST /reports/1", Some(&alice), &[]),
        Outcome::RefusedByEnvoy(403)
    );
}

#[test]
fn behind_istios_authorization_the_plugin_would_be_too_late() {
    let running = Running::start(|upstream| swapped(as_istio_does(upstream)));
    let bob = json!({"sub": "bob"});
    let forged = [("x-auth-subject", "alice")];
    assert_eq!(
        running.send("GET /reports/1", Some(&bob), &forged),
        Outcome::Passed
    );
    assert_eq!(
        running.send("GET /reports/1", Some(&bob), &[]),
        Outcome::RefusedByEnvoy(403)
    );
}

/// The page links each file, and what it shows of them is in one of them.
#[test]
fn the_page_shows_parts_of_the_files() {
    let read = |path: &str| fs::read_to_string(support::in_repository(path)).unwrap();
    let page = read("docs/identity.md");
    let (_, section) = page
        .split_once("\n## Hand over to other filters\n")
        .unwrap();
    let section = section.split("\n## ").next().unwrap();
    let all = FILES.map(read).concat();
    let shown = section.lines().map(str::trim);
    let mut shown = shown
        .filter(|line| line.starts_with("- ") && line.ends_with('}'))
        .peekable();
    assert!(shown.peek().is_some());
    for line in shown {
        assert!(all.contains(line), "{line}");
    }
    for path in FILES {
        let link = format!("](../{path})");
        assert!(section.contains(&link), "{path} is not linked");
    }
}

#[test]
fn every_file_is_valid() {
    for path in FILES {
        let ran = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["check", path])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert_eq!(said, "1 configuration, no errors, no warnings\n", "{path}");
        assert_eq!(ran.status.code(), Some(0));
    }
}
