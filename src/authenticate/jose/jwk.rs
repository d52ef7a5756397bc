//! Parses JSON Web Keys that verify signatures (RFC 7517, RFC 7518 §6, RFC 8037 §2).
//!
//! 1. Each key of a set is checked separately. A rejected key is reported, and the others are used.
//! 2. A key is rejected if it must not verify signatures (`use`, `key_ops`) or has private members.
//! 3. A key with an `alg` is used with that algorithm only. The algorithm must fit the key.
//! 4. A shared secret is accepted in the configuration only, never over the network.
//! 5. Keys with the same `kid` are all kept, and all of them are candidates.
//! 6. Unknown members are ignored, including `x5c`, `x5u` and `x5t`.

use super::{
    base64url,
    signature::{Algorithm, Key, KeyFault},
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The most keys of one set that are used.
pub const KEYS_MAX: usize = 100;

/// A key that verifies signatures, with its `kid` and `alg`.
#[derive(Clone, Debug)]
pub struct Jwk {
    id: KeyId,
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    key: Key,
}

/// The identity of a key: the SHA-256 of its JSON. A JWK with any change is another key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyId([u8; 32]);

#[cfg(test)]
impl KeyId {
    /// An identity that no key has.
    pub(in crate::authenticate) const NONE: Self = Self([0; 32]);
}

/// The source of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The configuration, which may contain shared secrets.
    Inline,
    /// Any other source, such as a `jwks_uri` or the `jwk` of a proof. Only public keys are accepted.
    Remote,
}

/// The keys of a set, in its order.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    /// The keys that can be used.
    pub keys: Vec<Jwk>,
    /// The rejected entries.
    pub refused: Vec<RefusedJwk>,
}

/// A rejected entry of a set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key {index}: {fault}")]
pub struct RefusedJwk {
    /// Its index in `keys`, from 0.
    pub index: usize,
    /// Its `kid`, if that is a string; its length and content are unchecked.
    pub kid: Option<String>,
    /// Why it is rejected.
    #[source]
    pub fault: JwkFault,
}

/// Why a value is not a JWK Set (RFC 7517 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkSetFault {
    /// The value is not an object.
    #[error("a key set must be an object")]
    NotAnObject,
    /// `keys` is missing or not an array.
    #[error("a key set must have an array `keys`")]
    NoKeys,
}

/// Why a key is rejected. Text of the key is escaped and truncated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkFault {
    /// The entry is not an object.
    #[error("a key must be an object")]
    NotAnObject,
    /// The set is too long. This entry and those after it were ignored.
    #[error("expected at most {KEYS_MAX} keys, found {found}; the others are ignored")]
    TooMany {
        /// The number of entries.
        found: usize,
    },
    /// A required member is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A member has the wrong type.
    #[error("`{name}` is not {expected}")]
    Type {
        /// The member.
        name: &'static str,
        /// The expected type.
        expected: &'static str,
    },
    /// A member is not unpadded, canonical base64url.
    #[error("`{0}` is not base64url")]
    Base64(&'static str),
    /// The key has private members. Anyone who can read them can sign (RFC 7517 §9.2).
    #[error("expected a public key, found a private key")]
    Private,
    /// The key has another `use` (RFC 7517 §4.2).
    #[error("`use`: expected `sig`, found `{0}`")]
    Use(String),
    /// `verify` is not among its `key_ops` (RFC 7517 §4.3).
    #[error("`key_ops`: expected `verify` in the list")]
    KeyOps,
    /// The type of the key is unknown (RFC 7517 §4.1).
    #[error("unknown `kty`: `{0}`")]
    KtyUnknown(String),
    /// The curve is unknown (RFC 7518 §6.2.1.1, RFC 8037 §2).
    #[error("unknown `crv`: `{0}`")]
    CrvUnknown(String),
    /// The key is a shared secret outside the configuration. Everyone who can fetch it can sign.
    #[error("a shared secret is accepted in `inline` keys only")]
    Symmetric,
    /// The algorithm is unknown (RFC 7517 §4.4).
    #[error("unknown `alg`: `{0}`")]
    AlgUnknown(String),
    /// The `alg` does not fit the type, curve or length of the key.
    #[error("the key cannot be used with its `alg` `{0}`")]
    AlgMismatch(Algorithm),
    /// The numbers are not a valid key.
    #[error(transparent)]
    Key(#[from] KeyFault),
}

/// Parses a JWK Set (RFC 7517 §5).
///
/// # Errors
///
/// `value` is not an object with an array `keys`. The faults of single keys are in [`refused`](JwkSet::refused).
pub fn parse_set(value: &Value, source: Source) -> Result<JwkSet, JwkSetFault> {
    let members = value.as_object().ok_or(JwkSetFault::NotAnObject)?;
    let Some(Value::Array(entries)) = members.get("keys") else {
        return Err(JwkSetFault::NoKeys);
    };
    let mut set = JwkSet::default();
    for (index, entry) in entries.iter().enumerate() {
        let parsed = if index < KEYS_MAX {
            Jwk::parse(entry, source)
        } else {
            Err(JwkFault::TooMany {
                found: entries.len(),
            })
        };
        match parsed {
            Ok(key) => set.keys.push(key),
            Err(fault) => set.refused.push(RefusedJwk {
                index,
                kid: entry.get("kid").and_then(Value::as_str).map(str::to_owned),
                fault,
            }),
        }
        // One fault is reported for all entries that follow.
        if index == KEYS_MAX {
            break;
        }
    }
    Ok(set)
}

impl Jwk {
    /// Parses one JWK.
    ///
    /// # Errors
    ///
    /// [`JwkFault`]: the key is invalid or must not verify signatures.
    pub fn parse(value: &Value, source: Source) -> Result<Self, JwkFault> {
        let members = Members(value.as_object().ok_or(JwkFault::NotAnObject)?);
        members.refuse_private()?;
        members.refuse_other_uses()?;
        let kid = members.optional_str("kid")?.map(str::to_owned);
        let key = members.key(source)?;
        let algorithm = match members.optional_str("alg")? {
            None => None,
            Some(name) => Some(
                Algorithm::from_name(name).ok_or_else(|| JwkFault::AlgUnknown(excerpt(name)))?,
            ),
        };
        if let Some(algorithm) = algorithm
            && !key.fits(algorithm)
        {
            return Err(JwkFault::AlgMismatch(algorithm));
        }
        Ok(Self {
            id: KeyId(Sha256::digest(value.to_string()).into()),
            kid,
            algorithm,
            key,
        })
    }

    /// The identity of the key.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The `kid`.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The `alg`, the only algorithm that the key is used with.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The key itself.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Whether this key may verify a signature with `algorithm`: the algorithm fits the key, and equals its `alg` if it
    /// has one (RFC 8725 §3.1).
    pub fn serves(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|own| own == algorithm) && self.key.fits(algorithm)
    }
}

/// The members of one JWK.
struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    /// Rejects private members (RFC 7518 §6.2.2 and §6.3.2). `k` is not one of them, because a shared secret verifies
    /// with the same member as it signs.
    fn refuse_private(&self) -> Result<(), JwkFault> {
        let private = ["d", "p", "q", "dp", "dq", "qi", "oth"];
        if private.iter().any(|name| self.0.contains_key(*name)) {
            return Err(JwkFault::Private);
        }
        Ok(())
    }

    fn refuse_other_uses(&self) -> Result<(), JwkFault> {
        match self.optional_str("use")? {
            None | Some("sig") => {}
            Some(other) => return Err(JwkFault::Use(excerpt(other))),
        }
        let fault = JwkFault::Type {
            name: "key_ops",
            expected: "an array of strings",
        };
        match self.0.get("key_ops") {
            None => Ok(()),
            Some(Value::Array(operations)) if operations.iter().all(Value::is_string) => {
                if operations.iter().any(|operation| operation == "verify") {
                    Ok(())
                } else {
                    Err(JwkFault::KeyOps)
                }
            }
            Some(_) => Err(fault),
        }
    }

    fn key(&self, source: Source) -> Result<Key, JwkFault> {
        let key = match self.str("kty")? {
            "RSA" => Key::rsa(&self.octets("n")?, &self.octets("e")?)?,
            "EC" => {
                let new = match self.str("crv")? {
                    "P-256" => Key::p256,
                    "P-384" => Key::p384,
                    "P-521" => Key::p521,
                    other => return Err(JwkFault::CrvUnknown(excerpt(other))),
                };
                new(&self.octets("x")?, &self.octets("y")?)?
            }
            "OKP" => match self.str("crv")? {
                "Ed25519" => Key::ed25519(&self.octets("x")?)?,
                other => return Err(JwkFault::CrvUnknown(excerpt(other))),
            },
            "oct" if source == Source::Remote => return Err(JwkFault::Symmetric),
            "oct" => Key::hmac(&self.octets("k")?)?,
            other => return Err(JwkFault::KtyUnknown(excerpt(other))),
        };
        Ok(key)
    }

    fn optional_str(&self, name: &'static str) -> Result<Option<&'a str>, JwkFault> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(JwkFault::Type {
                name,
                expected: "a string",
            }),
        }
    }

    fn str(&self, name: &'static str) -> Result<&'a str, JwkFault> {
        self.optional_str(name)?.ok_or(JwkFault::Missing(name))
    }

    fn octets(&self, name: &'static str) -> Result<Vec<u8>, JwkFault> {
        base64url::decode(self.str(name)?.as_bytes()).ok_or(JwkFault::Base64(name))
    }
}

/// The first 32 characters of a text that is not trusted, escaped for a log line.
fn excerpt(text: &str) -> String {
    text.chars()
        .take(32)
        .flat_map(char::escape_default)
        .collect()
}

#[cfg(test)]
mod tests;
