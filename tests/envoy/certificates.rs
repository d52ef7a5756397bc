//! Client certificates: which ones a listener asks for and accepts, and what Envoy knows of them.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::certificate::{Authority, Certificate, Names, TRUSTED, hex};
use crate::support::client::{self, Request, Response};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::tls;
use crate::support::upstream::Upstream;

const CART: &str = "spiffe://cluster.local/ns/shop/sa/cart";

/// Starts an Envoy with these listeners, which say in each response what Envoy knows of the client's certificate.
fn start(upstream: &Upstream, listeners: &[(&str, Value)]) -> Envoy {
    let open = json!({"default": "public"});
    let bootstrap = listeners.iter().fold(
        Bootstrap::new(upstream.port()),
        |bootstrap, (name, context)| bootstrap.listener(name, &open).over_tls(context),
    );
    let mut bootstrap = bootstrap.into_json();
    let told = [
        ("x-uri", "%DOWNSTREAM_PEER_URI_SAN%"),
        ("x-dns", "%DOWNSTREAM_PEER_DNS_SAN%"),
        ("x-digest", "%DOWNSTREAM_PEER_FINGERPRINT_256%"),
    ];
    let told = told.map(|(name, value)| {
        json!({"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"})
    });
    let listeners = bootstrap["static_resources"]["listeners"].as_array_mut();
    for listener in listeners.expect("listeners") {
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["route_config"]["response_headers_to_add"] = json!(told);
    }
    Envoy::start_with(&bootstrap, Stdio::null())
}

/// The response; none if Envoy closes the connection because of the certificate.
fn ask(envoy: &Envoy, listener: &str, certificate: Option<&Certificate>) -> Option<Response> {
    let request = Request {
        method: b"GET",
        target: b"/",
        headers: vec![(b"host", b"orders.example.com")],
        body: b"",
    };
    client::send_over_tls(envoy.listener(listener), &request, certificate).ok()
}

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Envoy closes it.
    Closed,
    /// Envoy knows no certificate.
    Bare,
    /// Envoy knows the certificate.
    Certified,
}

/// The clients: without a certificate, with one of the authority, one that has expired, one of another authority with the same
/// name, and one that nobody else has signed.
#[test]
fn a_listener_asks_for_certificates_and_accepts_them_as_its_settings_say() {
    use Seen::{Bare, Certified, Closed};
    let required = |mut context: Value| {
        context["require_client_certificate"] = json!(true);
        context
    };
    let ca = json!({"inline_string": TRUSTED.pem()});
    let trusted = TRUSTED.certificate(&Names::uri(CART));
    let pinned = json!({"verify_certificate_hash": [hex(&trusted.digest())]});
    let accepting = json!({"trust_chain_verification": "ACCEPT_UNTRUSTED"});
    let mut pinned_but_accepting = pinned.clone();
    pinned_but_accepting["trust_chain_verification"] = json!("ACCEPT_UNTRUSTED");
    let settings = [
        ("no validation", tls::server(), [Bare; 5]),
        (
            "no validation, required",
            required(tls::server()),
            [Bare; 5],
        ),
        (
            "no authority, required",
            required(tls::validating(json!({}))),
            [Bare; 5],
        ),
        (
            "system roots, required",
            required(tls::validating(json!({"system_root_certs": {}}))),
            [Bare; 5],
        ),
        (
            "authority",
            tls::optional(),
            [Bare, Certified, Closed, Closed, Closed],
        ),
        (
            "authority, required",
            tls::required(),
            [Closed, Certified, Closed, Closed, Closed],
        ),
        (
            "authority, expired accepted",
            tls::validating(json!({"trusted_ca": ca, "allow_expired_certificate": true})),
            [Bare, Certified, Certified, Closed, Closed],
        ),
        (
            "pinned",
            tls::validating(pinned),
            [Closed, Certified, Closed, Closed, Closed],
        ),
        (
            "all accepted",
            tls::accept_untrusted(),
            [Bare, Certified, Certified, Certified, Certified],
        ),
        (
            "all accepted, no authority, required",
            required(tls::validating(accepting)),
            [Bare, Certified, Certified, Certified, Certified],
        ),
        (
            "all accepted, pinned",
            tls::validating(pinned_but_accepting),
            [Bare, Certified, Certified, Certified, Certified],
        ),
    ];
    let upstream = Upstream::start();
    let listeners = settings.each_ref();
    let envoy = start(
        &upstream,
        &listeners.map(|(name, context, _)| (*name, context.clone())),
    );
    let names = Names::uri(CART);
    let expired = TRUSTED.expired(&names);
    let other = Authority::new("trusted").certificate(&names);
    let alone = Certificate::self_signed(&names);
    let clients = [
        None,
        Some(&trusted),
        Some(&expired),
        Some(&other),
        Some(&alone),
    ];
    for (name, _, expected) in &settings {
        let seen = clients.map(|certificate| match ask(&envoy, name, certificate) {
            None => Closed,
            Some(response) => match response.values("x-uri").next() {
                Some(uri) if uri == CART.as_bytes() => Certified,
                _ => Bare,
            },
        });
        assert_eq!(seen, *expected, "{name}");
    }
}

#[test]
fn envoy_knows_the_names_and_the_digest_of_a_certificate() {
    let upstream = Upstream::start();
    let envoy = start(&upstream, &[("required", tls::required())]);
    let both = Names {
        uri: vec![CART.to_owned()],
        dns: vec!["cart.example.com".to_owned()],
    };
    for names in [Names::uri(CART), Names::dns("cart.example.com"), both] {
        let certificate = TRUSTED.certificate(&names);
        let response = ask(&envoy, "required", Some(&certificate)).expect("an answer");
        let told = |name: &str| {
            let values = response.values(name).map(String::from_utf8_lossy);
            values
                .filter(|value| value != "-")
                .collect::<Vec<_>>()
                .concat()
        };
        assert_eq!(told("x-uri"), names.uri.concat());
        assert_eq!(told("x-dns"), names.dns.concat());
        assert_eq!(told("x-digest"), hex(&certificate.digest()));
    }
}
