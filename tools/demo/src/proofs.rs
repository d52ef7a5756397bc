//! `envoy/proofs.yaml`: proofs of a password (Digest, RFC 7616), and tokens that are bound to a key (DPoP, RFC 9449).

use std::sync::Arc;

use serde_json::{Value, json};

use crate::situation::{Credential, Field, Situation};
use crate::support::example::Mint;
use crate::support::possession::{self, Holder};

/// The user of the example, and the password.
const LAB: &str = "lab";
const PASSWORD: &str = "rack-7-Lm3pQ8xW";
/// The origin of the example, which proofs are for.
const ORIGIN: &str = "https://orders.example.com";
/// The issuer of the partners' tokens.
const PARTNERS: &str = "https://login.partners.example.com";

const SCANS: &str = "/scans/7";
const ORDERS: &str = "/orders/17";
const PAYMENTS: &str = "/payments/3";

const DIGEST: &str = r#"Digest realm="orders""#;
const STALE: &str = r#"Digest realm="orders", stale=true"#;
const DPOP: &str = r#"DPoP realm="orders""#;
const INVALID_PROOF: &str = r#"DPoP realm="orders", error="invalid_dpop_proof""#;
const INVALID_TOKEN: &str = r#"DPoP realm="orders", error="invalid_token""#;
const USE_NONCE: &str = r#"DPoP realm="orders", error="use_dpop_nonce""#;

/// Proofs that are right, used before, and of another secret.
pub fn situations(mint: &Mint) -> Vec<Situation> {
    let client = |mut claims: Value| {
        Arc::new(Holder::new(ORIGIN, |cnf| {
            claims["cnf"] = cnf.clone();
            mint.token(&claims)
        }))
    };
    let alice = client(json!({"scope": "orders:read"}));
    let thief = Arc::new(alice.with_another_key());
    let bob = client(json!({"iss": PARTNERS, "sub": "bob", "scope": "payments:write"}));
    let after_bearer = alice.fields_after("Bearer ", &alice.proof(ORDERS, None));
    let get = |path, content, credential| {
        let support = if path == SCANS {
            "Digest"
        } else {
            "DPoP proofs"
        };
        Situation::get(path, content, credential).beyond_tokens(support)
    };
    vec![
        get(SCANS, "no credential", Credential::NONE).expect(
            401,
            DIGEST,
            "the challenge has a nonce",
        ),
        get(SCANS, "a response to the nonce", digest(PASSWORD)).expect(
            200,
            "",
            "the password is right",
        ),
        get(SCANS, "the same response again", Credential::Repeated).expect(
            401,
            STALE,
            "each count of a nonce is accepted once",
        ),
        get(SCANS, "a response to the new nonce", digest(PASSWORD)).expect(
            200,
            "",
            "clients need not ask the user again",
        ),
        get(SCANS, "a wrong password", digest("rack-8")).expect(
            401,
            DIGEST,
            "the response is wrong",
        ),
        get(ORDERS, "no credential", Credential::NONE).expect(
            401,
            DPOP,
            "the rule requires a token that is bound to a key",
        ),
        get(ORDERS, "a token and a proof", dpop(&alice, ORDERS)).expect(
            200,
            "",
            "the proof is by the key of the token",
        ),
        get(ORDERS, "the same proof again", Credential::Repeated).expect(
            401,
            INVALID_PROOF,
            "each proof is accepted once",
        ),
        get(ORDERS, "a proof for another path", dpop(&alice, PAYMENTS)).expect(
            401,
            INVALID_PROOF,
            "a proof is for one method and URL",
        ),
        get(ORDERS, "a proof by another key", dpop(&thief, ORDERS)).expect(
            401,
            INVALID_TOKEN,
            "the token is bound to the key of its client",
        ),
        get(
            ORDERS,
            "the token after `Bearer`",
            Credential::Fixed(fields(after_bearer)),
        )
        .expect(401, DPOP, "the provider accepts tokens after `DPoP` only"),
        get(PAYMENTS, "a proof without a nonce", dpop(&bob, PAYMENTS)).expect(
            401,
            USE_NONCE,
            "the provider requires a nonce, which the response has",
        ),
        get(PAYMENTS, "a proof with the nonce", dpop(&bob, PAYMENTS)).expect(
            200,
            "",
            "the nonce is of this Envoy",
        ),
    ]
}

/// The user `lab` with this password, for the challenge before.
fn digest(password: &'static str) -> Credential {
    Credential::Answer(Box::new(move |challenged| {
        let challenge = possession::digest_challenge(challenged);
        fields(possession::digest_fields_of(
            (LAB, password),
            &challenge,
            SCANS,
            1,
        ))
    }))
}

/// A token and a proof for a path, with the nonce of the challenge before if it has one.
fn dpop(holder: &Arc<Holder>, path: &'static str) -> Credential {
    let holder = Arc::clone(holder);
    Credential::Answer(Box::new(move |challenged| {
        let nonce = challenged.values("dpop-nonce").next();
        let nonce = nonce.map(|nonce| std::str::from_utf8(nonce).expect("a nonce in ASCII"));
        fields(holder.fields(&holder.proof(path, nonce)))
    }))
}

fn fields(texts: Vec<(String, String)>) -> Vec<Field> {
    let fields = texts.into_iter();
    fields
        .map(|(name, value)| (name, value.into_bytes()))
        .collect()
}
