//! The members of a JWK, and what of them is read leniently.
//!
//! Issuers publish keys in more spellings than RFC 7517 and RFC 7518 §6 allow. The filter reads those that can mean only
//! one key. Tokens are never read so: there a second spelling would be a second token.
//!
//! 1. A member that is `null` or `[]` counts as absent. An empty text is a value.
//! 2. Octets may be padded, and may use the alphabet of base64 (RFC 4648 §4).
//! 3. The numbers of an RSA key may have leading zero octets.
//! 4. A coordinate may have more or fewer leading zero octets than its curve requires.

use std::fmt;

use serde_json::{Map, Value};

use super::{JwkFault, excerpt};
use crate::authenticate::jose::base64url;
use crate::authenticate::jose::signature::{Key, KeyFault};

/// A member that was read leniently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lenience {
    /// The member.
    pub name: &'static str,
    /// What is not as the RFCs require.
    what: &'static str,
}

impl fmt::Display for Lenience {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` {}", self.name, self.what)
    }
}

/// The members of one JWK.
pub(super) struct Members<'a, 'l> {
    members: &'a Map<String, Value>,
    lenient: &'l mut Vec<Lenience>,
}

impl<'a, 'l> Members<'a, 'l> {
    /// The members of `value`. What is read leniently is added to `lenient`.
    pub(super) fn of(value: &'a Value, lenient: &'l mut Vec<Lenience>) -> Result<Self, JwkFault> {
        let members = value.as_object().ok_or(JwkFault::NotAnObject)?;
        Ok(Self { members, lenient })
    }

    /// A member that is present.
    pub(super) fn member(&mut self, name: &'static str) -> Option<&'a Value> {
        let what = match self.members.get(name)? {
            Value::Null => "is null",
            Value::Array(items) if items.is_empty() => "is an empty list",
            value => return Some(value),
        };
        self.lenient(name, what);
        None
    }

    pub(super) fn optional_str(&mut self, name: &'static str) -> Result<Option<&'a str>, JwkFault> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(JwkFault::Type {
                name,
                expected: "a string",
            }),
        }
    }

    pub(super) fn str(&mut self, name: &'static str) -> Result<&'a str, JwkFault> {
        self.optional_str(name)?.ok_or(JwkFault::Missing(name))
    }

    /// A public RSA key (RFC 7518 §6.3.1).
    pub(super) fn rsa(&mut self) -> Result<Key, JwkFault> {
        Ok(Key::rsa(&self.number("n", 0)?, &self.number("e", 0)?)?)
    }

    /// A public key on a NIST curve (RFC 7518 §6.2.1).
    pub(super) fn ec(&mut self) -> Result<Key, JwkFault> {
        type New = fn(&[u8], &[u8]) -> Result<Key, KeyFault>;
        let (new, length): (New, usize) = match self.str("crv")? {
            "P-256" => (Key::p256, 32),
            "P-384" => (Key::p384, 48),
            "P-521" => (Key::p521, 66),
            other => return Err(JwkFault::CrvUnknown(excerpt(other))),
        };
        let (x, y) = (self.number("x", length)?, self.number("y", length)?);
        Ok(new(&x, &y)?)
    }

    /// A public key on edwards25519 (RFC 8037 §2). Its octets are no number, so none can be missing.
    pub(super) fn okp(&mut self) -> Result<Key, JwkFault> {
        match self.str("crv")? {
            "Ed25519" => Ok(Key::ed25519(&self.octets("x")?)?),
            other => Err(JwkFault::CrvUnknown(excerpt(other))),
        }
    }

    /// A shared secret (RFC 7518 §6.4).
    pub(super) fn oct(&mut self) -> Result<Key, JwkFault> {
        Ok(Key::hmac(&self.octets("k")?)?)
    }

    /// A big-endian number in at least `length` octets: a Base64urlUInt has the minimum number of octets (RFC 7518 §2), and
    /// a coordinate has the length of the field (RFC 7518 §6.2.1.2).
    fn number(&mut self, name: &'static str, length: usize) -> Result<Vec<u8>, JwkFault> {
        let octets = self.octets(name)?;
        // An empty text is no coordinate, and not the coordinate 0.
        if octets.is_empty() || octets.len() == length {
            return Ok(octets);
        }
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        let digits = octets.get(zeros..).unwrap_or_default();
        let mut number = vec![0; length.saturating_sub(digits.len())];
        number.extend_from_slice(digits);
        if number.len() < octets.len() {
            self.lenient(name, "has leading zero octets");
        } else if number.len() > octets.len() {
            self.lenient(name, "lacks leading zero octets");
        }
        Ok(number)
    }

    fn octets(&mut self, name: &'static str) -> Result<Vec<u8>, JwkFault> {
        let text = self.str(name)?;
        if let Some(octets) = base64url::decode(text.as_bytes()) {
            return Ok(octets);
        }
        let octets = decode_leniently(text).ok_or(JwkFault::Base64(name))?;
        self.lenient(name, "is not unpadded base64url");
        Ok(octets)
    }

    fn lenient(&mut self, name: &'static str, what: &'static str) {
        self.lenient.push(Lenience { name, what });
    }
}

/// Decodes base64 of either alphabet, with or without padding. Bits after the last octet must be zero, as for tokens.
pub fn decode_leniently(text: &str) -> Option<Vec<u8>> {
    let characters = text.trim_end_matches('=').bytes();
    let canonical: Vec<u8> = characters
        .map(|character| match character {
            b'+' => b'-',
            b'/' => b'_',
            other => other,
        })
        .collect();
    base64url::decode(&canonical)
}
