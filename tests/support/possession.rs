//! Clients that prove what they possess, and the configuration of the filter that knows them.

use std::collections::BTreeMap;

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde::Deserialize as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::challenge::{self, Parsed};
use super::client::Response;
use super::digest::{DigestSpec, Target as DigestTarget};
use super::proof::{ProofSpec, Target as ProofTarget};
use super::token::Keys;
use super::{now, thumbprint};

/// The public origin, whatever the address of the Envoy of a test.
pub const ORIGIN: &str = "https://api.example.com";
/// The realm of every challenge.
pub const REALM: &str = "api";
/// The scope of every client.
pub const SCOPE: &str = "orders:read";
const ISSUER: &str = "https://as.example.com";
/// The user of [`digest_provider`].
pub const USER: &str = "lab";
/// Its password.
pub const PASSWORD: &str = "correct horse battery staple";

/// Issues tokens that are bound to keys.
pub struct Issuer {
    key: SigningKey,
}

impl Issuer {
    /// An issuer with a new key.
    pub fn new() -> Self {
        let key = SigningKey::generate(Algorithm::Es256);
        Self { key }
    }

    /// The provider `as`, which verifies the tokens and, as written, the proofs.
    pub fn provider(&self, dpop: &Value) -> Value {
        json!({"name": "as", "jwt": {
            "issuer": ISSUER, "audiences": ["orders"], "sender": "dpop", "dpop": dpop,
            "jwks": {"inline": {"keys": [self.key.public_jwk()]}},
        }})
    }

    /// A client that acts for this subject. Its token is valid for an hour.
    pub fn client_of(&self, subject: &str) -> Holder {
        Holder::new(ORIGIN, |cnf| {
            let claims = json!({
                "iss": ISSUER, "aud": "orders", "sub": subject, "iat": now(), "exp": now() + 3600,
                "scope": SCOPE,
                "cnf": cnf,
            });
            let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid()});
            let claims = claims.to_string();
            let token = self.key.sign(Algorithm::Es256, &header, claims.as_bytes());
            token.expect("the issuer signs")
        })
    }
}

/// A client with a key, and a token that is bound to it.
pub struct Holder {
    keys: Keys,
    token: String,
    /// The origin of the URLs in its proofs.
    origin: &'static str,
}

impl Holder {
    /// A client with a new key. `issue` creates a token with this `cnf` (RFC 7800).
    pub fn new(origin: &'static str, issue: impl FnOnce(&Value) -> String) -> Self {
        let key = SigningKey::generate(Algorithm::Es256);
        Self {
            token: issue(&json!({"jkt": thumbprint::of(&key.public_jwk())})),
            keys: BTreeMap::from([("client".to_owned(), key)]),
            origin,
        }
    }

    /// The same token with another key, as a client has it that has stolen the token.
    pub fn with_another_key(&self) -> Self {
        Self::new(self.origin, |_| self.token.clone())
    }

    /// A proof for a GET of a path, which no other proof is the same as.
    pub fn proof(&self, path: &str, nonce: Option<&str>) -> String {
        let mut written = json!({"key": "client", "token": "token"});
        if let Some(nonce) = nonce {
            written["claims"] = json!({"nonce": nonce});
        }
        let spec = ProofSpec::deserialize(&written).expect("a proof as a table writes it");
        let target = ProofTarget {
            method: "GET",
            url: &format!("{}{path}", self.origin),
            token: Some(&self.token),
        };
        spec.mint("proof", &self.keys, target, &str::to_owned, now())
    }

    /// The header fields of a request with a proof.
    pub fn fields(&self, proof: &str) -> Vec<(String, String)> {
        self.fields_after("DPoP ", proof)
    }

    /// The same, with this in place of the scheme and the space.
    pub fn fields_after(&self, scheme: &str, proof: &str) -> Vec<(String, String)> {
        let authorization = format!("{scheme}{}", self.token);
        vec![field("authorization", &authorization), field("dpop", proof)]
    }
}

/// The provider `scanners`: Digest with one user, and what else is written in it.
pub fn digest_provider(with: &Value) -> Value {
    let ha1 = Sha256::digest(format!("{USER}:{REALM}:{PASSWORD}"));
    let ha1: String = ha1.iter().map(|octet| format!("{octet:02x}")).collect();
    let user = json!({"name": USER, "ha1": {"SHA-256": ha1}, "scopes": [SCOPE]});
    let mut digest = json!({"users": [user]});
    for (name, value) in with.as_object().into_iter().flatten() {
        digest[name] = value.clone();
    }
    json!({"name": "scanners", "digest": digest})
}

/// The header fields of a GET of a path by the user of [`digest_provider`], for this challenge and the count of its nonce.
pub fn digest_fields(challenge: &Parsed, path: &str, count: u32) -> Vec<(String, String)> {
    digest_fields_of((USER, PASSWORD), challenge, path, count)
}

/// The same by a user with this name and password.
pub fn digest_fields_of(
    (user, password): (&str, &str),
    challenge: &Parsed,
    path: &str,
    count: u32,
) -> Vec<(String, String)> {
    let written =
        json!({"user": user, "password": password, "with": {"nc": format!("{count:08x}")}});
    let spec = DigestSpec::deserialize(&written).expect("a credential as a table writes it");
    let target = DigestTarget {
        method: "GET",
        path,
        body: b"",
    };
    let value = spec.answer(std::slice::from_ref(challenge), target, &str::to_owned);
    let value = String::from_utf8(value).expect("a name in ASCII");
    vec![field("authorization", &value)]
}

/// The challenge of Digest in a response.
///
/// # Panics
/// There is none.
pub fn digest_challenge(response: &Response) -> Parsed {
    let mut challenges = challenges(response);
    let digest = challenges.find(|challenge| challenge.scheme == "Digest");
    digest.unwrap_or_else(|| panic!("no challenge of Digest in {response:?}"))
}

/// The challenges of a response, in order.
pub fn challenges(response: &Response) -> impl Iterator<Item = Parsed> {
    let values = response.values("www-authenticate");
    values.map(|value| challenge::parse(&String::from_utf8_lossy(value)).expect("a challenge"))
}

/// The octets of a GET on a connection that stays open.
pub fn get(path: &str, fields: &[(String, String)]) -> Vec<u8> {
    let mut request = format!("GET {path} HTTP/1.1\r\nhost: api.example.com\r\n");
    for (name, value) in fields {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request.into_bytes()
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
