//! Verifies JSON Web Tokens (RFC 7519 §7.2, RFC 8725).
//!
//! The order of the checks is part of the security. Before the signature is verified, only the issuer and the key
//! identifier are used, to select the keys, and the subject and the audience, to count failures. All other claims are used
//! after the signature is verified:
//!
//! 1. The token has three segments of canonical base64url. The header and the claims are JSON objects without duplicate
//!    members.
//! 2. The header requires no extension (`crit`, `b64`, `zip`). Its `typ` is not that of another kind of JWT.
//! 3. The issuer is the provider's, and the provider accepts the algorithm.
//! 4. A key of the provider has the key identifier of the token, and can be used with its algorithm and its issuer.
//! 5. The key verifies the signature.
//! 6. The token is of the required kind. The audience is accepted. The required claims are present, and have the required
//!    values. If the token is bound to a key (`cnf`), the filter can check a proof of it.
//! 7. The token is valid at this time. Neither the token nor its subject is revoked. This is checked again when a
//!    cached result is used.

mod issuer;
mod keys;
mod unverified;

use std::collections::HashSet;
use std::time::Duration;

pub use self::issuer::Issuer;
pub use self::keys::{Candidates, Keys};
pub use self::unverified::Unverified;
pub(super) use self::unverified::is_kind;
use super::confirmation::Confirmation;
use super::jose::claims::{ClaimNames, ClaimPath, Claims, RequiredValue, Times};
use super::jose::jwk::KeyId;
use super::jose::jws::{Compact, JwsFault};
use super::jose::signature::AlgorithmSet;
use super::principal::Verified;
use super::sender::Sender;
use super::{Facts, Offer, Parsed, Refusal};
use crate::json::Json;
use crate::reject::TokenFault;
use crate::time::Timestamp;

/// The maximum length of a token, in bytes. Longer tokens are rejected without parsing. Envoy's default limit for all
/// headers is 60 KiB.
pub const MAX_TOKEN: usize = 32 * 1024;

/// Decodes the segments of a token.
///
/// # Errors
/// [`TokenFault::Malformed`].
pub fn decode(token: &[u8]) -> Result<Compact<'_>, TokenFault> {
    if token.len() > MAX_TOKEN {
        return Err(TokenFault::Malformed);
    }
    Ok(Compact::parse(token)?)
}

/// What is checked again when a verified token is presented again.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The key that verified the token.
    key: KeyId,
    /// The times between which the token is valid.
    times: Times,
    /// The token's `jti`, if the provider has revoked tokens.
    jti: Option<String>,
}

impl Evidence {
    /// The memory that it has allocated, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.jti.as_ref().map_or(0, String::capacity)
    }

    #[cfg(test)]
    pub(super) fn for_tests() -> Self {
        let times = Times {
            expires: None,
            not_before: None,
            issued: None,
        };
        let (key, jti) = (KeyId::NONE, None);
        Self { key, times, jti }
    }
}

/// How a provider verifies JSON Web Tokens: its keys, and what it requires of the tokens.
#[derive(Debug)]
pub struct Jwt {
    /// The issuer's keys. A key of any of these can verify a token.
    pub keys: Vec<Keys>,
    /// The algorithms that any of these keys can be used with.
    pub algorithms: AlgorithmSet,
    /// The issuer of the tokens.
    pub issuer: Issuer,
    /// The audiences that the provider accepts.
    pub audiences: Audiences,
    /// The kind of the tokens.
    pub kind: Kind,
    /// Claims that a token must have.
    pub require: Vec<ClaimPath>,
    /// Claims that a token must have, with their values.
    pub require_claims: Vec<RequiredValue>,
    /// The tolerated difference between the issuer's clock and this one.
    pub clock_skew: Duration,
    /// The maximum time from a token's `iat` to its `exp`. `None` if there is no limit. Without `iat`, or if `iat` is
    /// in the future, the time starts now.
    pub max_lifetime: Option<Duration>,
    /// The revoked tokens and subjects.
    pub revoked: Revoked,
    /// The claims with the token's audience, and with the caller's subject, scopes, roles and groups.
    pub names: ClaimNames,
    /// Who may send the tokens.
    pub sender: Sender,
    /// What a 401 offers, in the order of the token locations.
    pub offers: Vec<Offer>,
}

/// The kind of tokens that a provider issues, by their `typ`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any `typ` except those of other kinds of JWTs.
    Any,
    /// `at+jwt`. The token must have the claims that RFC 9068 §2.2 requires.
    AccessToken,
    /// `JWT`.
    Jwt,
}

/// Revoked tokens and subjects.
#[derive(Debug, Default)]
pub struct Revoked {
    /// The `jti` of revoked tokens (RFC 7519 §4.1.7).
    pub jti: HashSet<String>,
    /// The subjects of which all tokens are rejected.
    pub subjects: HashSet<String>,
}

/// The audiences that a provider accepts (RFC 7519 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audiences {
    /// The token must have one of these audiences.
    OneOf(Vec<String>),
    /// The audience is not checked.
    Any,
}

impl Audiences {
    /// Checks the audience, which is in the claim that `claim_names` says.
    ///
    /// # Errors
    /// [`TokenFault::ClaimType`] if it is not a string or an array of strings. [`TokenFault::Audience`] if none of it is
    /// accepted.
    pub(super) fn check(
        &self,
        claims: &Claims<'_>,
        claim_names: &ClaimNames,
    ) -> Result<(), TokenFault> {
        let names = match claim_names.audience(claims) {
            None => &[],
            Some(Json::Array(names)) => names.as_slice(),
            Some(name) => std::slice::from_ref(name),
        };
        let mut is_accepted = *self == Self::Any;
        // The loop has no early exit, because an audience that is not a string is a fault in every position.
        for name in names {
            let name = name.as_str().ok_or(TokenFault::ClaimType)?;
            is_accepted |= matches!(self, Self::OneOf(own) if own.iter().any(|own| own == name));
        }
        is_accepted.then_some(()).ok_or(TokenFault::Audience)
    }
}

impl Jwt {
    /// What a 401 offers.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// The token, if it names this provider's issuer.
    pub fn claim<'c>(&self, parsed: &'c Parsed<'_, '_>) -> Option<&'c Unverified<'c>> {
        let token = parsed.jwt().ok()?;
        token.names(&self.issuer).then_some(token)
    }

    /// The subject that the token names. It is not verified.
    pub fn claimed_subject<'t>(&self, token: &'t Unverified<'_>) -> Option<&'t str> {
        let subject = token.claimed_subject(&self.names.subject);
        subject.filter(|subject| !subject.is_empty())
    }

    /// Verifies a token that names this provider's issuer.
    ///
    /// # Errors
    /// [`Refusal`] with the first fault, in the order of the module's documentation.
    pub(super) fn verify(
        &self,
        token: &Unverified<'_>,
        facts: Facts<'_>,
    ) -> Result<Verified, Refusal> {
        if !token.names(&self.issuer) {
            return Err(TokenFault::Issuer.into());
        }
        // No key could verify it, so none is fetched.
        if !self.algorithms.contains(token.header().algorithm) {
            return Err(TokenFault::Algorithm.into());
        }
        let signed = self.verify_signature(token, facts)?;
        let claims = signed.claims();
        let is_missing = |name: &str| self.is_missing(claims.get(name), claims);
        self.kind
            .check(signed.header().typ.as_deref(), is_missing)?;
        self.check_claims(claims)?;
        let confirmation = claims.get("cnf").map(Confirmation::read).transpose()?;
        let times = Times::of(claims)?;
        let jti = self.revocable_id(claims);
        // An empty subject is not a subject, but it can be revoked.
        let subject = token.claimed_subject(&self.names.subject);
        self.check_again(times, jti, subject, facts.now)?;
        Ok(Verified {
            subject: self.names.subject(claims)?,
            scopes: self.names.scopes(claims),
            roles: self.names.roles(claims),
            groups: self.names.groups(claims),
            confirmation: confirmation.map(Box::new),
            payload: signed.payload().to_vec(),
            evidence: super::Evidence::Jwt(Evidence {
                times,
                jti: jti.map(str::to_owned),
                key: signed.into_key(),
            }),
        })
    }

    /// Whether the key that verified a token is still a key of the issuer. If it is not, the token must be verified
    /// again.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if the token has expired or is revoked.
    pub(super) fn still_valid(
        &self,
        evidence: &Evidence,
        subject: Option<&str>,
        facts: Facts<'_>,
    ) -> Result<bool, Refusal> {
        let mut sets = self.keys.iter().filter_map(|keys| keys.at_hand(facts));
        let is_key_current = sets.any(|set| set.holds(&evidence.key));
        if is_key_current {
            let jti = evidence.jti.as_deref();
            self.check_again(evidence.times, jti, subject, facts.now)?;
        }
        Ok(is_key_current)
    }

    /// The token's `jti`. `None` if the provider has no revoked tokens.
    fn revocable_id<'c>(&self, claims: &'c Claims<'_>) -> Option<&'c str> {
        if self.revoked.jti.is_empty() {
            return None;
        }
        claims.get("jti")?.as_str()
    }

    /// Checks the times, and that neither the token nor its subject is revoked.
    ///
    /// A cached token is checked again, because this can change while the token stays the same.
    fn check_again(
        &self,
        times: Times,
        id: Option<&str>,
        subject: Option<&str>,
        now: Timestamp,
    ) -> Result<(), TokenFault> {
        self.check_times(times, now)?;
        let Revoked { jti, subjects } = &self.revoked;
        // If nothing is revoked, no hash is computed.
        let names = |set: &HashSet<String>, value: Option<&str>| {
            !set.is_empty() && value.is_some_and(|value| set.contains(value))
        };
        if names(jti, id) || names(subjects, subject) {
            return Err(TokenFault::Revoked);
        }
        Ok(())
    }

    /// Whether a required claim, as found, is missing. The claim with the subject is, if it is empty: that is not a subject.
    fn is_missing(&self, found: Option<&Json<'_>>, claims: &Claims<'_>) -> bool {
        let Some(claim) = found else {
            return true;
        };
        let mut subjects = [claims.get("sub"), self.names.subject.find(claims)]
            .into_iter()
            .flatten();
        let is_subject = subjects.any(|subject| std::ptr::eq(subject, claim));
        claim.is_null() || is_subject && claim.as_str() == Some("")
    }

    fn check_claims(&self, claims: &Claims<'_>) -> Result<(), TokenFault> {
        self.check_audience(claims)?;
        let is_missing = |path: &ClaimPath| self.is_missing(path.find(claims), claims);
        if self.require.iter().any(is_missing) {
            return Err(TokenFault::ClaimMissing);
        }
        if !self.require_claims.iter().all(|own| own.is_met(claims)) {
            return Err(TokenFault::ClaimMismatch);
        }
        Ok(())
    }

    fn check_audience(&self, claims: &Claims<'_>) -> Result<(), TokenFault> {
        self.audiences.check(claims, &self.names)
    }

    fn check_times(&self, times: Times, now: Timestamp) -> Result<(), TokenFault> {
        times.check(self.clock_skew, now)?;
        if let Some(most) = self.max_lifetime {
            let begins = times.issued.map_or(now, |issued| issued.min(now));
            let ends = times.expires.ok_or(TokenFault::ClaimMissing)?;
            if ends > begins.plus(most) {
                return Err(TokenFault::Lifetime);
            }
        }
        Ok(())
    }
}

impl Kind {
    fn check(self, typ: Option<&str>, is_missing: impl Fn(&str) -> bool) -> Result<(), TokenFault> {
        let is = |kind: &str| typ.is_some_and(|typ| is_kind(typ, kind));
        match self {
            Self::Any => Ok(()),
            Self::Jwt if is("jwt") => Ok(()),
            Self::AccessToken if is("at+jwt") => {
                let required = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];
                if required.into_iter().any(is_missing) {
                    return Err(TokenFault::ClaimMissing);
                }
                Ok(())
            }
            Self::Jwt | Self::AccessToken => Err(TokenFault::Type),
        }
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
    use super::super::jose::claims::tests::claims;
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn j_59_audiences() {
        let own = Audiences::OneOf(vec!["api".into()]);
        let names = ClaimNames::default();
        let check = |aud: Value| own.check(&claims(json!({"aud": aud})), &names);
        assert_eq!(check(json!("api")), Ok(()));
        assert_eq!(check(json!(["x", "api"])), Ok(()));
        assert_eq!(check(json!(["x"])), Err(TokenFault::Audience));
        assert_eq!(check(json!([])), Err(TokenFault::Audience));
        let absent = claims(json!({}));
        assert_eq!(own.check(&absent, &names), Err(TokenFault::Audience));
        for aud in [json!([1]), json!(["api", 5]), json!({}), json!(null)] {
            assert_eq!(check(aud), Err(TokenFault::ClaimType));
        }
        assert_eq!(Audiences::Any.check(&absent, &names), Ok(()));
    }
}
