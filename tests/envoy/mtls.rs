//! The filter behind TLS with client certificates: credentials, and what tokens are bound to.

use std::fs;
use std::io;
use std::process::{Command, Stdio};

use rustls::HandshakeKind;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support;
use crate::support::certificate::{Certificate, Names, TRUSTED, hex};
use crate::support::client::{self, Request, Response};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::example::{self, Mint};
use crate::support::findings;
use crate::support::tls;
use crate::support::upstream::Upstream;

const CART: &str = "spiffe://cluster.local/ns/shop/sa/cart";
const STOCK: &str = "spiffe://cluster.local/ns/shop/sa/stock";

fn request<'r>(path: &'r str, headers: &'r [(&str, String)]) -> Request<'r> {
    let mut all: Vec<(&[u8], &[u8])> = vec![(b"host", b"orders.example.com")];
    let headers = headers.iter();
    all.extend(headers.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    Request {
        method: b"GET",
        target: path.as_bytes(),
        headers: all,
        body: b"",
    }
}

fn ask(
    envoy: &Envoy,
    listener: &str,
    certificate: Option<&Certificate>,
    path: &str,
    headers: &[(&str, String)],
) -> io::Result<Response> {
    let request = request(path, headers);
    client::send_over_tls(envoy.listener(listener), &request, certificate)
}

fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

/// A token of the examples' issuer that is bound to a certificate.
fn bound(mint: &Mint, certificate: &Certificate) -> String {
    let cnf = json!({"x5t#S256": certificate.thumbprint()});
    mint.token(&json!({"scope": "orders:read", "cnf": cnf}))
}

#[test]
fn the_example_accepts_certificates_and_the_tokens_that_are_bound_to_them() {
    let (upstream, mint, folder) = (Upstream::start(), Mint::new(), TempDir::new().unwrap());
    let envoy = Envoy::start_with(
        &example::certificates(upstream.port(), folder.path()),
        Stdio::null(),
    );
    let [cart, stock, other] = [CART, STOCK, "spiffe://cluster.local/ns/bank/sa/pay"]
        .map(|name| TRUSTED.certificate(&Names::uri(name)));
    let partner = TRUSTED.certificate(&Names::dns("a.partners.example.com"));
    let token = bound(&mint, &cart);
    for (path, certificate, headers, status, subject) in [
        ("/healthz", &other, vec![], 200, None),
        ("/stock/7", &cart, vec![], 200, Some(CART)),
        (
            "/stock/7",
            &partner,
            vec![],
            200,
            Some("a.partners.example.com"),
        ),
        ("/stock/7", &other, vec![], 403, None),
        ("/refunds/7", &cart, vec![], 200, Some(CART)),
        ("/refunds/7", &stock, vec![], 403, None),
        ("/orders/7", &cart, vec![], 401, None),
        ("/orders/7", &cart, vec![bearer(&token)], 200, Some("alice")),
        ("/orders/7", &stock, vec![bearer(&token)], 401, None),
        (
            "/orders/7",
            &cart,
            vec![bearer(&mint.token(&json!({})))],
            401,
            None,
        ),
        (
            "/payments/7",
            &cart,
            vec![bearer(&token)],
            200,
            Some("alice"),
        ),
        ("/payments/7", &cart, vec![], 401, None),
    ] {
        let response = ask(&envoy, "certificates", Some(certificate), path, &headers).unwrap();
        assert_eq!(response.status, status, "{path} {headers:?}{}", envoy.log());
        let shown = String::from_utf8_lossy(&response.body).to_lowercase();
        let expected = subject.map(|subject| format!(r#"["x-auth-subject", "{subject}"]"#));
        assert!(
            expected.is_none_or(|text| shown.contains(&text)),
            "{path}: {shown}"
        );
    }
    assert!(ask(&envoy, "certificates", None, "/healthz", &[]).is_err());
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

/// The document of the example.
fn document() -> Value {
    let text = fs::read_to_string(support::in_repository("envoy/certificates.yaml")).unwrap();
    let mut bootstrap: Value = serde_yaml_ng::from_str(&text).unwrap();
    let listener = &mut bootstrap["static_resources"]["listeners"][0];
    example::http_filters(listener)[0]["typed_config"]["config"]["configuration"]["value"].take()
}

/// The number of connections that each worker has accepted for the only listener.
fn accepted(envoy: &Envoy) -> Vec<u64> {
    let stats = envoy.admin("/stats?filter=^listener\\.127.*worker_.*downstream_cx_total");
    let counts = stats.lines().filter_map(|line| line.split_once(": "));
    counts.map(|(_, count)| count.parse().unwrap()).collect()
}

/// The result of verifying a token is cached. Its certificate is compared for each request: each worker must refuse the other
/// client, whose connections are between those of the right one.
#[test]
fn a_bound_token_stays_bound_at_two_workers() {
    const ROUNDS: usize = 24;
    let (upstream, mint) = (Upstream::start(), Mint::new());
    let bootstrap = Bootstrap::new(upstream.port())
        .concurrency(2)
        .listener("orders", &document())
        .over_tls(&tls::optional());
    let envoy = Envoy::start(bootstrap);
    let names = Names::uri(CART);
    let [right, wrong] = [(), ()].map(|()| TRUSTED.certificate(&names));
    let token = bound(&mint, &right);
    let clients = [Some(&right), Some(&wrong), None].map(tls::Client::new);
    let headers = [bearer(&token), ("connection", "keep-alive".to_owned())];
    let request = request("/orders/7", &headers);
    let mut connections: Vec<_> = (0..ROUNDS)
        .flat_map(|_| &clients)
        .map(|client| client::connect_over_tls(envoy.listener("orders"), client).unwrap())
        .collect();
    // Each connection is used twice: the second request finds the token in the cache of its worker.
    for round in 0..2 {
        for (number, connection) in connections.iter_mut().enumerate() {
            let expected = [200, 401, 401][number % 3];
            let response = client::send_on(connection, &request).unwrap();
            assert_eq!(
                response.status, expected,
                "round {round}, connection {number}"
            );
        }
    }
    let accepted = accepted(&envoy);
    assert!(
        accepted.len() == 2 && !accepted.contains(&0),
        "{accepted:?}"
    );
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

#[test]
fn the_certificate_of_a_session_that_is_resumed_counts() {
    let (upstream, mint) = (Upstream::start(), Mint::new());
    let bootstrap = Bootstrap::new(upstream.port())
        .listener("orders", &document())
        .over_tls(&tls::required());
    let envoy = Envoy::start(bootstrap);
    let [cart, other] = [CART, STOCK].map(|name| TRUSTED.certificate(&Names::uri(name)));
    let token = bound(&mint, &cart);
    for (certificate, orders, refunds) in [(&cart, 200, 200), (&other, 401, 403)] {
        let client = tls::Client::new(Some(certificate));
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let headers = [bearer(&token), ("connection", "keep-alive".to_owned())];
            let mut connection =
                client::connect_over_tls(envoy.listener("orders"), &client).unwrap();
            for (path, status) in [("/orders/7", orders), ("/refunds/7", refunds)] {
                let headers = if path == "/orders/7" {
                    &headers[..]
                } else {
                    &headers[1..]
                };
                let response = client::send_on(&mut connection, &request(path, headers)).unwrap();
                assert_eq!(response.status, status, "{kind:?} {path}");
            }
            assert_eq!(connection.conn.handshake_kind(), Some(kind));
        }
    }
}

/// T-06, T-07: Envoy can forward the header of a client, but the filter does not read it.
#[test]
fn x_forwarded_client_cert_is_never_read() {
    let (upstream, mint) = (Upstream::start(), Mint::new());
    let mut bootstrap = Bootstrap::new(upstream.port());
    let details = ["SANITIZE", "ALWAYS_FORWARD_ONLY", "APPEND_FORWARD"];
    for name in details {
        bootstrap = bootstrap
            .listener(name, &document())
            .over_tls(&tls::optional());
    }
    let mut bootstrap = bootstrap.into_json();
    let listeners = bootstrap["static_resources"]["listeners"].as_array_mut();
    for (listener, details) in listeners.unwrap().iter_mut().zip(details) {
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["forward_client_cert_details"] = json!(details);
    }
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    let cart = TRUSTED.certificate(&Names::uri(CART));
    let other = TRUSTED.certificate(&Names::uri("spiffe://cluster.local/ns/bank/sa/pay"));
    let header = format!("By={CART};Hash={};URI={CART}", hex(&cart.digest()));
    let headers = [
        bearer(&bound(&mint, &cart)),
        ("x-forwarded-client-cert", header),
    ];
    for listener in details {
        for certificate in [None, Some(&other)] {
            let told = |path: &str, headers: &[_]| {
                ask(&envoy, listener, certificate, path, headers)
                    .unwrap()
                    .status
            };
            assert_eq!(told("/stock/7", &headers[1..]), 403, "{listener}");
            assert_eq!(told("/orders/7", &headers), 401, "{listener}");
            assert_eq!(told("/healthz", &headers[1..]), 200, "{listener}");
        }
    }
    let shown = ask(&envoy, "SANITIZE", None, "/healthz", &headers[1..]).unwrap();
    let shown = String::from_utf8_lossy(&shown.body).to_lowercase();
    assert!(!shown.contains("x-forwarded-client-cert"), "{shown}");
}

/// What `check` reports of these listeners.
fn report(bootstrap: &Value, listener: &str) -> String {
    let mut alone = bootstrap.clone();
    let listeners = alone["static_resources"]["listeners"].as_array_mut();
    listeners.unwrap().retain(|own| own["name"] == listener);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("envoy.json");
    fs::write(&file, alone.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    let output = command.arg("check").arg(&file).output().unwrap();
    findings::brief(&String::from_utf8(output.stdout).unwrap())
}

/// A client without certificate, one with a certificate of the authority, and one whose certificate nobody signed, with the
/// same name: what each gets, with the token that is bound to its certificate and without.
#[test]
fn what_check_reports_of_certificates_is_what_envoy_does() {
    let (upstream, mint) = (Upstream::start(), Mint::new());
    let without_authority = {
        let mut context = tls::server();
        context["require_client_certificate"] = json!(true);
        context
    };
    let expired = tls::validating(json!({
        "trusted_ca": {"inline_string": TRUSTED.pem()}, "allow_expired_certificate": true,
    }));
    let settings = [
        ("required", tls::required(), "no errors, no warnings"),
        (
            "untrusted",
            tls::accept_untrusted(),
            ": with `ACCEPT_UNTRUSTED`",
        ),
        (
            "without authority",
            without_authority,
            "warning: without `trusted_ca`, Envoy asks for no",
        ),
        (
            "expired",
            expired,
            "warning: Envoy accepts client certificates that have expired",
        ),
    ];
    let bootstrap = settings.iter().fold(
        Bootstrap::new(upstream.port()),
        |bootstrap, (name, context, _)| bootstrap.listener(name, &document()).over_tls(context),
    );
    let bootstrap = bootstrap.into_json();
    for (name, _, expected) in &settings {
        let report = report(&bootstrap, name);
        assert!(report.contains(expected), "{name}: {report}");
    }
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    let names = Names::uri(CART);
    let trusted = TRUSTED.certificate(&names);
    let forged = Certificate::self_signed(&names);
    let old = TRUSTED.expired(&names);
    let told = |listener: &str, certificate: &Certificate| {
        let by = |path: &str, headers: &[_]| {
            let response = ask(&envoy, listener, Some(certificate), path, headers);
            response.map_or(0, |response| response.status)
        };
        let own = [bearer(&bound(&mint, certificate))];
        let stolen = [bearer(&bound(&mint, &TRUSTED.certificate(&names)))];
        (
            by("/stock/7", &[]),
            by("/orders/7", &own),
            by("/orders/7", &stolen),
        )
    };
    // 0: Envoy closes the connection.
    assert_eq!(told("required", &trusted), (200, 200, 401));
    assert_eq!(told("required", &forged), (0, 0, 0));
    assert_eq!(told("required", &old), (0, 0, 0));
    assert_eq!(told("untrusted", &forged), (200, 200, 401));
    assert_eq!(told("without authority", &trusted), (403, 401, 401));
    assert_eq!(told("without authority", &forged), (403, 401, 401));
    assert_eq!(told("expired", &old), (200, 200, 401));
    assert_eq!(told("expired", &forged), (0, 0, 0));
}
