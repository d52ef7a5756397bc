//! `envoy/proofs.yaml`, which users copy: DPoP and Digest in one Envoy.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::{Connection, Response};
use crate::support::envoy::Envoy;
use crate::support::example::{self, Mint};
use crate::support::possession::{Holder, challenges, digest_challenge, digest_fields_of, get};
use crate::support::upstream::Upstream;

const ORIGIN: &str = "https://orders.example.com";
const LAB: (&str, &str) = ("lab", "rack-7-Lm3pQ8xW");

/// A status, and `error` or `stale` of the only challenge.
type Answer<'a> = (u16, Option<&'a str>);

/// Panics if a response is another.
fn assert_answer(response: &Response, expected: Answer<'_>, what: &str) {
    let challenges: Vec<_> = challenges(response).collect();
    assert!(challenges.len() < 2, "{what}: {response:?}");
    let challenge = challenges.first();
    let found = challenge.and_then(|own| own.get("error").or_else(|| own.get("stale")));
    assert_eq!((response.status, found), expected, "{what}: {response:?}");
}

#[test]
fn the_example_accepts_each_proof_once() {
    let (upstream, mint) = (Upstream::start(), Mint::new());
    let bootstrap = example::bootstrap("envoy/proofs.yaml", &[("upstream", upstream.port())]);
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    let mut connection = Connection::new(envoy.listener("proofs"), Duration::from_secs(120));
    let mut send = |path: &str, fields: &[(String, String)]| {
        connection.ask(&get(path, fields)).expect("a response")
    };

    let response = send("/scans/7", &[]);
    assert_answer(&response, (401, None), "no credential");
    let challenge = digest_challenge(&response);
    let of = |login, count| digest_fields_of(login, &challenge, "/scans/7", count);
    for (what, fields, expected) in [
        ("a right response", of(LAB, 1), (200, None)),
        ("the same response", of(LAB, 1), (401, Some("true"))),
        ("the next count", of(LAB, 2), (200, None)),
        ("a wrong password", of(("lab", "rack-8"), 3), (401, None)),
    ] {
        assert_answer(&send("/scans/7", &fields), expected, what);
    }

    let client = |mut claims: Value| {
        Holder::new(ORIGIN, |cnf| {
            claims["cnf"] = cnf.clone();
            mint.token(&claims)
        })
    };
    let alice = client(json!({"scope": "orders:read"}));
    let issuer = "https://login.partners.example.com";
    let bob = client(json!({"iss": issuer, "sub": "bob", "scope": "payments:write"}));
    let proof = alice.proof("/orders/7", None);
    let response = send("/payments/7", &bob.fields(&bob.proof("/payments/7", None)));
    assert_answer(&response, (401, Some("use_dpop_nonce")), "no nonce");
    let nonce = response.values("dpop-nonce").next().expect("a nonce");
    let nonce = std::str::from_utf8(nonce).expect("a nonce in ASCII");
    let with_nonce = bob.fields(&bob.proof("/payments/7", Some(nonce)));
    let bearer = alice.fields_after("Bearer ", &alice.proof("/orders/7", None));
    for (what, path, fields, expected) in [
        ("a proof", "/orders/7", alice.fields(&proof), (200, None)),
        (
            "the same proof",
            "/orders/7",
            alice.fields(&proof),
            (401, Some("invalid_dpop_proof")),
        ),
        ("a bearer", "/orders/7", bearer, (401, None)),
        ("a nonce", "/payments/7", with_nonce, (200, None)),
        (
            "another provider",
            "/orders/7",
            bob.fields(&bob.proof("/orders/7", Some(nonce))),
            (403, None),
        ),
    ] {
        assert_answer(&send(path, &fields), expected, what);
    }
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}
