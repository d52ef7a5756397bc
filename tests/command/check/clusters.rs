//! The clusters that a configuration names.

use serde_json::{Value, json};

use super::{
    MANAGER, assert_clean, assert_findings, bootstrap, gate_with, manager_of, message, remote,
    route, router,
};
use crate::cli::{GOOD, INVALID, as_string_value};

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
fn i_08_the_cluster_of_introspection_must_exist_and_use_tls() {
    let document = |cluster: &str| {
        json!({"providers": [{"name": "legacy", "introspection": {
            "uri": "https://login.example.com/introspect", "cluster": cluster, "client_id": "gate",
            "client_secret": {"env": "GATE_SECRET"},
        }}]})
    };
    let address = json!({"socket_address": {"address": "login.example.com", "port_value": 443}});
    let clusters = json!([{"name": "login", "load_assignment": {"endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}}]);
    let file = |cluster: &str| {
        let mut file = with_clusters(&document(cluster), &clusters);
        let variables = json!({"host_env_keys": ["GATE_SECRET"]});
        let filter = &mut manager_of(&mut file)["http_filters"][0]["typed_config"]["config"];
        filter["vm_config"]["environment_variables"] = variables;
        file.to_string()
    };
    assert_findings(
        "unknown",
        &file("logn"),
        &[
            "providers[0].introspection.cluster: unknown cluster `logn`: the filter cannot introspect tokens, so it answers \
           every opaque token with 503; did you mean `login`?",
        ],
        INVALID,
    );
    assert_findings(
        "without TLS",
        &file("login"),
        &[
            "clusters[0]: warning: without TLS, anyone on the network path can read the tokens and the client secret, and say \
           that a token is active: this cluster has no `transport_socket`",
        ],
        GOOD,
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
