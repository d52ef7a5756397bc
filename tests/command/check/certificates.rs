//! Client certificates: settings under which they prove nothing, or under which there are none.

use serde_json::{Value, json};

use super::{
    MANAGER, assert_clean, assert_findings, bootstrap, chain, gate_with, manager, manager_of,
    message, route, router,
};
use crate::cli::{GOOD, INVALID};

/// The path of the filter chain.
const CHAIN: &str = "static_resources.listeners[0].filter_chains[0]";

/// No configuration of the filter uses certificates.
fn without() -> Value {
    json!({"default": "public"})
}

/// The names of certificates are credentials.
fn names() -> Value {
    json!({"providers": [{"name": "mesh", "mtls": {"subjects": ["spiffe://cluster.local/**"]}}]})
}

/// Tokens are bound to certificates.
fn binding(sender: &str) -> Value {
    let jwt = json!({
        "issuer": "https://login.example.com", "audiences": ["a"], "sender": sender,
        "jwks": {"inline": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}},
    });
    json!({"origin": "https://orders.example.com", "providers": [{"name": "corp", "jwt": jwt}]})
}

fn ca() -> Value {
    json!({"filename": "/ca.pem"})
}

/// A `DownstreamTlsContext` with this validation context.
fn validating(required: bool, validation: &Value) -> Value {
    json!({"require_client_certificate": required, "common_tls_context": {"validation_context": validation}})
}

fn file(document: &Value, socket: Option<Value>) -> Value {
    let mut file = bootstrap(&[gate_with("countersign", document), router()], &[route()]);
    if let Some(socket) = socket {
        file["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket"] = socket;
    }
    file
}

fn tls(context: Value) -> Value {
    let context = message(
        "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        context,
    );
    json!({"name": "tls", "typed_config": context})
}

/// A bootstrap whose listener has this `DownstreamTlsContext`.
fn over_tls(document: &Value, context: Value) -> String {
    file(document, Some(tls(context))).to_string()
}

#[test]
fn a_verified_certificate_has_no_finding() {
    for document in [without(), names(), binding("mtls"), binding("bound")] {
        for validation in [
            json!({"trusted_ca": ca()}),
            json!({"verify_certificate_hash": ["00"]}),
            json!({"verify_certificate_spki": ["00"]}),
            json!({"custom_validator_config": {"name": "envoy.tls.cert_validator.spiffe"}}),
        ] {
            let context = validating(true, &validation);
            assert_clean(&validation.to_string(), &over_tls(&document, context));
        }
    }
    assert_clean("TLS alone", &over_tls(&without(), json!({})));
    assert_clean("no TLS", &file(&without(), None).to_string());
}

/// Who uses the names of certificates is open to anyone. A token stays bound, because the client must have the key.
#[test]
fn a_certificate_that_nobody_verifies_proves_nothing_but_its_key() {
    let expected = &["with `ACCEPT_UNTRUSTED`, a client certificate proves nothing"];
    for key in ["ACCEPT_UNTRUSTED", "1"] {
        for authorities in [
            json!({}),
            json!({"trusted_ca": ca()}),
            json!({"verify_certificate_hash": ["00"]}),
        ] {
            let mut validation = authorities;
            validation["trust_chain_verification"] = json!(key);
            let file = |document| over_tls(&document, validating(true, &validation));
            assert_findings("names", &file(names()), expected, INVALID);
            assert_findings("nothing", &file(without()), expected, GOOD);
            assert_clean("binding", &file(binding("mtls")));
        }
    }
    let combined = json!({"require_client_certificate": true, "common_tls_context": {
        "combined_validation_context": {
            "default_validation_context": {"trust_chain_verification": "ACCEPT_UNTRUSTED"},
            "validation_context_sds_secret_config": {"name": "ca"},
        },
    }});
    assert_findings("SDS", &over_tls(&names(), combined), expected, INVALID);
}

#[test]
fn envoy_asks_for_no_certificate_that_it_cannot_verify() {
    let expected = "warning: without `trusted_ca`, Envoy asks for no client certificate";
    for document in [names(), binding("mtls"), binding("bound")] {
        assert_findings(
            "TLS alone",
            &over_tls(&document, json!({})),
            &[expected],
            GOOD,
        );
    }
    for document in [without(), names()] {
        let required = json!({"requireClientCertificate": true});
        assert_findings(
            "required",
            &over_tls(&document, required),
            &[expected],
            GOOD,
        );
        let roots = validating(true, &json!({"system_root_certs": {}}));
        assert_findings("roots", &over_tls(&document, roots), &[expected], GOOD);
    }
}

#[test]
fn a_certificate_that_is_not_required_is_reported_unless_the_filter_requires_a_credential() {
    let context = validating(false, &json!({"trusted_ca": ca()}));
    let text =
        "without `require_client_certificate: true`, clients can connect without a certificate";
    let warning = format!("warning: {text}");
    assert_findings(
        "nothing",
        &over_tls(&without(), context.clone()),
        &[&warning],
        GOOD,
    );
    let note = format!("note: {text}: they are denied where");
    assert_findings("names", &over_tls(&names(), context), &[&note], GOOD);
}

#[test]
fn an_expired_certificate_that_is_accepted_is_reported() {
    let context = validating(
        true,
        &json!({"trusted_ca": ca(), "allow_expired_certificate": true}),
    );
    let expected =
        "allow_expired_certificate: warning: Envoy accepts client certificates that have expired";
    assert_findings("expired", &over_tls(&names(), context), &[expected], GOOD);
}

#[test]
fn what_envoy_fetches_is_unknown() {
    let note = "typed_config: note: Envoy fetches the `validation_context` over SDS";
    for common in [
        json!({"validation_context_sds_secret_config": {"name": "ca"}}),
        json!({"combined_validation_context": {
            "default_validation_context": {}, "validation_context_sds_secret_config": {"name": "ca"},
        }}),
    ] {
        let context = json!({"require_client_certificate": true, "common_tls_context": common});
        assert_findings("names", &over_tls(&names(), context.clone()), &[note], GOOD);
        assert_clean("nothing", &over_tls(&without(), context));
    }
}

#[test]
fn without_tls_there_is_no_certificate() {
    let expected = &[&*format!(
        "{CHAIN}: warning: without TLS (`transport_socket`), no request has a client certificate"
    )];
    let raw = message(
        "extensions.transport_sockets.raw_buffer.v3.RawBuffer",
        json!({}),
    );
    let other = message("extensions.transport_sockets.alts.v3.Alts", json!({}));
    for document in [names(), binding("mtls"), binding("bound")] {
        assert_findings("none", &file(&document, None).to_string(), expected, GOOD);
        let plain = file(
            &document,
            Some(json!({"name": "plain", "typed_config": raw})),
        );
        assert_findings("raw", &plain.to_string(), expected, GOOD);
        let unknown = file(
            &document,
            Some(json!({"name": "alts", "typed_config": other})),
        );
        assert_clean("another kind", &unknown.to_string());
    }
}

#[test]
fn each_filter_chain_is_reported_by_its_own_settings() {
    let secure = tls(validating(true, &json!({"trusted_ca": ca()})));
    let mut file = file(&names(), Some(secure));
    let plain = chain(&manager(
        &[gate_with("countersign-other", &names()), router()],
        &[route()],
    ));
    let open = chain(&manager(
        &[gate_with("countersign-open", &without()), router()],
        &[route()],
    ));
    let listener = &mut file["static_resources"]["listeners"][0];
    let chains = listener["filter_chains"].as_array_mut().unwrap();
    chains.push(open);
    listener["default_filter_chain"] = plain;
    let expected = "static_resources.listeners[0].default_filter_chain: warning: without TLS (`transport_socket`)";
    assert_findings("two chains", &file.to_string(), &[expected], GOOD);
}

#[test]
fn http_3_has_certificates_in_new_versions_of_envoy_alone() {
    let quic = |context: Value| {
        let kind = "extensions.transport_sockets.quic.v3.QuicDownstreamTransport";
        let transport = message(kind, json!({"downstream_tls_context": context}));
        json!({"name": "quic", "typed_config": transport})
    };
    let verified = validating(true, &json!({"trusted_ca": ca()}));
    let version =
        "typed_config: warning: before version 1.40, Envoy reads no client certificate over HTTP/3";
    let names_over = |context| file(&names(), Some(quic(context))).to_string();
    assert_findings("verified", &names_over(verified.clone()), &[version], GOOD);
    let without_ca = "without `trusted_ca`, Envoy asks for no client certificate";
    assert_findings(
        "no CA",
        &names_over(json!({})),
        &[without_ca, version],
        GOOD,
    );
    let unused = file(&without(), Some(quic(verified))).to_string();
    assert_clean("nothing", &unused);
}

#[test]
fn the_certificate_of_a_proxy_before_envoy_is_not_the_clients() {
    let verified = || Some(tls(validating(true, &json!({"trusted_ca": ca()}))));
    let text = "warning: if a proxy before Envoy terminates the client's TLS, the certificate is the proxy's";
    for (key, value) in [
        ("xff_num_trusted_hops", json!(1)),
        ("forward_client_cert_details", json!("APPEND_FORWARD")),
        ("forward_client_cert_details", json!("FORWARD_ONLY")),
        ("forward_client_cert_details", json!(4)),
    ] {
        let mut trusting = file(&names(), verified());
        manager_of(&mut trusting)[key] = value.clone();
        let expected = format!("{MANAGER}.{key}: {text}");
        assert_findings(key, &trusting.to_string(), &[&expected], GOOD);
        let mut unused = file(&without(), verified());
        manager_of(&mut unused)[key] = value;
        assert_clean(key, &unused.to_string());
    }
    for (key, value) in [
        ("xff_num_trusted_hops", json!(0)),
        ("forward_client_cert_details", json!("SANITIZE")),
        ("forward_client_cert_details", json!("SANITIZE_SET")),
    ] {
        let mut safe = file(&names(), verified());
        manager_of(&mut safe)[key] = value;
        assert_clean(key, &safe.to_string());
    }
    let mut document = names();
    document["trust_forwarded_proto"] = json!(true);
    let expected = format!("configuration.value.trust_forwarded_proto: {text}");
    let trusting = file(&document, verified()).to_string();
    let scheme = "trust_forwarded_proto: warning: clients that reach this proxy directly";
    assert_findings("scheme", &trusting, &[scheme, &expected], GOOD);
}

fn plugin(document: &Value) -> Value {
    json!({
        "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin",
        "metadata": {"name": "countersign", "namespace": "shop"},
        "spec": {
            "url": "oci://registry.example.com/countersign:1", "failStrategy": "FAIL_RELOAD",
            "phase": "AUTHN", "pluginConfig": document,
        },
    })
}

fn peer_authentication(mode: &str, namespace: &str) -> Value {
    json!({
        "apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
        "metadata": {"name": "default", "namespace": namespace}, "spec": {"mtls": {"mode": mode}},
    })
}

#[test]
fn what_istio_must_ensure_is_said_once() {
    let note = "spec: note: a request has a client certificate only over mutual TLS";
    let with = |document: &Value, other: &Value| format!("{}\n---\n{other}\n", plugin(document));
    assert_findings("alone", &plugin(&names()).to_string(), &[note], GOOD);
    assert_clean("nothing", &plugin(&without()).to_string());
    for (mode, namespace) in [("PERMISSIVE", "shop"), ("STRICT", "bank")] {
        let policy = peer_authentication(mode, namespace);
        assert_findings(mode, &with(&names(), &policy), &[note], GOOD);
    }
    for namespace in ["shop", "istio-system"] {
        let strict = peer_authentication("STRICT", namespace);
        assert_clean("strict", &with(&binding("mtls"), &strict));
    }
    let disabled = peer_authentication("DISABLE", "shop");
    let expected = "spec.mtls.mode: warning: with `DISABLE`, no request has a client certificate";
    assert_findings("disabled", &with(&names(), &disabled), &[expected], GOOD);
    let gateway = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "edge"},
        "spec": {"servers": [{"tls": {"mode": "MUTUAL"}}]},
    });
    assert_clean("gateway", &with(&names(), &gateway));
}

#[test]
fn what_envoy_gateway_must_ensure_is_said_once() {
    let policy = json!({
        "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyExtensionPolicy",
        "metadata": {"name": "countersign"}, "spec": {"wasm": [{"name": "countersign", "config": names()}]},
    });
    let note = "note: a request has a client certificate only with `tls.clientValidation`";
    assert_findings("alone", &policy.to_string(), &[note], GOOD);
    let traffic = json!({
        "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "ClientTrafficPolicy",
        "metadata": {"name": "edge"}, "spec": {"tls": {"clientValidation": {"caCertificateRefs": [{"name": "ca"}]}}},
    });
    assert_clean("validated", &format!("{policy}\n---\n{traffic}\n"));
}
