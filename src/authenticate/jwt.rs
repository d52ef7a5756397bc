//! JSON Web Tokens: from a token to claims that may be believed (RFC 7519 §7.2, RFC 8725).
//!
//! The order is the argument. Before the signature is checked only the issuer and the key identifier are looked at,
//! as hints to which key to use; every other claim is read from a [`Verified`] value, which nothing else can make:
//!
//! 1. three segments of canonical base64url; header and claims are JSON objects without a repeated member;
//! 2. the header asks for nothing that is not understood (`crit`, `b64`, `zip`), and its type is not another kind's;
//! 3. the issuer is the provider's;
//! 4. a key of the provider has the token's key identifier and may serve its algorithm;
//! 5. the signature is right;
//! 6. times, audience, required claims and their types.

use std::time::Duration;

use serde_json::Value;

use super::claims::{ClaimNames, Claims, numeric_date};
use super::jwk::Jwk;
use super::jws::{Compact, Header, JwsFault};
use super::signature::{Algorithm, Backend, SignatureFault, Verify as _};
use crate::json;
use crate::reject::{Reject, TokenFault};
use crate::time::Timestamp;

/// Tokens longer than this are refused unread, in bytes. Envoy's default limit for a whole head is 60 KiB.
const MAX_TOKEN: usize = 32 * 1024;

/// How many keys are tried for a token that does not say which is meant.
const MAX_CANDIDATES: usize = 4;

/// Media types of JWTs that are never access tokens (RFC 8725 §3.11), without `application/`.
const OTHER_KINDS: [&str; 4] = [
    "dpop+jwt",
    "logout+jwt",
    "secevent+jwt",
    "token-introspection+jwt",
];

/// A token that was taken apart; nothing in it is proven.
pub struct Unverified<'a> {
    compact: Compact<'a>,
    header: Header,
    claims: Claims,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`TokenFault::Malformed`], [`TokenFault::Algorithm`], [`TokenFault::Extension`] or [`TokenFault::Type`].
    pub fn parse(token: &'a str) -> Result<Self, TokenFault> {
        if token.len() > MAX_TOKEN {
            return Err(TokenFault::Malformed);
        }
        let compact = Compact::parse(token.as_bytes())?;
        let header = Header::parse(&compact.header)?;
        if header.typ.as_deref().is_some_and(is_another_kind) {
            return Err(TokenFault::Type);
        }
        match json::parse_strict(&compact.payload) {
            Ok(Value::Object(claims)) => Ok(Self {
                compact,
                header,
                claims,
            }),
            Ok(_) | Err(_) => Err(TokenFault::Malformed),
        }
    }
}

/// Media types are compared without case and without `application/` (RFC 7515 §4.1.9).
fn is_another_kind(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    let subtype = typ.strip_prefix("application/").unwrap_or(&typ);
    OTHER_KINDS.contains(&subtype)
}

/// Claims whose token was verified. Only [`Verifier::verify`] makes one.
#[derive(Debug)]
pub struct Verified {
    claims: Claims,
}

impl Verified {
    /// The claims.
    pub fn into_claims(self) -> Claims {
        self.claims
    }
}

/// Why no claims of a token may be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Something is wrong with it.
    Token(TokenFault),
    /// Its signature cannot be judged, which says nothing about it.
    Unavailable,
}

impl From<TokenFault> for Refusal {
    fn from(fault: TokenFault) -> Self {
        Self::Token(fault)
    }
}

impl From<Refusal> for Reject {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Token(fault) => Self::Token(fault),
            Refusal::Unavailable => Self::Unavailable,
        }
    }
}

/// What a provider's tokens must satisfy, and the keys that verify them.
#[derive(Debug)]
pub struct Verifier {
    /// Who issues them.
    pub issuer: Issuer,
    /// For whom they are.
    pub audiences: Audiences,
    /// The issuer's keys.
    pub keys: Vec<TrustedKey>,
    /// Claims that must be there.
    pub require: Vec<String>,
    /// How far the issuer's clock may be off.
    pub clock_skew: Duration,
    /// Where the claims stand that rules look at.
    pub names: ClaimNames,
}

/// A key and the algorithms that it may be used with (RFC 8725 §3.1).
#[derive(Debug)]
pub struct TrustedKey {
    jwk: Jwk,
    algorithms: Vec<Algorithm>,
}

impl TrustedKey {
    /// A key for those of the `listed` algorithms that it can serve; where none are listed, for its own alone.
    ///
    /// Its own algorithm is the JWK's `alg`, else RS256 for RSA, the curve's for EC, EdDSA for OKP. A symmetric key
    /// serves only what is listed, so that a public key can never be taken for a secret. None where nothing is left.
    pub fn new(jwk: Jwk, listed: Option<&[Algorithm]>) -> Option<Self> {
        let own = jwk.algorithm();
        let algorithms: Vec<_> = match listed {
            Some(listed) => listed
                .iter()
                .copied()
                .filter(|algorithm| own.is_none_or(|own| own == *algorithm))
                .filter(|algorithm| jwk.key().fits(*algorithm))
                .collect(),
            None => own
                .or_else(|| jwk.key().default_algorithm())
                .filter(|algorithm| !algorithm.is_symmetric())
                .into_iter()
                .collect(),
        };
        (!algorithms.is_empty()).then_some(Self { jwk, algorithms })
    }

    fn serves(&self, header: &Header) -> bool {
        let named = match (self.jwk.kid(), header.kid.as_deref()) {
            (Some(own), Some(kid)) => own == kid,
            (None, _) | (_, None) => true,
        };
        named && self.algorithms.contains(&header.algorithm)
    }
}

/// Who issues a provider's tokens; compared exactly, character by character (RFC 7519 §4.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuer {
    /// One issuer.
    Exact(String),
    /// One per value of a claim, as with Entra's `{tid}`: the text around it, and the claim's name.
    PerClaim {
        /// The text before the claim's value.
        before: String,
        /// The claim.
        claim: String,
        /// The text after it.
        after: String,
    },
}

impl Issuer {
    /// Whether a token with these claims says that it is of this issuer.
    fn is_named_by(&self, claims: &Claims) -> bool {
        let Some(iss) = claims.get("iss").and_then(Value::as_str) else {
            return false;
        };
        match self {
            Self::Exact(issuer) => iss == issuer,
            Self::PerClaim {
                before,
                claim,
                after,
            } => {
                let value = claims.get(claim).and_then(Value::as_str);
                let within = iss
                    .strip_prefix(before.as_str())
                    .and_then(|rest| rest.strip_suffix(after.as_str()));
                within.is_some() && within == value && value.is_some_and(is_one_segment)
            }
        }
    }

    /// Whether one token could be of both issuers.
    pub fn overlaps(&self, other: &Self) -> bool {
        let edges = |issuer: &Self| match issuer {
            Self::Exact(text) => (text.clone(), text.clone()),
            Self::PerClaim { before, after, .. } => (before.clone(), after.clone()),
        };
        match (self, other) {
            (Self::Exact(one), Self::Exact(two)) => one == two,
            _ => {
                let ((before, after), (start, end)) = (edges(self), edges(other));
                (before.starts_with(&start) || start.starts_with(&before))
                    && (after.ends_with(&end) || end.ends_with(&after))
            }
        }
    }
}

/// A claim stands for one path segment of the issuer, so that it cannot lead to another host or path.
fn is_one_segment(value: &str) -> bool {
    !value.is_empty()
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        && !value.bytes().all(|byte| byte == b'.')
}

/// For whom a provider's tokens must be (RFC 7519 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audiences {
    /// One of these must be among the token's.
    OneOf(Vec<String>),
    /// The check is switched off.
    Any,
}

impl Audiences {
    fn check(&self, claims: &Claims) -> Result<(), TokenFault> {
        let audience: Vec<&str> = match claims.get("aud") {
            None => Vec::new(),
            Some(Value::String(audience)) => vec![audience],
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().ok_or(TokenFault::ClaimType))
                .collect::<Result<_, _>>()?,
            Some(_) => return Err(TokenFault::ClaimType),
        };
        match self {
            Self::Any => Ok(()),
            Self::OneOf(own) if own.iter().any(|name| audience.contains(&name.as_str())) => Ok(()),
            Self::OneOf(_) => Err(TokenFault::Audience),
        }
    }
}

impl Verifier {
    /// Whether the token says that it is of this provider. It may be lying.
    pub fn claims_to_issue(&self, token: &Unverified<'_>) -> bool {
        self.issuer.is_named_by(&token.claims)
    }

    /// Verifies a token.
    ///
    /// # Errors
    /// [`Refusal::Token`] names the first thing that is wrong, in the order of the module's list;
    /// [`Refusal::Unavailable`]: the backend does not know whether the signature is right.
    pub fn verify(
        &self,
        token: Unverified<'_>,
        backend: &dyn Backend,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        if !self.claims_to_issue(&token) {
            return Err(TokenFault::Issuer.into());
        }
        self.check_signature(&token, backend)?;
        self.check_times(&token.claims, now)?;
        self.audiences.check(&token.claims)?;
        self.check_required(&token.claims)?;
        // A token bound to a key is worth nothing without a proof that the caller holds the key, and none is
        // asked for yet: taking it would turn it into a bearer token (RFC 7800 §3.1).
        if token.claims.contains_key("cnf") {
            return Err(TokenFault::Binding.into());
        }
        Ok(Verified {
            claims: token.claims,
        })
    }

    fn check_signature(
        &self,
        token: &Unverified<'_>,
        backend: &dyn Backend,
    ) -> Result<(), Refusal> {
        let algorithm = token.header.algorithm;
        let mut verdict = Refusal::Token(TokenFault::Key);
        let candidates = self.keys.iter().filter(|key| key.serves(&token.header));
        for key in candidates.take(MAX_CANDIDATES) {
            let signature = &token.compact.signature;
            match backend.verify(
                algorithm,
                key.jwk.key(),
                token.compact.signing_input,
                signature,
            ) {
                Ok(()) => return Ok(()),
                // It may have been the right key: what the others say no longer condemns the token.
                Err(SignatureFault::Unavailable) => verdict = Refusal::Unavailable,
                Err(
                    SignatureFault::KeyMismatch | SignatureFault::Length | SignatureFault::Mismatch,
                ) => {
                    if verdict != Refusal::Unavailable {
                        verdict = TokenFault::Signature.into();
                    }
                }
            }
        }
        let algorithm_is_known = self
            .keys
            .iter()
            .any(|key| key.algorithms.contains(&algorithm));
        Err(if algorithm_is_known {
            verdict
        } else {
            TokenFault::Algorithm.into()
        })
    }

    fn check_times(&self, claims: &Claims, now: Timestamp) -> Result<(), TokenFault> {
        let expires = numeric_date(claims, "exp")?;
        let not_before = numeric_date(claims, "nbf")?;
        let issued = numeric_date(claims, "iat")?;
        if expires.is_some_and(|expires| now >= expires.plus(self.clock_skew)) {
            return Err(TokenFault::Expired);
        }
        let from_the_future = |moment: Option<Timestamp>| {
            moment.is_some_and(|moment| now < moment.minus(self.clock_skew))
        };
        let ends_before_it_begins = issued.zip(expires).is_some_and(|(iat, exp)| iat > exp);
        if from_the_future(not_before) || from_the_future(issued) || ends_before_it_begins {
            return Err(TokenFault::NotYetValid);
        }
        Ok(())
    }

    fn check_required(&self, claims: &Claims) -> Result<(), TokenFault> {
        let missing = |name: &String| claims.get(name).is_none_or(Value::is_null);
        if self.require.iter().any(missing) {
            return Err(TokenFault::ClaimMissing);
        }
        Ok(())
    }
}

impl From<JwsFault> for TokenFault {
    fn from(fault: JwsFault) -> Self {
        match fault {
            JwsFault::Segments
            | JwsFault::Base64(_)
            | JwsFault::HeaderEmpty
            | JwsFault::HeaderJson(_)
            | JwsFault::HeaderNotObject
            | JwsFault::NotString(_) => Self::Malformed,
            JwsFault::AlgorithmMissing | JwsFault::AlgorithmUnknown => Self::Algorithm,
            JwsFault::Extension(_) => Self::Extension,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(value: Value) -> Claims {
        match value {
            Value::Object(claims) => claims,
            other => panic!("no object: {other}"),
        }
    }

    #[test]
    fn an_issuer_per_claim_takes_one_segment_and_only_that_claims_value() {
        let issuer = Issuer::PerClaim {
            before: "https://login.example/".into(),
            claim: "tid".into(),
            after: "/v2.0".into(),
        };
        let named =
            |iss: &str, tid: Value| issuer.is_named_by(&claims(json!({"iss": iss, "tid": tid})));
        assert!(named("https://login.example/a-1/v2.0", json!("a-1")));
        assert!(!named("https://login.example/a/v2.0", json!("b")));
        assert!(!named("https://login.example/a/b/v2.0", json!("a/b")));
        assert!(!named("https://login.example/../v2.0", json!("..")));
        assert!(!named("https://login.example//v2.0", json!("")));
        assert!(!named("https://login.example/1/v2.0", json!(1)));
        assert!(!named("https://login.example/v2.0", json!("")));
    }

    #[test]
    fn issuers_that_one_token_could_name_overlap() {
        let exact = |text: &str| Issuer::Exact(text.into());
        let entra = Issuer::PerClaim {
            before: "https://a/".into(),
            claim: "tid".into(),
            after: "/v2".into(),
        };
        assert!(exact("https://a").overlaps(&exact("https://a")));
        assert!(!exact("https://a").overlaps(&exact("https://a/")));
        assert!(entra.overlaps(&exact("https://a/x/v2")));
        assert!(!entra.overlaps(&exact("https://b/x/v2")));
    }

    #[test]
    fn j_59_audiences() {
        let own = Audiences::OneOf(vec!["api".into()]);
        let check = |aud: Value| own.check(&claims(json!({"aud": aud})));
        assert_eq!(check(json!("api")), Ok(()));
        assert_eq!(check(json!(["x", "api"])), Ok(()));
        assert_eq!(check(json!(["x"])), Err(TokenFault::Audience));
        assert_eq!(check(json!([])), Err(TokenFault::Audience));
        assert_eq!(own.check(&claims(json!({}))), Err(TokenFault::Audience));
        for aud in [json!([1]), json!(["api", 5]), json!({}), json!(null)] {
            assert_eq!(check(aud), Err(TokenFault::ClaimType));
        }
        assert_eq!(Audiences::Any.check(&claims(json!({}))), Ok(()));
    }
}
