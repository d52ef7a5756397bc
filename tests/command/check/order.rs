//! The order of the filters in a chain.

use serde_json::{Value, json};

use super::{
    MANAGER, assert_clean, assert_findings, bootstrap, gate, gate_with, http_filter, manager_of,
    route, router,
};
use crate::cli::{GOOD, INVALID};

#[test]
fn a_filter_behind_the_router_is_an_error() {
    let mut named = router();
    named["name"] = json!("last");
    for router in [router(), named] {
        let file = bootstrap(&[router, gate("countersign")], &[route()]).to_string();
        let expected =
            format!("{MANAGER}.http_filters[0]: the router sends requests to the upstream");
        assert_findings("behind the router", &file, &[&expected], INVALID);
    }
}

#[test]
fn a_filter_before_that_reads_what_countersign_sets_is_reported() {
    let rbac = |principal: Value| {
        let policies = json!({"p": {"permissions": [{"any": true}], "principals": [principal]}});
        http_filter("rbac", "RBAC", json!({"rules": {"policies": policies}}))
    };
    let by_header =
        rbac(json!({"header": {"name": "X-Auth-Subject", "string_match": {"exact": "alice"}}}));
    let by_state = rbac(
        json!({"filter_state": {"key": "wasm.countersign.rule", "string_match": {"exact": "a"}}}),
    );
    let by_address = rbac(json!({"remote_ip": {"address_prefix": "10.0.0.0"}}));
    for (filter, name) in [
        (&by_header, "X-Auth-Subject"),
        (&by_state, "wasm.countersign.rule"),
    ] {
        let expected = format!("this filter reads `{name}` before Countersign sets it");
        let file = |filters: &[&Value]| {
            let filters: Vec<_> = filters.iter().copied().cloned().collect();
            bootstrap(&filters, &[route()]).to_string()
        };
        let (gate, router) = (gate("countersign"), router());
        assert_findings(
            "before",
            &file(&[filter, &gate, &router]),
            &[&expected],
            INVALID,
        );
        assert_clean("behind", &file(&[&gate, filter, &router]));
        assert_clean("by address", &file(&[&by_address, &gate, &router]));
    }

    let lua = http_filter(
        "lua",
        "Lua",
        json!({"default_source_code": {"inline_string":
        "function envoy_on_request(h) if h:headers():get('x_auth_subject') then h:respond({[':status']='403'}) end end"}}),
    );
    let file = bootstrap(&[lua, gate("countersign"), router()], &[route()]).to_string();
    assert_findings(
        "lua",
        &file,
        &["warning: this filter reads `x_auth_subject` before Countersign"],
        GOOD,
    );

    // Rate limits are on routes, and so are the settings of a route.
    let limit = http_filter(
        "local_ratelimit",
        "LocalRateLimit",
        json!({"stat_prefix": "x"}),
    );
    let mut limited = route();
    limited["route"]["rate_limits"] = json!([{"actions": [
        {"request_headers": {"header_name": "x-auth-subject", "descriptor_key": "subject"}},
    ]}]);
    let file = |filters: &[Value]| bootstrap(filters, &[limited.clone()]).to_string();
    let expected = "rate_limits[0].actions[0].request_headers.header_name: warning: this filter reads `x-auth-subject`";
    assert_findings(
        "before",
        &file(&[limit.clone(), gate("countersign"), router()]),
        &[expected],
        GOOD,
    );
    assert_clean("behind", &file(&[gate("countersign"), limit, router()]));
    let mut by_route = route();
    by_route["typed_per_filter_config"] =
        json!({"envoy.filters.http.rbac": {"rbac": by_header["typed_config"]}});
    let file = bootstrap(&[by_address, gate("countersign"), router()], &[by_route]).to_string();
    assert_findings(
        "of a route",
        &file,
        &["this filter reads `X-Auth-Subject`"],
        INVALID,
    );

    // Envoy's own filter removes the token that it has verified.
    let jwt = http_filter(
        "jwt_authn",
        "JwtAuthentication",
        json!({"providers": {"a": {"issuer": "a"}, "b": {"issuer": "b", "forward": true}}}),
    );
    let file = |filters: &[Value]| bootstrap(filters, &[route()]).to_string();
    let expected = "providers.a: warning: Envoy removes the token of this provider before Countersign reads it";
    assert_findings(
        "before",
        &file(&[jwt.clone(), gate("countersign"), router()]),
        &[expected],
        GOOD,
    );
    assert_clean("behind", &file(&[gate("countersign"), jwt, router()]));

    // It removes the header, which Countersign does too.
    let removal = http_filter(
        "header_mutation",
        "HeaderMutation",
        json!({"mutations": {"request_mutations": [{"remove": "x-auth-subject"}]}}),
    );
    assert_clean(
        "a removal",
        &bootstrap(&[removal, gate("countersign"), router()], &[route()]).to_string(),
    );
}

#[test]
fn a_filter_behind_that_changes_what_was_evaluated_is_reported() {
    let lua = |code: &str| {
        http_filter(
            "lua",
            "Lua",
            json!({"default_source_code": {"inline_string": code}}),
        )
    };
    let transcoder = http_filter("grpc_json_transcoder", "GrpcJsonTranscoder", json!({}));
    for (filter, name) in [
        (lua("h:headers():add(':method', 'GET')"), ":method"),
        (lua("handle:headers():replace( \":path\", \"/\")"), ":path"),
        (transcoder, ":path"),
    ] {
        let expected = format!(
            "warning: this filter changes `{name}` after Countersign has evaluated the request"
        );
        let file =
            bootstrap(&[gate("countersign"), filter.clone(), router()], &[route()]).to_string();
        assert_findings("behind", &file, &[&expected], GOOD);
        let file = bootstrap(&[filter, gate("countersign"), router()], &[route()]).to_string();
        assert_clean("before", &file);
    }
    let reads = lua("handle:headers():get(\":path\")");
    let file = bootstrap(&[gate("countersign"), reads, router()], &[route()]).to_string();
    assert_clean("one that reads the path", &file);
}

#[test]
fn filter_state_that_is_read_must_be_written() {
    let writes = |names: &[&str]| {
        gate_with(
            "countersign",
            &json!({"default": "public", "filter_state": names}),
        )
    };
    let named = |name: &str| json!({"key": format!("wasm.countersign.{name}"), "string_match": {"exact": "a"}});
    let rbac = |name: &str| {
        let principals = json!([{"filter_state": named(name)}]);
        let policies = json!({"p": {"permissions": [{"any": true}], "principals": principals}});
        http_filter(
            "rbac",
            "RBAC",
            json!({"rules": {"action": "DENY", "policies": policies}}),
        )
    };
    let file = |filters: &[Value]| bootstrap(filters, &[route()]).to_string();
    let is_omitted = |name: &str| {
        format!(
            "reads `wasm.countersign.{name}`, which Countersign does not write; add `{name}` to `filter_state`"
        )
    };
    for (name, others) in [
        ("reason", &["rule", "provider", "subject"][..]),
        ("rule", &["reason"]),
        ("provider", &["reason", "subject"]),
        ("subject", &[]),
    ] {
        let reading = |gate: Value| file(&[gate, rbac(name), router()]);
        assert_findings(
            name,
            &reading(writes(others)),
            &[&is_omitted(name)],
            INVALID,
        );
        assert_clean(name, &reading(writes(&[name])));
        assert_clean(name, &reading(gate("countersign")));
        // Another filter of the chain writes it.
        let second = gate("countersign-2");
        assert_clean(name, &file(&[writes(others), second, rbac(name), router()]));
    }
    // The filter always writes this one.
    assert_clean("changed", &file(&[writes(&[]), rbac("changed"), router()]));

    let code = "function envoy_on_request(h) h:streamInfo():filterState():get('wasm.countersign.subject') end";
    let lua = http_filter(
        "lua",
        "Lua",
        json!({"default_source_code": {"inline_string": code}}),
    );
    let warning = format!("warning: this filter {}", is_omitted("subject"));
    assert_findings(
        "lua",
        &file(&[writes(&[]), lua, router()]),
        &[&warning],
        GOOD,
    );

    let mut logging = bootstrap(&[writes(&["reason"]), router()], &[route()]);
    manager_of(&mut logging)["access_log"] = json!([{"name": "envoy.access_loggers.stdout", "typed_config": {
        "log_format": {"text_format": "%FILTER_STATE(wasm.countersign.reason:PLAIN)% %FILTER_STATE(wasm.countersign.rule:PLAIN)%"},
    }}]);
    let warning = format!(
        "text_format: warning: this access log {}",
        is_omitted("rule")
    );
    assert_findings("access log", &logging.to_string(), &[&warning], GOOD);
}
