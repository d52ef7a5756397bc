//! Istio's resources.

use serde_json::{Value, json};

use super::{assert_clean, assert_findings, gate, remote};
use crate::cli::{GOOD, INVALID};

/// A `WasmPlugin` or a `TrafficExtension`, and a policy that reads an identity header.
fn istio(plugin: &Value, policy: &Value) -> String {
    format!("{plugin}\n---\n{policy}\n")
}

fn plugin(phase: Option<&str>) -> Value {
    let mut plugin = json!({
        "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin",
        "metadata": {"name": "countersign", "namespace": "shop"},
        "spec": {
            "url": "oci://registry.example.com/countersign:1", "failStrategy": "FAIL_RELOAD",
            "pluginConfig": {"default": "public", "identity": {"headers": {"x-auth-subject": "{subject}"}}},
        },
    });
    if let Some(phase) = phase {
        plugin["spec"]["phase"] = json!(phase);
    }
    plugin
}

fn policy(action: &str, key: &str) -> Value {
    json!({
        "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
        "metadata": {"name": "reports", "namespace": "shop"},
        "spec": {"action": action, "rules": [{"when": [{"key": key, "values": ["alice"]}]}]},
    })
}

#[test]
fn a_policy_of_istio_that_is_evaluated_before_the_filter_is_an_error() {
    let by_subject = policy("ALLOW", "request.headers[x-auth-subject]");
    let sent = "spec.rules[0].when[0].key: Istio evaluates this policy before the filter sets `x-auth-subject`";
    for phase in [None, Some("UNSPECIFIED_PHASE"), Some("STATS")] {
        assert_findings(
            "late",
            &istio(&plugin(phase), &by_subject),
            &[sent],
            INVALID,
        );
    }
    let authz =
        "warning: with `phase: AUTHZ`, Istio's `RequestAuthentication` runs before the filter";
    assert_findings(
        "AUTHZ",
        &istio(&plugin(Some("AUTHZ")), &by_subject),
        &[authz],
        GOOD,
    );
    assert_clean("AUTHN", &istio(&plugin(Some("AUTHN")), &by_subject));
    let custom = "Istio evaluates a policy with `action: CUSTOM` before every plugin";
    assert_findings(
        "CUSTOM",
        &istio(
            &plugin(Some("AUTHN")),
            &policy("CUSTOM", "request.headers[X-Auth-Subject]"),
        ),
        &[custom],
        INVALID,
    );
    assert_clean(
        "another header",
        &istio(
            &plugin(Some("STATS")),
            &policy("DENY", "request.headers[x-tenant]"),
        ),
    );

    // Policies of other workloads.
    let mut other = by_subject.clone();
    other["metadata"]["namespace"] = json!("bank");
    assert_clean("another namespace", &istio(&plugin(None), &other));
    other["metadata"]["namespace"] = json!("istio-system");
    assert_findings(
        "the root namespace",
        &istio(&plugin(None), &other),
        &[sent],
        INVALID,
    );
    let (mut one, mut two) = (plugin(None), by_subject.clone());
    one["spec"]["selector"] = json!({"matchLabels": {"app": "orders"}});
    two["spec"]["selector"] = json!({"matchLabels": {"app": "orders", "version": "2"}});
    assert_findings("shared labels", &istio(&one, &two), &[sent], INVALID);
    two["spec"]["selector"] = json!({"matchLabels": {"app": "users"}});
    assert_clean("other labels", &istio(&one, &two));

    let extension = json!({
        "apiVersion": "extensions.istio.io/v1alpha1", "kind": "TrafficExtension",
        "metadata": {"name": "countersign", "namespace": "shop"},
        "spec": {"phase": "STATS", "wasm": plugin(None)["spec"]},
    });
    assert_findings(
        "TrafficExtension",
        &istio(&extension, &by_subject),
        &[sent],
        INVALID,
    );
}

#[test]
fn a_plugin_that_runs_late_or_never_is_reported() {
    let authentication = json!({
        "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication",
        "metadata": {"name": "jwt", "namespace": "shop"},
        "spec": {"jwtRules": [{"issuer": "a"}, {"issuer": "b", "forwardOriginalToken": true}]},
    });
    let expected = "spec.jwtRules[0]: warning: Istio removes the token before the filter reads it; set `phase: AUTHN`";
    assert_findings(
        "late",
        &istio(&plugin(None), &authentication),
        &[expected],
        GOOD,
    );
    assert_clean("AUTHN", &istio(&plugin(Some("AUTHN")), &authentication));

    let mut network = plugin(Some("AUTHN"));
    network["spec"]["type"] = json!("NETWORK");
    assert_findings(
        "NETWORK",
        &network.to_string(),
        &["spec.type: Countersign is an HTTP filter"],
        INVALID,
    );

    let patch = |operation: &str, beside: &str| {
        let matched =
            json!({"listener": {"filterChain": {"filter": {"subFilter": {"name": beside}}}}});
        let patches = json!([{"applyTo": "HTTP_FILTER", "match": matched, "patch": {"operation": operation, "value": gate("countersign")}}]);
        json!({
            "apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter",
            "metadata": {"name": "gate", "namespace": "shop"}, "spec": {"configPatches": patches},
        })
    };
    let by_subject = policy("ALLOW", "request.headers[x-auth-subject]");
    let late = patch("INSERT_BEFORE", "envoy.filters.http.router");
    let fix = "so the policy reads what the client sent; use `operation: INSERT_FIRST`";
    assert_findings(
        "before the router",
        &istio(&late, &by_subject),
        &[fix],
        INVALID,
    );
    for early in [
        patch("INSERT_FIRST", ""),
        patch("INSERT_BEFORE", "envoy.filters.http.jwt_authn"),
    ] {
        assert_clean("early", &istio(&early, &by_subject));
    }
    let mut disabled = patch("INSERT_FIRST", "");
    disabled["spec"]["configPatches"][0]["patch"]["value"]["disabled"] = json!(true);
    assert_findings(
        "disabled",
        &disabled.to_string(),
        &["patch.value.disabled: the filter does not run"],
        INVALID,
    );
}

#[test]
fn a_cluster_that_istio_has_not_is_reported() {
    let mut plugin = plugin(Some("AUTHN"));
    for (cluster, expected) in [
        ("outbound|443||login.example.com", &[][..]),
        ("outbound|8080|v1|login.auth.svc.cluster.local", &[]),
        (
            "login",
            &[
                "spec.pluginConfig.providers[0].jwt.jwks.remote.cluster: warning: Istio has no cluster `login`",
            ],
        ),
        ("outbound|443|login.example.com", &["Istio has no cluster"]),
        (
            "outbound|https||login.example.com",
            &["Istio has no cluster"],
        ),
        ("outbound|443||", &["Istio has no cluster"]),
        (
            "outbound|443||login.example.com ",
            &["Istio has no cluster"],
        ),
    ] {
        plugin["spec"]["pluginConfig"] = remote(cluster);
        assert_findings(cluster, &plugin.to_string(), expected, GOOD);
    }
    plugin["spec"]["pluginConfig"] = remote("login");
    let patches = json!([{"applyTo": "CLUSTER", "patch": {"operation": "ADD", "value": {"name": "login", "load_assignment": {
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": "/x"}}}}]}],
    }}}}]);
    let filter = json!({"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "spec": {"configPatches": patches}});
    assert_clean("a cluster of its own", &istio(&plugin, &filter));
}

#[test]
fn a_plugin_for_a_part_of_the_traffic_is_reported() {
    let expected = "spec.match: warning: the filter runs only for the traffic that `match` selects";
    let selected = |labels: Value, selectors: Value| {
        let mut plugin = plugin(Some("AUTHN"));
        plugin["spec"]["selector"] = json!({ "matchLabels": labels });
        plugin["spec"]["match"] = selectors;
        plugin.to_string()
    };
    let (sidecar, gateway) = (json!({"app": "a"}), json!({"istio": "ingressgateway"}));
    for (labels, selectors) in [
        (&sidecar, json!([{"mode": "CLIENT"}])),
        (&gateway, json!([{"mode": "SERVER"}])),
        (
            &sidecar,
            json!([{"mode": "SERVER", "ports": [{"number": 80}]}]),
        ),
        (&gateway, json!([{"ports": [{"number": 443}]}])),
    ] {
        let text = selected(labels.clone(), selectors);
        assert_findings("a part", &text, &[expected], GOOD);
    }
    for (labels, selectors) in [
        (&sidecar, json!([])),
        (&sidecar, json!([{"mode": "SERVER"}])),
        (&gateway, json!([{"mode": "CLIENT"}])),
        (&sidecar, json!([{"mode": "CLIENT_AND_SERVER"}])),
        (
            &sidecar,
            json!([{"ports": [{"number": 80}]}, {"mode": "SERVER"}]),
        ),
    ] {
        assert_clean("all", &selected(labels.clone(), selectors));
    }
}
