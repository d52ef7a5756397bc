//! `explain` with what proves possession: client certificates, DPoP proofs and responses of Digest.

use serde_json::json;

use crate::cli::{DENIED, Desk, FAILURE, GOOD, Ran};
use crate::support::certificate::{Certificate, Names, hex};
use crate::support::challenge;
use crate::support::example::Mint;
use crate::support::possession::{Holder, PASSWORD, digest_fields, digest_provider};
use crate::support::{in_repository, now};

const CART: &str = "spiffe://cluster.local/ns/shop/sa/cart";
const ORIGIN: &str = "https://orders.example.com";

/// Explains a request with a configuration of `envoy/`.
fn explain(file: &str, path: &str, arguments: &[&str]) -> Ran {
    let file = in_repository(file);
    let file = file.to_str().expect("a path in UTF-8");
    Desk::new().run(&[&["explain", file, "--path", path], arguments].concat())
}

/// Arguments for these headers.
fn header_arguments(headers: &[(String, String)]) -> Vec<String> {
    let pairs = headers
        .iter()
        .map(|(name, value)| format!("--header={name}: {value}"));
    pairs.collect()
}

/// Panics if the output contains one of these.
fn assert_not_printed(ran: &Ran, secrets: &[&str]) {
    for secret in secrets {
        for printed in [&ran.out, &ran.err] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

#[test]
fn the_names_in_a_certificate_are_given() {
    let file = "envoy/certificates.yaml";
    for (arguments, code, last) in [
        (
            ["--peer-uri", CART],
            GOOD,
            format!("passes: subject `{CART}`, verified by provider `mesh`"),
        ),
        (
            ["--peer-dns", "a.partners.example.com"],
            GOOD,
            "passes: subject `a.partners.example.com`, verified by provider `mesh`".to_owned(),
        ),
        (
            ["--peer-uri", "spiffe://cluster.local/ns/bank/sa/pay"],
            DENIED,
            "denied: unauthorized".to_owned(),
        ),
        (
            ["--peer-dns", "partners.example.com"],
            DENIED,
            "denied: unauthorized".to_owned(),
        ),
    ] {
        let ran = explain(file, "/stock/7", &arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
        assert!(ran.lines().contains(&&*last), "{arguments:?}: {}", ran.out);
    }
}

#[test]
fn the_digest_of_a_certificate_is_given() {
    let file = "envoy/certificates.yaml";
    let [own, other] = [(); 2].map(|()| Certificate::self_signed(&Names::uri(CART)));
    let cnf = json!({"x5t#S256": own.thumbprint()});
    let token = Mint::new().token(&json!({"scope": "orders:read", "cnf": cnf}));
    let colons = own.digest().map(|octet| hex(&[octet]).to_uppercase());
    for (digest, code) in [
        (hex(&own.digest()), GOOD),
        (colons.join(":"), GOOD),
        (hex(&other.digest()), DENIED),
        (own.thumbprint(), FAILURE),
        (hex(&own.digest()[1..]), FAILURE),
    ] {
        let arguments = ["--peer-sha256", &digest, "--bearer", &token];
        let ran = explain(file, "/orders/7", &arguments);
        assert_eq!(ran.code, code, "{digest}: {}{}", ran.out, ran.err);
        let step = "the client has proved possession: ";
        assert_eq!(ran.out.contains(step), code == GOOD, "{}", ran.out);
        let expected = "expected 64 hexadecimal digits";
        assert_eq!(ran.err.contains(expected), code == FAILURE, "{}", ran.err);
        assert_not_printed(&ran, &[&token]);
    }
    let ran = explain(file, "/orders/7", &["--bearer", &token]);
    assert_eq!(ran.code, DENIED, "{}", ran.out);
}

#[test]
fn a_proof_is_for_a_moment_and_a_url() {
    let (mint, begun) = (Mint::new(), now());
    let holder = Holder::new(ORIGIN, |cnf| {
        mint.token(&json!({"scope": "orders:read", "cnf": cnf}))
    });
    let proof = holder.proof("/orders/7", None);
    let headers = header_arguments(&holder.fields(&proof));
    for (path, after, code, printed) in [
        ("/orders/7?page=2", 0, GOOD, "passes: subject `alice`"),
        ("/orders/7", 50, GOOD, "passes: subject `alice`"),
        ("/orders/7", 90, DENIED, "invalid_dpop_proof"),
        ("/orders/8", 0, DENIED, "invalid_dpop_proof"),
    ] {
        let time = (begun + after).to_string();
        let mut arguments = vec!["--now", &time];
        arguments.extend(headers.iter().map(String::as_str));
        let ran = explain("envoy/proofs.yaml", path, &arguments);
        assert_eq!(ran.code, code, "{path} {after}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains(printed), "{path} {after}: {}", ran.out);
        let step = "the client has proved possession: ";
        assert_eq!(ran.out.contains(step), code == GOOD, "{}", ran.out);
        assert_not_printed(&ran, &[&proof]);
    }
}

#[test]
fn a_response_of_digest_is_for_a_nonce_of_an_earlier_run() {
    let secret = "sixteen bytes or more";
    let passes = "passes: subject `lab`, verified by provider `scanners`";
    for (with, times, code, printed) in [
        (json!({"secret": secret}), "1", GOOD, passes),
        // Every run has the same key.
        (json!({}), "1", GOOD, passes),
        (
            json!({}),
            "2",
            DENIED,
            "the nonce has expired, was used before, or ",
        ),
    ] {
        let desk = Desk::new();
        let document = json!({"realm": "api", "providers": [digest_provider(&with)]});
        desk.write("digest.json", document.to_string());
        let run = |headers: &[String]| {
            let arguments = [
                "explain",
                "digest.json",
                "--path",
                "/scans/7",
                "--times",
                times,
            ];
            let arguments = arguments.into_iter();
            let headers = headers.iter().map(String::as_str);
            desk.run(&arguments.chain(headers).collect::<Vec<_>>())
        };
        let challenge = run(&[]);
        assert_eq!(challenge.code, DENIED);
        let prefix = "www-authenticate: ";
        let line = challenge
            .out
            .lines()
            .find_map(|line| line.strip_prefix(prefix));
        let parsed = challenge::parse(line.expect(&challenge.out)).expect("a challenge");
        let ran = run(&header_arguments(&digest_fields(&parsed, "/scans/7", 1)));
        assert_eq!(ran.code, code, "{with}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains(printed), "{with}: {}", ran.out);
        assert_not_printed(&ran, &[PASSWORD, secret]);
    }
}
