//! JSON Web Keys to verify with: RFC 7517, RFC 7518 section 6, RFC 8037 section 2.
//!
//! 1. Each key of a set is judged alone: a refused one is reported, and the others serve.
//! 2. A key that may not verify signatures (`use`, `key_ops`) or carries private members is refused.
//! 3. A key that names its `alg` serves that algorithm and no other; the name must fit the key.
//! 4. A shared secret is taken from the configuration only, never over the network.
//! 5. Keys with the same `kid` are all kept: all of them are candidates.
//! 6. Members that we do not know are ignored, `x5c` and its like among them.

use super::{
    base64url,
    signature::{Algorithm, Key, KeyFault},
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The most keys of one set that are taken.
pub const KEYS_MAX: usize = 100;

/// A key that verifies, with what its issuer said of it.
#[derive(Clone, Debug)]
pub struct Jwk {
    id: KeyId,
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    key: Key,
}

/// Tells keys apart: the SHA-256 of the JWK's JSON. What its issuer changes in any way is another key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyId([u8; 32]);

#[cfg(test)]
impl KeyId {
    /// That of no key.
    pub(super) const NONE: Self = Self([0; 32]);
}

/// Where keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The operator's configuration: may hold shared secrets.
    Inline,
    /// Anything else: a `jwks_uri`, the `jwk` of a proof. Public keys only.
    Remote,
}

/// The keys of a set, in its order.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    /// The keys that serve.
    pub keys: Vec<Jwk>,
    /// The entries that do not.
    pub refused: Vec<RefusedJwk>,
}

/// An entry of a set that is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key {index}: {fault}")]
pub struct RefusedJwk {
    /// Its place in `keys`, from 0.
    pub index: usize,
    /// Its `kid`, if that is a string. Of any length and content.
    pub kid: Option<String>,
    /// What is wrong with it.
    #[source]
    pub fault: JwkFault,
}

/// Why a value is no JWK Set: RFC 7517 section 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkSetFault {
    /// The value is of another type.
    #[error("a key set is an object")]
    NotAnObject,
    /// `keys` is missing or of another type.
    #[error("a key set has an array `keys`")]
    NoKeys,
}

/// Why a key is not used. Text that came with the key is escaped and cut short.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkFault {
    /// The entry is of another type.
    #[error("a key is an object")]
    NotAnObject,
    /// The set is too long; this entry and those after it were not looked at.
    #[error("the set has {found} keys; the first {KEYS_MAX} are taken")]
    TooMany {
        /// How many entries there are.
        found: usize,
    },
    /// A member that the key needs is not there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A member has the wrong type.
    #[error("`{name}` is not {expected}")]
    Type {
        /// The member.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A member is not unpadded, canonical base64url.
    #[error("`{0}` is not base64url")]
    Base64(&'static str),
    /// RFC 7517 section 9.2: whoever can read this can sign.
    #[error("holds private members")]
    Private,
    /// RFC 7517 section 4.2.
    #[error("use is `{0}`")]
    Use(String),
    /// RFC 7517 section 4.3.
    #[error("key_ops does not name `verify`")]
    KeyOps,
    /// RFC 7517 section 4.1.
    #[error("unknown kty `{0}`")]
    KtyUnknown(String),
    /// RFC 7518 section 6.2.1.1, RFC 8037 section 2.
    #[error("unknown crv `{0}`")]
    CrvUnknown(String),
    /// A secret that came over the network is shared with too many.
    #[error("a shared secret is taken from the configuration only")]
    Symmetric,
    /// RFC 7517 section 4.4.
    #[error("unknown alg `{0}`")]
    AlgUnknown(String),
    /// The type, curve or length of the key does not serve its own `alg`.
    #[error("the key does not serve its alg `{0}`")]
    AlgMismatch(Algorithm),
    /// The numbers are no key.
    #[error(transparent)]
    Key(#[from] KeyFault),
}

/// Reads a JWK Set: RFC 7517 section 5.
///
/// # Errors
///
/// `value` is no object with an array `keys`. Faults of single keys are in
/// [`refused`](JwkSet::refused).
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
        // One entry speaks for all that follow.
        if index == KEYS_MAX {
            break;
        }
    }
    Ok(set)
}

impl Jwk {
    /// Reads one JWK.
    ///
    /// # Errors
    ///
    /// [`JwkFault`]: the key may not, cannot or should not verify signatures.
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

    /// What tells this key from others.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The `kid`.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The `alg`: the one algorithm that the key is meant for, if it names one.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The key itself.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Whether a signature by `algorithm` may be verified with this key: its type serves the
    /// algorithm, and its own `alg`, if it has one, is the same. RFC 8725 section 3.1.
    pub fn serves(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|own| own == algorithm) && self.key.fits(algorithm)
    }
}

/// The members of one JWK.
struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    /// RFC 7518 sections 6.2.2 and 6.3.2. (`k` of a shared secret is not among them: there,
    /// verifying takes the same member as signing.)
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

/// A stranger's text, fit for a log line.
fn excerpt(text: &str) -> String {
    text.chars()
        .take(32)
        .flat_map(char::escape_default)
        .collect()
}

#[cfg(test)]
mod tests;
