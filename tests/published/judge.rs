//! One question about a signature, put to a backend: in a test, or in a module within Envoy.
//!
//! A question is `{"jwk", "jws"}`, a whole token, or `{"jwk", "alg", "message", "signature"}`, octets in base64url.

use countersign::authenticate::jose::base64url;
use countersign::authenticate::jose::jwk::{Jwk, Source};
use countersign::authenticate::jose::jws::{Compact, Header};
use countersign::authenticate::jose::signature::{
    Algorithm, Backend, Key, SignatureFault, Verify as _,
};
use serde_json::Value;

/// Judges as the gate does, without the claims: the payload, or where it ended.
pub fn judge(backend: &dyn Backend, question: &Value) -> Result<Vec<u8>, String> {
    let jwk = jwk(question)?;
    let Some(token) = question["jws"].as_str() else {
        let verdict = prepared(question, |algorithm, key, message, signature| {
            twice(backend, algorithm, key, message, signature)
        });
        return verdict?
            .map(|()| Vec::new())
            .map_err(|fault| fault.to_string());
    };
    let jws = Compact::parse(token.as_bytes()).map_err(|fault| format!("token: {fault}"))?;
    let header = Header::parse(jws.header()).map_err(|fault| format!("token: {fault}"))?;
    if !jwk.serves(header.algorithm) {
        return Err(format!("the key does not serve {}", header.algorithm));
    }
    twice(
        backend,
        header.algorithm,
        jwk.key(),
        jws.signing_input(),
        jws.signature(),
    )
    .map_err(|fault| fault.to_string())?;
    Ok(jws.payload().to_vec())
}

/// Verifies twice: from the second signature on, a key verifies with what was computed for it.
fn twice(
    backend: &dyn Backend,
    algorithm: Algorithm,
    key: &Key,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureFault> {
    let [first, second] = [(); 2].map(|()| backend.verify(algorithm, key, message, signature));
    assert_eq!(
        first, second,
        "the first and the second verification with a key differ"
    );
    first
}

/// Reads a question about bare octets, and hands over what it asks.
pub fn prepared<T>(
    question: &Value,
    ask: impl FnOnce(Algorithm, &Key, &[u8], &[u8]) -> T,
) -> Result<T, String> {
    let jwk = jwk(question)?;
    let text = |name: &str| question[name].as_str().ok_or(format!("no `{name}`"));
    let algorithm = Algorithm::from_name(text("alg")?).ok_or("unknown `alg`")?;
    let octets =
        |name| base64url::decode(text(name)?.as_bytes()).ok_or(format!("`{name}` is no base64url"));
    let (message, signature) = (octets("message")?, octets("signature")?);
    Ok(ask(algorithm, jwk.key(), &message, &signature))
}

fn jwk(question: &Value) -> Result<Jwk, String> {
    Jwk::parse(&question["jwk"], Source::Inline).map_err(|fault| format!("key: {fault}"))
}
