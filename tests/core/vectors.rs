//! The signature layer against what others published: the examples of the RFCs, and Project
//! Wycheproof's vectors for whole JWS and for the primitives beneath. `tests/envoy/host_crypto.rs` asks the same within Envoy.

use countersign::authenticate::jose::{base64url, signature::Algorithm, signature::Pure};
use serde_json::json;

use crate::published;
use crate::published::{Example, Suite, judge::judge};

fn hold(suite: &Suite) {
    let answer = |question| judge(&Pure, question).map(|_| ());
    let answers: Vec<_> = suite
        .cases
        .iter()
        .map(|case| answer(&case.question))
        .collect();
    println!("{}", suite.settle("this machine", &answers));
}

/// The token verifies, and its key is read and written without loss.
fn hold_example(example: &Example) {
    let public = example.signer().public_jwk();
    for (name, value) in public.as_object().unwrap() {
        assert_eq!(example.private[name], *value, "{}", example.name);
    }
    let payload = judge(&Pure, &json!({"jwk": public, "jws": example.token}));
    assert_eq!(payload, Ok(example.payload.into()), "{}", example.name);
}

#[test]
fn rfc_7515_a_1_hs256() {
    let example = published::rfc_7515_a_1();
    hold_example(&example);
    let header = b"{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}";
    let signer = example.signer();
    let minted = signer.sign_compact(Algorithm::Hs256, header, example.payload.as_bytes());
    assert_eq!(minted.as_deref(), Ok(example.token));
}

#[test]
fn rfc_7515_a_2_rs256() {
    let example = published::rfc_7515_a_2();
    hold_example(&example);
    // PKCS#1 v1.5 has no salt: the signer arrives at the same octets.
    let (header, payload) = (json!({"alg": "RS256"}), example.payload.as_bytes());
    let minted = example.signer().sign(Algorithm::Rs256, &header, payload);
    assert_eq!(minted.as_deref(), Ok(example.token));
}

#[test]
fn rfc_7515_a_3_es256() {
    hold_example(&published::rfc_7515_a_3());
}

#[test]
fn rfc_7515_a_4_es512() {
    hold_example(&published::rfc_7515_a_4());
}

/// A.1, A.2, A.4, A.5.
#[test]
fn rfc_8037_a_4_ed25519() {
    let example = published::rfc_8037_a_4();
    hold_example(&example);
    let (header, payload) = (json!({"alg": "EdDSA"}), example.payload.as_bytes());
    let minted = example.signer().sign(Algorithm::EdDsa, &header, payload);
    assert_eq!(minted.as_deref(), Ok(example.token));
}

#[test]
fn wycheproof_jws() {
    if let Some(suite) = published::wycheproof_jws() {
        hold(&suite);
    }
}

#[test]
fn wycheproof_ecdsa() {
    hold(&published::wycheproof_ecdsa());
}

#[test]
fn wycheproof_ed25519() {
    hold(&published::wycheproof_ed25519());
}

#[test]
fn wycheproof_rsa_pkcs1() {
    hold(&published::wycheproof_rsa_pkcs1());
}

#[test]
fn wycheproof_rsa_pss() {
    hold(&published::wycheproof_rsa_pss());
}

#[test]
fn base64url_of_the_rfc() {
    // RFC 7515 appendix C.
    assert_eq!(base64url::encode(&[3, 236, 255, 224, 193]), "A-z_4ME");
    assert_eq!(
        base64url::decode(b"A-z_4ME"),
        Some(vec![3, 236, 255, 224, 193])
    );
}
