//! `check`: the settings around a configuration that make it ineffective, one by one.

use serde_json::{Value, json};

use crate::cli::{Desk, GOOD, INVALID, as_string_value, as_struct};

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
    assert_clean("another listener", &listeners.to_string());
}

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

fn remote(cluster: &str) -> Value {
    let jwks = json!({"remote": {"uri": "https://login.example.com/jwks", "cluster": cluster}});
    json!({"providers": [{"name": "corp", "jwt": {"issuer": "https://login.example.com", "audiences": ["a"], "jwks": jwks}}]})
}

fn with_clusters(document: &Value, clusters: &Value) -> Value {
    let mut file = bootstrap(&[gate_with("countersign", document), router()], &[route()]);
    file["static_resources"]["clusters"] = clusters.clone();
    file
}

#[test]
fn a_cluster_that_does_not_exist_is_an_error() {
    let local = json!({"name": "login", "load_assignment": {"endpoints": [{"lb_endpoints": [
        {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 1}}}},
    ]}]}});
    let clusters = json!([local]);
    assert_clean(
        "a known cluster",
        &with_clusters(&remote("login"), &clusters).to_string(),
    );
    let expected = format!(
        "{MANAGER}.http_filters[0].typed_config.config.configuration.value.providers[0].jwt.jwks.remote.cluster: \
         unknown cluster `logn`"
    );
    let unknown = with_clusters(&remote("logn"), &clusters);
    let nearest = "so it answers every token with 503; did you mean `login`?";
    assert_findings("unknown", &unknown.to_string(), &[&expected], INVALID);
    assert_findings("unknown", &unknown.to_string(), &[nearest], INVALID);
    assert_findings(
        "a space",
        &with_clusters(&remote("login "), &clusters).to_string(),
        &["did you mean `login`?"],
        INVALID,
    );

    let discovery = json!({"discovery": {"uri": "https://login.example.com/x", "cluster": "login", "jwks_cluster": "keys"}});
    let mut document = remote("x");
    document["providers"][0]["jwt"]["jwks"] = discovery;
    assert_findings(
        "discovery",
        &with_clusters(&document, &clusters).to_string(),
        &["discovery.jwks_cluster: unknown cluster `keys`"],
        INVALID,
    );

    let text = json!({"name": "countersign", "typed_config": message("extensions.filters.http.wasm.v3.Wasm", json!({"config": {
        "failure_policy": "FAIL_RELOAD", "vm_config": {"vm_id": "a"}, "configuration": as_string_value(&remote("logn")),
    }}))});
    let mut file = with_clusters(&remote("login"), &clusters);
    manager_of(&mut file)["http_filters"][0] = text;
    assert_findings(
        "in JSON text",
        &file.to_string(),
        &["configuration.value.providers[0].jwt.jwks.remote.cluster: unknown"],
        INVALID,
    );

    let alone = remote("login ").to_string();
    assert_findings(
        "alone",
        &alone,
        &["jwks.remote.cluster: warning: the name of a cluster begins or ends with"],
        GOOD,
    );
    assert_clean("alone", &remote("login").to_string());

    let mut dynamic = unknown.clone();
    dynamic["dynamic_resources"] = json!({"cds_config": {"ads": {}}});
    assert_clean("fetched clusters", &dynamic.to_string());
    let mut listeners = unknown;
    listeners["dynamic_resources"] = json!({"lds_config": {"ads": {}}});
    assert_findings(
        "fetched listeners",
        &listeners.to_string(),
        &["unknown cluster `logn`"],
        INVALID,
    );
}

#[test]
fn a_cluster_that_does_not_verify_its_server_is_reported() {
    let cluster = |socket: Value| {
        let address =
            json!({"socket_address": {"address": "login.example.com", "port_value": 443}});
        let mut cluster = json!({"name": "login", "load_assignment": {"endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}});
        if !socket.is_null() {
            let context = message(
                "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                socket,
            );
            cluster["transport_socket"] =
                json!({"name": "envoy.transport_sockets.tls", "typed_config": context});
        }
        with_clusters(&remote("login"), &json!([cluster])).to_string()
    };
    let names = json!([{"san_type": "DNS", "matcher": {"exact": "login.example.com"}}]);
    let context = |fields: Value| json!({"sni": "login.example.com", "common_tls_context": {"validation_context": fields}});
    let ca = json!({"filename": "/etc/ssl/certs/ca-certificates.crt"});
    for (socket, expected) in [
        (
            json!(null),
            "clusters[0]: warning: keys fetched without TLS can be replaced by anyone on the network path",
        ),
        (
            json!({}),
            "typed_config: warning: Envoy does not verify the server's certificate without `validation_context`",
        ),
        (context(json!({})), "without `trusted_ca`"),
        (
            context(json!({"trusted_ca": ca, "trust_chain_verification": "ACCEPT_UNTRUSTED"})),
            "with `ACCEPT_UNTRUSTED`",
        ),
        (
            context(json!({"trusted_ca": ca})),
            "Envoy accepts the certificate of any host without `match_typed_subject_alt_names`",
        ),
    ] {
        assert_findings("unverified", &cluster(socket), &[expected], GOOD);
    }
    assert_clean(
        "verified",
        &cluster(context(
            json!({"trusted_ca": ca, "match_typed_subject_alt_names": names}),
        )),
    );
    assert_clean(
        "system",
        &cluster(context(
            json!({"system_root_certs": {}, "match_typed_subject_alt_names": names}),
        )),
    );
    let mut automatic = context(json!({"trusted_ca": ca}));
    automatic["auto_sni_san_validation"] = json!(true);
    assert_clean("automatic", &cluster(automatic));
}

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
fn a_configuration_in_json_is_read_as_the_filter_reads_it() {
    for text in [
        "{\"default\": \"public\",}",
        "\n  {\n\"default\": \"public\",\n}",
        "{\"default\": \"public\" /* why */}",
        "{\"default\": \"public\"} # why",
        "{'default': 'public'}",
        "{default: public}",
        "{\"default\": \"public\", \"default\": \"deny\"}",
        "{\"default\": public}",
        "{\"default\": \"public\"",
        "{\"default\" \"public\"}",
        "\u{feff}{\"default\": \"public\"}",
    ] {
        for name in ["document.json", "document.JSON", "document", "-"] {
            assert_invalid(name, text, "JSON");
        }
    }
    assert_invalid("list.json", "default: public", "JSON");

    let desk = Desk::new();
    for (name, text) in [
        ("good.json", "\r\n\t{\"default\": \"public\"}\n"),
        ("flow.yaml", "# flow\n{default: public}"),
        ("block.yml", "default: public"),
    ] {
        desk.write(name, text);
        let ran = desk.run(&["check", name]);
        assert_eq!(ran.out, "1 configuration, no errors, no warnings\n");
    }
    // Envoy accepts it in YAML, where it becomes a Struct.
    let flow = "{\"default\": \"public\",}";
    let expected = "file.yaml: warning: YAML but not JSON: trailing comma at line 1 column 22: the filter accepts it as a";
    assert_findings("YAML", flow, &[expected], GOOD);
}

#[test]
fn a_mistake_in_json_comes_with_its_fix() {
    let desk = Desk::new();
    for (text, fix) in [
        (
            "{\"default\": \"public\",\n}",
            "JSON has no trailing commas: remove the `,` before it",
        ),
        (
            "{\"networks\": {\"allow\": [\"10.0.0.0/8\",]}}",
            "JSON has no trailing commas: remove the `,` before it",
        ),
        ("{\"default\": \"public\" // why\n}", "JSON has no comments"),
        (
            "{\"default\": \"public\" /* why */}",
            "JSON has no comments",
        ),
        ("{\"default\": \"public\"} # why", "JSON has no comments"),
        ("{'default': 'public'}", "use `\"` in place of `'`"),
        ("{\"default\": 'public'}", "use `\"` in place of `'`"),
        ("{default: public}", "quote each name with `\"`"),
    ] {
        desk.write("gate.json", text);
        let ran = desk.run(&["check", "gate.json"]);
        let expected = format!(": {fix}");
        assert!(
            ran.lines()[0].ends_with(&expected),
            "{}{}",
            ran.out,
            ran.err
        );
    }
    // Without a configuration that could be located, the fault of the syntax is what is wrong.
    for (text, expected) in [
        (
            "{/* why */\"default\":\"public\"}".to_owned(),
            "cannot read `gate.json`: not JSON: key must be a string at line 1 column 2",
        ),
        (
            format!("{{\"default\":{}", "[".repeat(5000)),
            "nested more than 32 deep",
        ),
    ] {
        desk.write("gate.json", &text);
        let ran = desk.run(&["check", "gate.json"]);
        let said = ran.out + &ran.err;
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn values_that_nothing_can_have_are_reported() {
    for (rule, path) in [
        ("{\"roles\": [\"admin \"]}", "roles[0]"),
        (
            "{\"any_of\": [{\"any_groups\": [\" staff\"]}]}",
            "any_of[0].any_groups[0]",
        ),
        (
            "{\"claims\": {\"tenant\": [\"red\\n\"]}}",
            "claims.tenant[0]",
        ),
    ] {
        let text = format!(
            "{{\"default\": \"public\", \"providers\": [{{\"name\": \"corp\", \"jwt\": {{\"issuer\": \"https://a\", \
             \"audiences\": [\"b\"], \"jwks\": {{\"remote\": {{\"uri\": \"https://a/jwks\", \"cluster\": \"a\"}}}}}}}}], \
             \"rules\": [{{\"name\": \"x\", \"match\": {{}}, \"require\": {rule}}}]}}"
        );
        let expected = format!(
            "file.yaml: warning: rules[0].require.{path}: whitespace at an end, or an invisible character: the text is compared as written"
        );
        assert_findings(rule, &text, &[&expected], GOOD);
        let user = text
            .replace("https://a\"", "https://me:hunter2@a\"")
            .replace("[\"admin \"]", "[\"admin\"]");
        let expected =
            "providers[0].jwt.issuer: warning: expected an issuer without user name and password";
        if rule.contains("admin") {
            assert_findings(rule, &user, &[expected], GOOD);
        }
    }
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

#[test]
fn a_file_around_the_configuration_that_is_not_json_is_reported() {
    let file = bootstrap(&[gate("countersign"), router()], &[route()]).to_string();
    let comma = file.replacen("}]}}", "}],}}", 1);
    let comment = format!("{file} # why");
    let twice = file.replacen('{', "{\"admin\":{},\"admin\":{},", 1);
    let desk = Desk::new();
    for (text, fault) in [
        (&comma, "trailing comma"),
        (&comment, "trailing characters"),
        (&twice, "duplicate member name"),
    ] {
        desk.write("envoy.json", text);
        let ran = desk.run(&["check", "envoy.json"]);
        let expected = format!("envoy.json: warning: not JSON: {fault}");
        assert!(ran.out.starts_with(&expected), "{}", ran.out);
        assert_eq!(ran.lines()[1..], ["1 configuration, no errors, 1 warning"]);
    }
    assert_clean("as YAML", &comma);
}

#[test]
fn json_text_in_a_string_value_is_read_as_the_filter_reads_it() {
    for text in [
        "{\"default\": \"public\",}",
        "{'default': 'public'}",
        "{\"default\": \"public\"} # why",
        "{default: public}",
    ] {
        let configuration =
            json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text});
        let mut filter = gate("countersign");
        filter["typed_config"]["config"]["configuration"] = configuration;
        let file = bootstrap(&[filter, router()], &[route()]).to_string();
        assert_findings(text, &file, &["configuration.value: "], INVALID);
    }
}
