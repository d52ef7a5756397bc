//! What a request gets when its signature cannot be judged: no pass, and no blame.

use countersign::authenticate::jose::signature::{
    Algorithm, Backend, Key, Pure, Signed, Unavailable,
};
use countersign::config;
use countersign::evaluate::{Circumstances, Outcome, evaluate};
use countersign::mint::SigningKey;
use countersign::reject::{Code, Invalid, Reject, TokenFault, Unavailable as Unavailability};
use countersign::request::RequestView;
use countersign::response::reply;
use countersign::time::Timestamp;
use serde_json::json;

/// A host that fails for RSA keys.
struct FailsForRsa;

impl Backend for FailsForRsa {
    fn verifies(&self, signed: &Signed<'_>) -> Result<bool, Unavailable> {
        match signed.key() {
            Key::Rsa(_) => Err(Unavailable),
            _ => Pure.verifies(signed),
        }
    }
}

/// A host that fails the first time.
struct FailsOnce(std::cell::Cell<bool>);

impl Backend for FailsOnce {
    fn verifies(&self, signed: &Signed<'_>) -> Result<bool, Unavailable> {
        if self.0.replace(true) {
            Pure.verifies(signed)
        } else {
            Err(Unavailable)
        }
    }
}

const NOW: i64 = 1_800_000_000;

/// The refusal of a token of `signer` where these keys are known, and the answer to it.
fn refusal(
    keys: &[&SigningKey],
    signer: &SigningKey,
    backend: &dyn Backend,
) -> Option<(Reject, countersign::response::Reply)> {
    refusal_of(&[], keys, signer, backend)
}

/// The same for a request with these fields besides.
fn refusal_of(
    fields: &[(&[u8], &[u8])],
    keys: &[&SigningKey],
    signer: &SigningKey,
    backend: &dyn Backend,
) -> Option<(Reject, countersign::response::Reply)> {
    let jwks: Vec<_> = keys.iter().map(|key| key.public_jwk()).collect();
    let document = json!({"providers": [{"name": "corp", "jwt": {
        "issuer": "https://login.example.com", "audiences": ["orders"], "jwks": {"inline": {"keys": jwks}},
    }}]});
    let plan = config::load(document.to_string().as_bytes()).unwrap().plan;
    let algorithm = signer.algorithm().unwrap();
    let claims = json!({
        "iss": "https://login.example.com", "aud": "orders", "sub": "amy", "exp": NOW + 60,
    });
    let header = json!({"alg": algorithm.name()});
    let token = signer.sign(algorithm, &header, claims.to_string().as_bytes());
    let authorization = format!("Bearer {}", token.unwrap());
    let mut pairs: Vec<(&[u8], &[u8])> = vec![
        (b":method", b"GET"),
        (b":path", b"/"),
        (b":authority", b"api.example.com"),
        (b"authorization", authorization.as_bytes()),
    ];
    pairs.extend(fields);
    let request = RequestView::new(pairs);
    let now = Timestamp::from_millis(NOW * 1000);
    let outcome = evaluate(
        &plan,
        &request,
        &plan.empty_store(),
        Circumstances::new(backend, now),
        &mut (),
    );
    let Outcome::Decided(decision, _) = outcome else {
        panic!("the keys are in the document");
    };
    let answer = reply(&decision, &plan.presentation, &request, now);
    Some((decision.refusal()?, answer.unwrap()))
}

#[test]
fn a_signature_that_cannot_be_judged_is_503_without_a_challenge() {
    let key = SigningKey::generate(Algorithm::Rs256);
    let (reject, reply) = refusal(&[&key], &key, &FailsForRsa).unwrap();
    assert_eq!(reject, Reject::Unavailable(Unavailability::Crypto));
    let error = Some(Code::TemporarilyUnavailable);
    assert_eq!((reply.status, reply.error), (503, error));
    assert_eq!(reply.details, "countersign_crypto_unavailable");
    let has = |name| reply.headers.iter().any(|(own, _)| own == name);
    assert!(has("retry-after") && !has("www-authenticate"));
    // The host is asked for RSA alone; nothing else suffers.
    let other = SigningKey::generate(Algorithm::Es256);
    assert!(refusal(&[&key, &other], &other, &FailsForRsa).is_none());
}

/// G-07.
#[test]
fn a_call_whose_credential_cannot_be_judged_is_unavailable() {
    let key = SigningKey::generate(Algorithm::Rs256);
    let call = [(&b"content-type"[..], &b"application/grpc"[..])];
    let (_, reply) = refusal_of(&call, &[&key], &key, &FailsForRsa).unwrap();
    let field = |name| {
        let mut fields = reply.headers.iter();
        fields.find_map(|(own, value)| (own == name).then_some(value))
    };
    assert_eq!(field("grpc-status"), Some("14"));
    assert!(field("retry-after").is_some() && field("www-authenticate").is_none());
    assert_eq!(reply.body, "The request cannot be evaluated at the moment.");
}

#[test]
fn among_several_keys_one_that_verifies_decides_and_else_the_doubt() {
    let keys = [(); 3].map(|()| SigningKey::generate(Algorithm::Es256));
    let [one, two, stranger] = &keys;
    let fails_once = || FailsOnce(std::cell::Cell::new(false));
    assert!(refusal(&[one, two], two, &fails_once()).is_none());
    for signer in [one, stranger] {
        let (reject, _) = refusal(&[one, two], signer, &fails_once()).unwrap();
        assert_eq!(reject, Reject::Unavailable(Unavailability::Crypto));
    }
    let (reject, _) = refusal(&[one, two], stranger, &Pure).unwrap();
    assert_eq!(
        reject,
        Reject::Invalid(Invalid::Token(TokenFault::Signature))
    );
}
