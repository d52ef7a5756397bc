//! What the clients of the benchmark send: tokens, keys, passwords and proofs.

use std::thread;

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::possession::{Holder, Issuer};
use crate::support::{now, token};

pub const ISSUER: &str = "https://login.example.com";
pub const AUDIENCE: &str = "orders";
pub const SCOPE: &str = "orders:read";
pub const API_KEY: &str = "shop-7Qm2xV9kLwT4";
pub const USER: &str = "shop";
pub const PASSWORD: &str = "correct horse battery staple";
/// The bytes of a signature with RS256.
const SIGNATURE: usize = 256;

/// Distinct tokens, signed with two keys, and a client that proves the possession of a third.
pub struct Credentials {
    pub jwks: Value,
    pub rs256: Vec<String>,
    pub es256: Vec<String>,
    /// Tokens with wrong signatures.
    pub forged: Vec<String>,
    pub issuer: Issuer,
    pub holder: Holder,
}

impl Credentials {
    /// Signs `count` tokens with each key.
    pub fn mint(count: usize) -> Self {
        let rsa = token::read_key("tests/keys/rs256.json");
        let ec = token::read_key("tests/keys/es256.json");
        let issuer = Issuer::new();
        let rs256 = sign(&rsa, Algorithm::Rs256, count);
        Self {
            jwks: json!({"keys": [rsa.public_jwk(), ec.public_jwk()]}),
            forged: rs256.iter().map(|token| forged(token)).collect(),
            rs256,
            es256: sign(&ec, Algorithm::Es256, count),
            holder: issuer.client_of("user-0"),
            issuer,
        }
    }
}

/// Signs `count` tokens that differ in their subject and `jti`.
pub fn sign(key: &SigningKey, algorithm: Algorithm, count: usize) -> Vec<String> {
    let header = json!({"alg": algorithm.name(), "typ": "at+jwt", "kid": key.kid()});
    let now = now();
    in_parallel(count, &|number| {
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": format!("user-{number}"), "client_id": "shop",
            "iat": now - 60, "exp": now + 24 * 60 * 60, "jti": format!("{number:032x}"),
            "scope": format!("openid profile {SCOPE}")
        });
        let token = key.sign(algorithm, &header, claims.to_string().as_bytes());
        token.expect("the key serves the algorithm")
    })
}

/// The token with another signature of the same length. The number that it encodes is smaller than the key's modulus, so that
/// a verifier has to compute.
fn forged(token: &str) -> String {
    let (text, _) = token.rsplit_once('.').expect("a signature");
    let mut signature = [0; SIGNATURE];
    for (number, part) in (0_u8..).zip(signature.chunks_mut(32)) {
        part.copy_from_slice(&Sha256::digest([text.as_bytes(), &[number]].concat()));
    }
    signature[0] = 1;
    format!("{text}.{}", Base64UrlUnpadded::encode_string(&signature))
}

/// The results for each number below `count`. Their order does not matter.
pub fn in_parallel<T: Send>(count: usize, one: &(impl Fn(usize) -> T + Sync)) -> Vec<T> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let part = |worker| (worker..count).step_by(workers).map(one).collect();
    thread::scope(|scope| {
        let parts: Vec<_> = (0..workers)
            .map(|worker| scope.spawn(move || -> Vec<T> { part(worker) }))
            .collect();
        let parts = parts.into_iter();
        parts
            .flat_map(|part| part.join().expect("a result"))
            .collect()
    })
}

pub fn bearer(token: &str) -> (String, String) {
    ("authorization".to_owned(), format!("Bearer {token}"))
}

pub fn basic() -> (String, String) {
    let login = Base64::encode_string(format!("{USER}:{PASSWORD}").as_bytes());
    ("authorization".to_owned(), format!("Basic {login}"))
}

pub fn api_key() -> (String, String) {
    ("x-api-key".to_owned(), API_KEY.to_owned())
}

/// The SHA-256 of the API key, in hexadecimal digits.
pub fn api_key_hash() -> String {
    let hash = Sha256::digest(API_KEY);
    hash.iter().map(|octet| format!("{octet:02x}")).collect()
}
