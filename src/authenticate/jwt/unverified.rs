//! A token before and after its signature is verified.
//!
//! The claims of an [`Unverified`] token are private to this file: of them the rest of the filter learns only the issuer,
//! the subject and whether the audience is accepted, as hints. [`Signed`] has them all. It is created only here, by a key
//! that verifies the signature.

use super::{Issuer, Jwt};
use crate::authenticate::jose::claims::{ClaimPath, Claims};
use crate::authenticate::jose::jwk::{Jwk, KeyId};
use crate::authenticate::jose::jws::{Compact, Header};
use crate::authenticate::jose::signature::{Backend, SignatureFault, Verify as _};
use crate::json::{self, Json};
use crate::reject::TokenFault;

/// Media types of JWTs that are never access tokens (RFC 8725 §3.11), without `application/`.
const OTHER_KINDS: [&str; 4] = [
    "dpop+jwt",
    "logout+jwt",
    "secevent+jwt",
    "token-introspection+jwt",
];

/// A parsed token. It is not verified.
pub struct Unverified<'a> {
    compact: &'a Compact<'a>,
    header: Header<'a>,
    claims: Claims<'a>,
}

/// A token whose signature is verified.
pub struct Signed<'t> {
    token: &'t Unverified<'t>,
    key: KeyId,
}

impl<'a> Unverified<'a> {
    /// Parses the header and the claims of a decoded token.
    ///
    /// # Errors
    /// [`TokenFault::Malformed`], [`TokenFault::Algorithm`], [`TokenFault::Extension`] or [`TokenFault::Type`].
    pub fn read(compact: &'a Compact<'a>) -> Result<Self, TokenFault> {
        let header = Header::parse(compact.header())?;
        let is_of = |kind: &&str| header.typ.as_deref().is_some_and(|typ| is_kind(typ, kind));
        if OTHER_KINDS.iter().any(is_of) {
            return Err(TokenFault::Type);
        }
        match json::parse(compact.payload()) {
            Ok(Json::Object(claims)) => Ok(Self {
                compact,
                header,
                claims,
            }),
            Ok(_) | Err(_) => Err(TokenFault::Malformed),
        }
    }

    /// The header.
    pub fn header(&self) -> &Header<'a> {
        &self.header
    }

    /// The issuer that the token names, or an empty text. It may be lying.
    pub fn claimed_issuer(&self) -> &str {
        let iss = self.claims.get("iss").and_then(Json::as_str);
        iss.unwrap_or_default()
    }

    /// Whether the token names this issuer. It may be lying.
    pub fn names(&self, issuer: &Issuer) -> bool {
        issuer.is_named_by(&self.claims)
    }

    /// The subject that the token names. It may be lying.
    pub fn claimed_subject(&self, path: &ClaimPath) -> Option<&str> {
        path.find::<Json<'_>>(&self.claims).and_then(Json::as_str)
    }

    /// Whether the token names an audience that the provider accepts. It may be lying.
    ///
    /// A token whose signature does not verify counts as a guess only if it could have passed. A token for another service
    /// could not, even if the issuer signed it.
    pub fn names_audience_of(&self, jwt: &Jwt) -> bool {
        jwt.check_audience(&self.claims).is_ok()
    }

    /// The token, if this key verifies its signature.
    ///
    /// # Errors
    /// [`SignatureFault`].
    pub fn signed_by<'t>(
        &'t self,
        key: &Jwk,
        backend: &dyn Backend,
    ) -> Result<Signed<'t>, SignatureFault> {
        let (input, signature) = (self.compact.signing_input(), self.compact.signature());
        backend.verify(self.header.algorithm, key.key(), input, signature)?;
        Ok(Signed {
            token: self,
            key: key.id().clone(),
        })
    }
}

impl<'t> Signed<'t> {
    /// The header.
    pub fn header(&self) -> &'t Header<'t> {
        &self.token.header
    }

    /// The claims.
    pub fn claims(&self) -> &'t Claims<'t> {
        &self.token.claims
    }

    /// The JSON text of the claims.
    pub fn payload(&self) -> &'t [u8] {
        self.token.compact.payload()
    }

    /// The key that verifies the signature.
    pub fn into_key(self) -> KeyId {
        self.key
    }
}

/// Whether a media type is `application/` and `kind`. Case is ignored, and `application/` is optional (RFC 7515
/// §4.1.9).
pub fn is_kind(typ: &str, kind: &str) -> bool {
    const PREFIX: &[u8] = b"application/";
    let typ = typ.as_bytes();
    let subtype = match typ.split_at_checked(PREFIX.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(PREFIX) => rest,
        _ => typ,
    };
    subtype.eq_ignore_ascii_case(kind.as_bytes())
}
