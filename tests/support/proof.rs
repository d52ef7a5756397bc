//! The DPoP proofs of a table (RFC 9449 §4.2): written down as what differs from a right proof, signed when the request is
//! sent.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use countersign::mint::SigningKey;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::nonce::Nonces;
use super::token::{Keys, TokenSpec};

/// A proof as a table writes it: as a token, and with what only a proof has.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct ProofSpec {
    /// The name of the access token, which `ath` is the hash of. Without it there is no `ath`.
    pub token: Option<String>,
    /// What differs in `jwk` from the public half of the key that signs.
    jwk: JwkSpec,
    /// A `TokenSpec` of what differs from a right proof.
    written: Value,
}

/// What differs in a key from the one that signs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct JwkSpec {
    /// The name of another key.
    key: Option<String>,
    #[serde(default)]
    set: Map<String, Value>,
    #[serde(default)]
    drop: Vec<String>,
}

impl TryFrom<Map<String, Value>> for ProofSpec {
    type Error = serde_json::Error;

    fn try_from(mut written: Map<String, Value>) -> Result<Self, Self::Error> {
        let token = written.remove("token").unwrap_or_default();
        let jwk = written.remove("jwk").unwrap_or_else(|| json!({}));
        let written = Value::Object(written);
        TokenSpec::deserialize(&written)?;
        Ok(Self {
            token: serde_json::from_value(token)?,
            jwk: serde_json::from_value(jwk)?,
            written,
        })
    }
}

/// The request that a proof is for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'t> {
    pub method: &'t str,
    /// The URL without query and fragment.
    pub url: &'t str,
    /// The access token, if the proof names one.
    pub token: Option<&'t str>,
}

impl ProofSpec {
    /// Whether it has the nonce of a refusal.
    pub fn needs_nonce(&self) -> bool {
        Nonces::are_in(&self.written.to_string())
    }

    /// A proof: right, except for what the table writes. `jti` is new each time. `fill` replaces what stands for nonces.
    ///
    /// # Panics
    /// The table is wrong.
    pub fn mint(
        &self,
        name: &str,
        keys: &Keys,
        target: Target<'_>,
        fill: &dyn Fn(&str) -> String,
        now: i64,
    ) -> String {
        let mut written = self.written.clone();
        replace(&mut written, &mut |text| fill(text));
        let spec: TokenSpec = serde_json::from_value(written).expect("it was read before");
        let Some(signer) = spec.key() else {
            return spec.mint(name, keys, now);
        };
        let find = |key: &str| -> SigningKey {
            let key = keys.get(key).cloned();
            // A proof has the key, and no name of it.
            key.unwrap_or_else(|| panic!("{name}: no key has this name"))
                .with_kid(None)
        };
        let key = find(signer);
        let algorithm = key.algorithm().map(|algorithm| algorithm.name());
        let shown = self.jwk.key.as_deref().map_or_else(|| key.clone(), find);
        let jwk = shown.with_algorithm(None).public_jwk();
        let header = members(json!({
            "typ": "dpop+jwt",
            "alg": algorithm,
            "jwk": self.jwk.changed(jwk),
        }));
        let mut claims = members(json!({
            "jti": random(),
            "htm": target.method,
            "htu": target.url,
            "iat": now,
        }));
        if let Some(token) = target.token {
            claims.insert("ath".to_owned(), json!(hash(token)));
        }
        let mut keys = keys.clone();
        keys.insert(signer.to_owned(), key);
        let spec = spec.with_defaults(header, claims);
        spec.mint(name, &keys, now)
    }
}

impl JwkSpec {
    fn changed(&self, jwk: Value) -> Value {
        let mut members = members(jwk);
        members.extend(self.set.clone());
        members.retain(|name, _| !self.drop.contains(name));
        Value::Object(members)
    }
}

/// The hash of an access token (RFC 9449 §4.2, `ath`).
fn hash(token: &str) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(token))
}

/// A text that no other has (RFC 9449 §4.2, `jti`).
pub fn random() -> String {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).expect("the system has random octets");
    Base64UrlUnpadded::encode_string(&octets)
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

/// Replaces within every text.
pub fn replace(value: &mut Value, fill: &mut dyn FnMut(&str) -> String) {
    match value {
        Value::String(text) => *text = fill(text),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, fill)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| replace(member, fill)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// RFC 9449 §7.1.
#[test]
fn the_hash_of_the_rfc_is_computed() {
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    assert_eq!(hash(token), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
}
