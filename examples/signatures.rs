//! `make bench-crypto`: what the verification of one signature costs in Envoy, by the host and in WebAssembly.
//!
//! `cargo run --profile test --example signatures -- OLD.wasm NEW.wasm` compares modules of `tests/modules/signature`. The rounds of the
//! modules alternate, and the least time counts, since other programs make a round slower and never faster.
#![allow(clippy::restriction, reason = "an example may panic")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::PathBuf;

use countersign::authenticate::jose::base64url::encode;
use countersign::authenticate::jose::signature::{Algorithm, AlgorithmSet};
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use support::client::{self, Request};
use support::envoy::{Bootstrap, Envoy, wasm_filter};
use support::module::signature_module;

/// The octets of a signed message: those of a common token.
const MESSAGE: [u8; 600] = [b'x'; 600];
const ROUNDS: usize = 60;
/// The verifications of a round. Each has the same key, as the tokens of an issuer have.
const REPEAT: usize = 10;

fn main() {
    let named: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let modules = match named.as_slice() {
        [] => vec![signature_module()],
        named => named.to_vec(),
    };
    let names: Vec<String> = (0..modules.len()).map(|place| place.to_string()).collect();
    let bootstrap =
        names
            .iter()
            .zip(&modules)
            .fold(Bootstrap::new(1), |bootstrap, (name, module)| {
                let mut filter = wasm_filter(name, module, &json!({}));
                // The questions are in the body: holding back the headers must not hold back that.
                filter["typed_config"]["config"]["allow_on_headers_stop_iteration"] = json!(true);
                bootstrap.listener_with(name, &[filter])
            });
    let envoy = Envoy::start(bootstrap);
    print!("{:9} {:>9}", "µs", "host");
    modules.iter().for_each(|module| {
        print!(
            " {:>24}",
            module.file_name().unwrap_or_default().to_string_lossy()
        );
    });
    println!();
    for algorithm in Algorithm::ALL {
        let question = question(algorithm);
        let mut host = f64::INFINITY;
        let mut wasm = vec![f64::INFINITY; modules.len()];
        for _ in 0..ROUNDS {
            for (name, least) in names.iter().zip(&mut wasm) {
                let answer = ask(&envoy, name, &question);
                host = host.min(micros(&answer["host"]));
                *least = least.min(micros(&answer["wasm"]));
            }
        }
        match AlgorithmSet::TESTED.contains(algorithm) {
            true => print!("{:9} {host:9.1}", algorithm.name()),
            false => print!("{:9} {:>9}", algorithm.name(), "-"),
        }
        wasm.iter().for_each(|least| print!(" {least:24.1}"));
        println!();
    }
}

fn question(algorithm: Algorithm) -> Value {
    let signer = SigningKey::generate(algorithm);
    let signature = signer
        .sign_raw(algorithm, &MESSAGE)
        .expect("the key serves the algorithm");
    json!({
        "jwk": signer.public_jwk(), "alg": algorithm.name(), "message": encode(&MESSAGE),
        "signature": encode(&signature), "repeat": REPEAT,
    })
}

/// What a module answers to one question.
fn ask(envoy: &Envoy, module: &str, question: &Value) -> Value {
    let body = json!([question]).to_string();
    let request = Request {
        method: b"POST",
        target: b"/",
        headers: vec![(b"host", b"signature")],
        body: body.as_bytes(),
    };
    let response = client::send(envoy.listener(module), &request).expect("an answer");
    serde_json::from_slice(&response.body).expect("an answer in JSON")
}

fn micros(nanos: &Value) -> f64 {
    nanos[0].as_f64().expect("the signature verifies") / 1_000.0
}
