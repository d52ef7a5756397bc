//! Parses JSON Web Keys that verify signatures (RFC 7517, RFC 7518 §6, RFC 8037 §2).
//!
//! 1. Each key of a set is checked separately. A rejected key is reported, and the others are used.
//! 2. A key is rejected if it must not verify signatures (`use`, `key_ops`) or has private members.
//! 3. A key with an `alg` is used with that algorithm only. The algorithm must fit the key.
//! 4. A shared secret is accepted in the configuration only, never over the network.
//! 5. Keys with the same `kid` are all kept, and all of them are candidates.
//! 6. A key with an `issuer` serves the tokens of that issuer only.
//! 7. Unknown members are ignored, including `x5c`, `x5u` and `x5t`.
//!
//! `members.rs` says what is read leniently.

mod embedded;
mod issuer;
mod members;

pub use self::embedded::embedded_key;
pub use self::issuer::KeyIssuer;
use self::members::Members;
pub use self::members::{Lenience, decode_leniently};
use super::signature::{Algorithm, Key, KeyFault};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The most keys of one set that are used.
pub const KEYS_MAX: usize = 100;

/// A key that verifies signatures, with its `kid` and `alg`.
#[derive(Clone, Debug)]
pub struct Jwk {
    id: KeyId,
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    issuer: Option<KeyIssuer>,
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
    /// The members of the usable keys that were read leniently.
    pub lenient: Vec<LenientJwk>,
}

/// A member of a key that was read leniently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key {index}: {lenience}")]
pub struct LenientJwk {
    /// The index of the key in `keys`, from 0.
    pub index: usize,
    /// The member, and what is not as the RFCs require.
    pub lenience: Lenience,
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
    /// A member is not base64, or has bits set after the last octet.
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
    /// The `issuer` is not a string, is empty, or has a malformed placeholder. Without the restriction, the key could
    /// verify the tokens of every issuer.
    #[error("`issuer`: expected text in which each `{{…}}` is a whole path segment")]
    Issuer,
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
        let mut lenient = Vec::new();
        let parsed = if index < KEYS_MAX {
            Jwk::parse_noting(entry, source, &mut lenient)
        } else {
            Err(JwkFault::TooMany {
                found: entries.len(),
            })
        };
        match parsed {
            Ok(key) => {
                set.keys.push(key);
                let lenient = lenient.into_iter();
                set.lenient
                    .extend(lenient.map(|lenience| LenientJwk { index, lenience }));
            }
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
        Self::parse_noting(value, source, &mut Vec::new())
    }

    /// Parses one JWK, and adds the members that are read leniently to `lenient`.
    fn parse_noting(
        value: &Value,
        source: Source,
        lenient: &mut Vec<Lenience>,
    ) -> Result<Self, JwkFault> {
        let mut members = Members::of(value, lenient)?;
        members.refuse_private()?;
        members.refuse_other_uses()?;
        let kid = members.optional_str("kid")?.map(str::to_owned);
        let issuer = members.issuer()?;
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
            issuer,
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

    /// The `issuer`.
    pub fn issuer(&self) -> Option<&KeyIssuer> {
        self.issuer.as_ref()
    }

    /// Whether this key may verify the tokens of the issuer `iss`.
    pub fn is_of(&self, iss: &str) -> bool {
        self.issuer.as_ref().is_none_or(|own| own.is_named_by(iss))
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

impl Members<'_, '_> {
    /// Rejects private members (RFC 7518 §6.2.2 and §6.3.2). `k` is not one of them, because a shared secret verifies
    /// with the same member as it signs.
    fn refuse_private(&mut self) -> Result<(), JwkFault> {
        let private = ["d", "p", "q", "dp", "dq", "qi", "oth"];
        // No early exit: each empty member is noted.
        let found = private
            .iter()
            .filter(|name| self.member(name).is_some())
            .count();
        if found > 0 {
            return Err(JwkFault::Private);
        }
        Ok(())
    }

    fn refuse_other_uses(&mut self) -> Result<(), JwkFault> {
        match self.optional_str("use")? {
            None | Some("sig") => {}
            Some(other) => return Err(JwkFault::Use(excerpt(other))),
        }
        let fault = JwkFault::Type {
            name: "key_ops",
            expected: "an array of strings",
        };
        match self.member("key_ops") {
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

    fn issuer(&mut self) -> Result<Option<KeyIssuer>, JwkFault> {
        let Some(issuer) = self.member("issuer") else {
            return Ok(None);
        };
        let parsed = issuer.as_str().and_then(KeyIssuer::parse);
        parsed.map(Some).ok_or(JwkFault::Issuer)
    }

    fn key(&mut self, source: Source) -> Result<Key, JwkFault> {
        match self.str("kty")? {
            "RSA" => self.rsa(),
            "EC" => self.ec(),
            "OKP" => self.okp(),
            "oct" if source == Source::Remote => Err(JwkFault::Symmetric),
            "oct" => self.oct(),
            other => Err(JwkFault::KtyUnknown(excerpt(other))),
        }
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
