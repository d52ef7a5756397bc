//! The host's crypto, in a real Envoy: every published vector by both paths, the same verdict from each; and what the
//! filter does where the host may not be asked.

use std::process::Stdio;

use countersign::authenticate::jose::base64url::encode;
use countersign::authenticate::jose::signature::{Algorithm, AlgorithmSet};
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use crate::published;
use crate::published::Suite;
use crate::support;
use crate::support::client::{self, Request};
use crate::support::envoy::{Bootstrap, Envoy, module_path, wasm_filter};
use crate::support::module::{signature_module, wasm_filter_without};
use crate::support::upstream::Upstream;

/// Envoy holds back bodies of up to 1 MiB, and the client waits 20 s for an answer.
const MAX_BATCH: (usize, usize) = (512 * 1024, 250);

/// The host's function that verifies signatures.
const FUNCTION: &str = "proxy_call_foreign_function";

fn start_signature_module() -> Envoy {
    let mut filter = wasm_filter("signature", &signature_module(), &json!({}));
    // The questions are in the body: holding back the headers must not hold back that.
    filter["typed_config"]["config"]["allow_on_headers_stop_iteration"] = json!(true);
    Envoy::start(Bootstrap::new(1).listener_with("signature", &[filter]))
}

/// Both paths' answers to some questions.
struct Answers {
    by_host: String,
    host: Vec<Value>,
    wasm: Vec<Value>,
}

fn ask(envoy: &Envoy, questions: &[&Value]) -> Answers {
    let body = json!(questions).to_string();
    let request = Request {
        method: b"POST",
        target: b"/",
        headers: vec![(b"host", b"signature")],
        body: body.as_bytes(),
    };
    let response = client::send(envoy.listener("signature"), &request).expect("an answer");
    assert_eq!(
        response.status,
        200,
        "{}",
        String::from_utf8_lossy(&response.body)
    );
    let answer: Value = serde_json::from_slice(&response.body).unwrap();
    let list = |path: &str| answer[path].as_array().unwrap().clone();
    Answers {
        by_host: answer["by_host"].as_str().unwrap().to_owned(),
        host: list("host"),
        wasm: list("wasm"),
    }
}

fn hold(envoy: &Envoy, suite: &Suite) {
    let (mut host, mut wasm) = (Vec::new(), Vec::new());
    let mut batch: Vec<&Value> = Vec::new();
    let mut size = 0;
    for (place, case) in suite.cases.iter().enumerate() {
        size += case.question.to_string().len();
        batch.push(&case.question);
        let is_last = place + 1 == suite.cases.len();
        if is_last || size > MAX_BATCH.0 || batch.len() == MAX_BATCH.1 {
            let answers = ask(envoy, &batch);
            assert_eq!(answers.by_host, AlgorithmSet::TESTED.to_string());
            host.extend(answers.host);
            wasm.extend(answers.wasm);
            batch.clear();
            size = 0;
        }
    }
    for ((case, host), wasm) in suite.cases.iter().zip(&host).zip(&wasm) {
        assert_eq!(host, wasm, "{}: the paths differ: {}", suite.name, case.id);
    }
    for (path, answers) in [("the host", host), ("wasm", wasm)] {
        let verdict = |answer: &Value| match answer {
            Value::Bool(true) => Ok(()),
            other => Err(other.as_str().unwrap_or_default().to_owned()),
        };
        let answers: Vec<_> = answers.iter().map(verdict).collect();
        support::say(&suite.settle(path, &answers));
    }
}

#[test]
fn every_published_vector_has_one_verdict_by_both_paths() {
    let envoy = start_signature_module();
    let suites = [
        Some(published::rfc_examples()),
        published::wycheproof_jws(),
        Some(published::wycheproof_ecdsa()),
        Some(published::wycheproof_ed25519()),
        Some(published::wycheproof_rsa_pkcs1()),
        Some(published::wycheproof_rsa_pss()),
    ];
    for suite in suites.iter().flatten() {
        hold(&envoy, suite);
    }
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

/// Every algorithm verifies by every path that serves it; what one verification takes is shown, and holds nothing.
#[test]
fn every_algorithm_verifies_and_takes_its_time() {
    let envoy = start_signature_module();
    let message = [b'x'; 600];
    for algorithm in Algorithm::ALL {
        let signer = SigningKey::generate(algorithm);
        let signature = signer.sign_raw(algorithm, &message).unwrap();
        let question = json!({
            "jwk": signer.public_jwk(), "alg": algorithm.name(), "message": encode(&message),
            "signature": encode(&signature), "repeat": 20,
        });
        ask(&envoy, &[&question]);
        let answers = ask(&envoy, &[&question]);
        let micros = |answers: &[Value]| answers[0].as_f64().expect("a time") / 1000.0;
        let (host, wasm) = (micros(&answers.host), micros(&answers.wasm));
        if AlgorithmSet::TESTED.contains(algorithm) {
            support::say(&format!(
                "{algorithm}: {host:.1} µs by the host, {wasm:.1} µs in wasm"
            ));
        } else {
            support::say(&format!("{algorithm}: {wasm:.1} µs in wasm"));
        }
    }
}

fn document(crypto: &str, jwks: &[Value]) -> Value {
    json!({
        "crypto": crypto,
        "providers": [{"name": "corp", "jwt": {
            "issuer": "https://login.example.com", "audiences": ["orders"], "jwks": {"inline": {"keys": jwks}},
        }}]
    })
}

fn token(signer: &SigningKey, issuer: &str) -> String {
    let claims = json!({
        "iss": issuer, "aud": "orders", "sub": "amy", "exp": support::now() + 600,
    });
    let algorithm = signer.algorithm().unwrap();
    let header = json!({"alg": algorithm.name(), "kid": signer.kid()});
    signer
        .sign(algorithm, &header, claims.to_string().as_bytes())
        .unwrap()
}

fn status(envoy: &Envoy, listener: &str, token: &str) -> u16 {
    let authorization = format!("Bearer {token}");
    let request = Request {
        method: b"GET",
        target: b"/",
        headers: vec![
            (b"host", b"api"),
            (b"authorization", authorization.as_bytes()),
        ],
        body: b"",
    };
    client::send(envoy.listener(listener), &request)
        .expect("an answer")
        .status
}

const BY_HOST: &str = "signatures: RS256 RS384 RS512 ES256 ES384 ES512 by the host; \
    HS256 HS384 HS512 PS256 PS384 PS512 EdDSA Ed25519 in wasm";
const IN_WASM: &str = "signatures: HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 \
    EdDSA Ed25519 in wasm";

/// Good tokens pass and forged ones do not, whoever verifies; the log says who.
#[test]
fn the_log_says_who_verifies_and_tokens_are_judged_alike() {
    let signers = AlgorithmSet::TESTED
        .iter()
        .chain([Algorithm::Ps256, Algorithm::EdDsa]);
    let signers: Vec<_> = signers.map(SigningKey::generate).collect();
    let jwks: Vec<Value> = signers.iter().map(SigningKey::public_jwk).collect();
    let upstream = Upstream::start();
    for (crypto, is_denied, line) in [
        ("auto", false, BY_HOST),
        ("host", false, BY_HOST),
        ("wasm", false, IN_WASM),
        ("auto", true, IN_WASM),
    ] {
        let document = document(crypto, &jwks);
        let filter = if is_denied {
            wasm_filter_without(FUNCTION, "denied", &document)
        } else {
            wasm_filter("allowed", &module_path(), &document)
        };
        let envoy = Envoy::start(Bootstrap::new(upstream.port()).listener_with("api", &[filter]));
        for signer in &signers {
            let what = format!(
                "crypto: {crypto}, denied: {is_denied}, {:?}",
                signer.algorithm()
            );
            let good = token(signer, "https://login.example.com");
            assert_eq!(status(&envoy, "api", &good), 200, "{what}");
            // The signature of another token.
            let other = token(signer, "https://other.example.com");
            let (head, signature) = (
                good.rsplit_once('.').unwrap().0,
                other.rsplit_once('.').unwrap().1,
            );
            let forged = format!("{head}.{signature}");
            assert_eq!(status(&envoy, "api", &forged), 401, "{what}");
        }
        let log = envoy.log();
        assert!(
            log.contains(line),
            "crypto: {crypto}, denied: {is_denied}:\n{log}"
        );
        assert_eq!(envoy.alarms(), Vec::<String>::new());
    }
}

/// Envoy refuses the listener, and says which algorithms are missing.
#[test]
fn crypto_host_is_refused_where_the_host_may_not_be_asked() {
    let jwks = [SigningKey::generate(Algorithm::Es256).public_jwk()];
    let filter = wasm_filter_without(FUNCTION, "denied", &document("host", &jwks));
    let bootstrap = Bootstrap::new(1).listener_with("api", &[filter]);
    let Err(why) = Envoy::try_start(&bootstrap.into_json(), Stdio::null()) else {
        panic!("Envoy took a document that the filter refuses");
    };
    let missing = "`host` requires `verify_signature`, which does not verify RS256 RS384 RS512 ES256 ES384 ES512";
    assert!(why.contains(missing), "{why}");
}
