//! Where requests bypass the filter.

use serde_json::{Value, json};

use super::{
    MANAGER, assert_clean, assert_findings, bootstrap, chain, disabled, enabled, gate, http_filter,
    manager, manager_of, message, route, router,
};
use crate::cli::{GOOD, INVALID};

#[test]
fn a_filter_that_does_not_run_is_an_error() {
    let mut off = gate("countersign");
    off["disabled"] = json!(true);
    let file = bootstrap(&[off.clone(), router()], &[route()]);
    let path = format!(
        "{MANAGER}.http_filters[0].disabled: the filter does not run: every request passes without"
    );
    assert_findings("a disabled filter", &file.to_string(), &[&path], INVALID);

    let text = file.to_string().replace("countersign", "gate");
    assert_findings(
        "by another name",
        &text,
        &["note: ", "the filter does not run"],
        INVALID,
    );

    // Routes can enable it.
    let mut one = route();
    one["typed_per_filter_config"] = json!({"countersign": enabled()});
    let file = bootstrap(&[off.clone(), router()], &[one, route()]).to_string();
    assert_findings(
        "enabled by a route",
        &file,
        &["disabled: warning: the filter runs only on routes that enable it"],
        GOOD,
    );
    let mut fetched = bootstrap(&[off, router()], &[]);
    manager_of(&mut fetched)["rds"] = json!({"route_config_name": "public"});
    manager_of(&mut fetched)
        .as_object_mut()
        .unwrap()
        .remove("route_config");
    assert_findings(
        "routes that are fetched",
        &fetched.to_string(),
        &["disabled: warning: unless its route enables"],
        GOOD,
    );

    let mut on = gate("countersign");
    on["disabled"] = json!(false);
    assert_clean(
        "an enabled filter",
        &bootstrap(&[on, router()], &[route()]).to_string(),
    );
}

#[test]
fn routes_that_disable_the_filter_are_errors() {
    let filters = [gate("gate-a"), router()];
    let named = |config: &Value| json!({"gate-a": config, "envoy.filters.http.cors": disabled()});
    let expected = "typed_per_filter_config.gate-a: the filter does not run here: requests pass without authentication";

    let mut open = route();
    open["typed_per_filter_config"] = named(&disabled());
    let file = bootstrap(&filters, &[open.clone(), route()]);
    // Without `countersign` in its name, the only Wasm filter is assumed to be Countersign.
    assert_findings("a route", &file.to_string(), &["note: ", expected], INVALID);

    for place in ["/virtual_hosts/0", ""] {
        let mut file = bootstrap(&filters, &[route()]);
        let node = manager_of(&mut file)["route_config"]
            .pointer_mut(place)
            .unwrap();
        node["typed_per_filter_config"] = named(&disabled());
        assert_findings(place, &file.to_string(), &["note: ", expected], INVALID);
    }
    let mut weighted = route();
    weighted["route"] = json!({"weighted_clusters": {"clusters": [
        {"name": "upstream", "weight": 1, "typedPerFilterConfig": named(&disabled())},
    ]}});
    let file = bootstrap(&filters, &[weighted]).to_string();
    assert_findings(
        "a weighted cluster",
        &file,
        &[
            "note: ",
            ".clusters[0].typedPerFilterConfig.gate-a: the filter",
        ],
        INVALID,
    );

    let mut enabling = route();
    enabling["typed_per_filter_config"] = named(&enabled());
    let mut answering = open;
    answering.as_object_mut().unwrap().remove("route");
    answering["direct_response"] = json!({"status": 200});
    let file = bootstrap(&filters, &[enabling, answering]).to_string();
    assert_findings("routes that do not", &file, &["note: "], GOOD);
}

#[test]
fn another_countersign_filter_of_the_chain_may_take_over() {
    let filters = [gate("countersign-a"), gate("countersign-b"), router()];
    let mut one = route();
    one["typed_per_filter_config"] = json!({"countersign-a": disabled()});
    let mut other = route();
    other["typed_per_filter_config"] = json!({"countersign-b": disabled()});
    let file = bootstrap(&filters, &[one.clone(), other]).to_string();
    assert_findings("each disables one", &file, &[], GOOD);
    let mut off = gate("countersign-b");
    off["disabled"] = json!(true);
    let file = bootstrap(&[gate("countersign-a"), off, router()], &[route()]).to_string();
    assert_findings(
        "one is disabled",
        &file,
        &[
            "disabled: warning: unless its route enables the filter, a request is evaluated only by another",
        ],
        GOOD,
    );
    one["typed_per_filter_config"]["countersign-b"] = disabled();
    let file = bootstrap(&filters, &[one]).to_string();
    assert_findings(
        "both",
        &file,
        &[
            "config.countersign-a: the filter does not",
            "config.countersign-b: the",
        ],
        INVALID,
    );
}

#[test]
fn optional_fetched_and_matched_filters_are_reported() {
    let mut optional = gate("countersign");
    optional["is_optional"] = json!(true);
    let file = bootstrap(&[optional, router()], &[route()]).to_string();
    assert_findings(
        "optional",
        &file,
        &["is_optional: warning: an Envoy that does not support Wasm ignores"],
        GOOD,
    );

    let matcher = |on_match: Value| json!({"matcher_list": {"matchers": [{"predicate": {}, "on_match": {"action": on_match}}]}});
    let skip = json!({"name": "skip", "typed_config": message("extensions.filters.common.matcher.action.v3.SkipFilter", json!({}))});
    let wrapped = |matcher: Value| {
        let config = json!({"extension_config": gate("countersign"), "xds_matcher": matcher});
        let typed_config = message("extensions.common.matching.v3.ExtensionWithMatcher", config);
        json!({"name": "countersign", "typed_config": typed_config})
    };
    let file = bootstrap(&[wrapped(matcher(skip)), router()], &[route()]).to_string();
    assert_findings(
        "a matcher that skips",
        &file,
        &["warning: the matcher decides for which requests the filter runs"],
        GOOD,
    );
    let file = bootstrap(
        &[wrapped(matcher(json!({"name": "x"}))), router()],
        &[route()],
    )
    .to_string();
    assert_clean("a matcher that does not skip", &file);
    let action = json!({"name": "gate", "typed_config": message(
        "extensions.filters.http.composite.v3.ExecuteFilterAction", json!({"typed_config": gate("countersign")}),
    )});
    let config = json!({"extension_config": http_filter("composite", "Composite", json!({})), "xds_matcher": matcher(action)});
    let composite = json!({"name": "x", "typed_config": message("extensions.common.matching.v3.ExtensionWithMatcher", config)});
    let file = bootstrap(&[composite, router()], &[route()]).to_string();
    assert_findings(
        "composite",
        &file,
        &["warning: the matcher decides for which requests the filter runs"],
        GOOD,
    );

    let discovery = json!({"name": "countersign", "config_discovery": {
        "config_source": {"ads": {}}, "default_config": message("extensions.filters.http.buffer.v3.Buffer", json!({})),
    }});
    let mut file = bootstrap(&[discovery, router()], &[route()]);
    file["resources"] = json!([gate("countersign")]);
    assert_findings(
        "fetched",
        &file.to_string(),
        &["default_config: warning: until Envoy has fetched the filter"],
        GOOD,
    );
    let default = |file: &mut Value, rbac: Value| {
        manager_of(file)["http_filters"][0]["config_discovery"]["default_config"] =
            message("extensions.filters.http.rbac.v3.RBAC", rbac);
    };
    default(&mut file, json!({"rules": {}}));
    assert_clean("denied until it is fetched", &file.to_string());
    for allowing in [json!({}), json!({"rules": {"action": "DENY"}})] {
        default(&mut file, allowing);
        assert_findings(
            "RBAC that allows",
            &file.to_string(),
            &["default_config: warning: until Envoy has fetched the filter"],
            GOOD,
        );
    }
}

#[test]
fn a_module_that_envoy_must_fetch_for_ecds_is_an_error() {
    let expected = &["vm_config.code.remote: with ECDS, Envoy does not fetch the module"];
    let mut remote = gate("countersign");
    remote["typed_config"]["config"]["vm_config"]["code"] = json!({"remote": {"sha256": "00"}});
    let discovery =
        json!({"name": "countersign", "config_discovery": {"config_source": {"ads": {}}}});
    let mut file = bootstrap(&[discovery.clone(), router()], &[route()]);
    file["resources"] = json!([remote]);
    assert_findings("by name", &file.to_string(), expected, INVALID);

    let mut resource = remote.clone();
    resource["@type"] = json!("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig");
    let response = json!({"resources": [resource]});
    assert_findings("a resource", &response.to_string(), expected, INVALID);

    // A listener waits for the module.
    let inline = bootstrap(&[remote.clone(), router()], &[route()]);
    assert_clean("in a listener", &inline.to_string());
    // The agent of Istio fetches it.
    let patch = |kind: &str, value: &Value| json!({"applyTo": kind, "match": {"context": "GATEWAY"}, "patch": {"value": value}});
    let envoy_filter = json!({
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": {"name": "countersign"},
        "spec": {"configPatches": [patch("HTTP_FILTER", &discovery), patch("EXTENSION_CONFIG", &remote)]},
    });
    assert_clean("in Istio", &envoy_filter.to_string());
}

#[test]
fn a_chain_of_the_same_listener_without_the_filter_is_reported() {
    let guarded = chain(&manager(&[gate("countersign"), router()], &[route()]));
    let open = chain(&manager(&[router()], &[route()]));
    let redirect = chain(&manager(
        &[router()],
        &[json!({"match": {"prefix": "/"}, "redirect": {"https_redirect": true}})],
    ));
    let file = |chains: &[&Value]| {
        json!({"static_resources": {"listeners": [{"filter_chains": chains}]}}).to_string()
    };
    let expected = "filter_chains[1].filters[0].typed_config: warning: this filter chain has no Countersign filter";
    assert_findings(
        "an open chain",
        &file(&[&guarded, &open]),
        &[expected],
        GOOD,
    );
    assert_clean("a chain that redirects", &file(&[&guarded, &redirect]));
    let listeners = json!({"static_resources": {"listeners": [{"filter_chains": [guarded]}, {"filter_chains": [open]}]}});
    let note = "note: this listener has no Countersign filter, and another one that has forwards";
    assert_findings("another listener", &listeners.to_string(), &[note], GOOD);
}

#[test]
fn booleans_and_enumerations_have_other_spellings_in_envoy() {
    let mut filter = gate("countersign");
    filter["disabled"] = json!("true");
    let text = bootstrap(&[filter, router()], &[route()]).to_string();
    assert_findings(
        "a string",
        &text,
        &["disabled: the filter does not run"],
        INVALID,
    );
    let open = Some("failure_policy: Envoy forwards every request");
    for (number, expected) in [
        (json!(1), None),
        (json!("1"), None),
        (json!(3), open),
        (json!("3"), open),
    ] {
        let mut filter = gate("countersign");
        filter["typed_config"]["config"]["failure_policy"] = number;
        let text = bootstrap(&[filter, router()], &[route()]).to_string();
        let code = if expected.is_some() { INVALID } else { GOOD };
        assert_findings("a number", &text, expected.as_slice(), code);
    }
}
