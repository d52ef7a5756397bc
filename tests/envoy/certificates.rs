//! Client certificates: which ones a listener accepts, and what Envoy knows of them.

use std::io;

use serde_json::{Value, json};

use crate::support::certificate::{Authority, Certificate, Names, TRUSTED, hex};
use crate::support::client::{self, Request, Response};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::tls;
use crate::support::upstream::Upstream;

const CART: &str = "spiffe://cluster.local/ns/shop/sa/cart";

fn ask(envoy: &Envoy, listener: &str, certificate: Option<&Certificate>) -> io::Result<Response> {
    let request = Request {
        method: b"GET",
        target: b"/",
        headers: vec![(b"host", b"orders.example.com")],
        body: b"",
    };
    client::send_over_tls(envoy.listener(listener), &request, certificate)
}

/// What Envoy itself says of the certificate of a request that it has accepted: its names, and the SHA-256 of it.
fn told() -> Value {
    let header = |(name, value): (&str, &str)| json!({"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"});
    let told = [
        ("x-uri", "%DOWNSTREAM_PEER_URI_SAN%"),
        ("x-dns", "%DOWNSTREAM_PEER_DNS_SAN%"),
        ("x-digest", "%DOWNSTREAM_PEER_FINGERPRINT_256%"),
    ];
    json!(told.map(header))
}

fn start(upstream: &Upstream) -> Envoy {
    let open = json!({"default": "public"});
    let mut bootstrap = Bootstrap::new(upstream.port());
    for (name, context) in [
        ("server", tls::server()),
        ("optional", tls::optional()),
        ("required", tls::required()),
        ("untrusted", tls::accept_untrusted()),
        ("without authority", tls::validating(json!({}))),
        ("not validating", {
            let mut c = tls::server();
            c["require_client_certificate"] = json!(true);
            c
        }),
        (
            "pinned",
            tls::validating(json!({"verify_certificate_hash": ["0".repeat(64)]})),
        ),
        ("system", tls::validating(json!({"system_root_certs": {}}))),
    ] {
        bootstrap = bootstrap.listener(name, &open).over_tls(&context);
    }
    let mut bootstrap = bootstrap.into_json();
    let listeners = bootstrap["static_resources"]["listeners"].as_array_mut();
    for listener in listeners.expect("listeners") {
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["route_config"]["response_headers_to_add"] = told();
    }
    Envoy::start_with(&bootstrap, std::process::Stdio::null())
}

/// Whether each listener accepts a certificate, by the name of the listener.
fn accepted<'l>(
    envoy: &Envoy,
    listeners: &[&'l str],
    certificate: Option<&Certificate>,
) -> Vec<&'l str> {
    let accepts = |listener: &&&str| match ask(envoy, listener, certificate) {
        Ok(response) => response.status == 200,
        Err(_) => false,
    };
    listeners.iter().filter(accepts).copied().collect()
}

#[test]
fn a_listener_accepts_the_certificates_that_its_settings_say() {
    let upstream = Upstream::start();
    let envoy = start(&upstream);
    let all = [
        "server",
        "optional",
        "required",
        "untrusted",
        "without authority",
        "not validating",
        "pinned",
        "system",
    ];
    let cart = Names::uri(CART);
    assert_eq!(
        accepted(&envoy, &all, None),
        ["server", "optional", "untrusted"]
    );
    let trusted = TRUSTED.certificate(&cart);
    assert_eq!(accepted(&envoy, &all, Some(&trusted)), all);
    for (what, forged) in [
        ("expired", TRUSTED.expired(&cart)),
        (
            "of another authority",
            Authority::new("trusted").certificate(&cart),
        ),
        ("self-signed", Certificate::self_signed(&cart)),
    ] {
        assert_eq!(
            accepted(&envoy, &all, Some(&forged)),
            ["server", "untrusted"],
            "{what}"
        );
    }
}

#[test]
fn envoy_tells_the_names_and_the_digest_of_a_certificate() {
    let upstream = Upstream::start();
    let envoy = start(&upstream);
    let both = Names {
        uri: vec![CART.to_owned()],
        dns: vec!["cart.example.com".to_owned()],
    };
    for names in [Names::uri(CART), Names::dns("cart.example.com"), both] {
        let certificate = TRUSTED.certificate(&names);
        let response = ask(&envoy, "required", Some(&certificate)).expect("an answer");
        let told = |name: &str| {
            let values = response.values(name).map(String::from_utf8_lossy);
            values.filter(|value| value != "-").collect::<Vec<_>>()
        };
        assert_eq!(
            (told("x-uri"), told("x-dns")),
            (
                names.uri.iter().map(Into::into).collect(),
                names.dns.iter().map(Into::into).collect(),
            )
        );
        assert_eq!(told("x-digest"), [hex(&certificate.digest())]);
    }
}
