//! JSON Web Tokens: from a token to claims that may be believed (RFC 7519 §7.2, RFC 8725).
//!
//! The order is the argument. Before the signature is checked only the issuer and the key identifier are looked at,
//! as hints to which key to use; every other claim counts only once the signature is verified:
//!
//! 1. three segments of canonical base64url; header and claims are JSON objects without a repeated member;
//! 2. the header asks for nothing that is not understood (`crit`, `b64`, `zip`), and its type is not another kind's;
//! 3. the issuer is the provider's;
//! 4. a key of the provider has the token's key identifier and may serve its algorithm;
//! 5. the signature is right;
//! 6. it is of the kind that is asked for; audience, required claims and their types;
//! 7. the time is right, and neither the token nor its subject is revoked: that is asked again of a token that was
//!    verified before.

use std::collections::HashSet;
use std::time::Duration;

use super::jose::claims::{ClaimNames, Claims, Times};
use super::jose::jwk::KeyId;
use super::jose::jws::{Compact, Header, JwsFault};
use super::jose::keys::KeySet;
use super::jose::signature::{SignatureFault, Verify as _};
use super::principal::Verified;
use super::{Facts, KeySourceId, Offer, Parsed, Refusal};
use crate::json::{self, Json};
use crate::reject::{TokenFault, Unavailable};
use crate::time::Timestamp;

/// Tokens longer than this are refused unread, in bytes. Envoy's default limit for a whole head is 60 KiB.
const MAX_TOKEN: usize = 32 * 1024;

/// Media types of JWTs that are never access tokens (RFC 8725 §3.11), without `application/`.
const OTHER_KINDS: [&str; 4] = [
    "dpop+jwt",
    "logout+jwt",
    "secevent+jwt",
    "token-introspection+jwt",
];

/// Decodes the segments of a token.
///
/// # Errors
/// [`TokenFault::Malformed`].
pub fn take_apart(token: &[u8]) -> Result<Compact<'_>, TokenFault> {
    if token.len() > MAX_TOKEN {
        return Err(TokenFault::Malformed);
    }
    Ok(Compact::parse(token)?)
}

/// What a token says; nothing in it is proven.
pub struct Unverified<'a> {
    compact: &'a Compact<'a>,
    header: Header<'a>,
    claims: Claims<'a>,
}

impl<'a> Unverified<'a> {
    /// Reads a token that was taken apart.
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
}

/// What of a verified token is checked again when the token comes again.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The key that verified it.
    key: KeyId,
    /// When it is valid.
    times: Times,
    /// Its identifier, where any are revoked.
    jti: Option<String>,
}

impl Evidence {
    /// The memory that it takes beside itself, in bytes.
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

/// What of a token may become wrong while the token stays the same.
#[derive(Clone, Copy)]
struct Perishable<'c> {
    times: Times,
    jti: Option<&'c str>,
    subject: Option<&'c str>,
}

/// Where a provider's keys are.
#[derive(Debug)]
pub enum Keys {
    /// In the configuration.
    Inline(KeySet),
    /// At a source from which they are fetched.
    Remote(KeySourceId),
}

impl Keys {
    /// The keys; none before any were fetched.
    fn at_hand<'f>(&'f self, facts: Facts<'f>) -> Option<&'f KeySet> {
        match self {
            Self::Inline(set) => Some(set),
            Self::Remote(source) => facts.keys.keys(*source),
        }
    }
}

/// A provider of JSON Web Tokens: whose keys verify them, and what they must say.
#[derive(Debug)]
pub struct Jwt {
    /// Where the issuer's keys are; those of any of these verify a token.
    pub keys: Vec<Keys>,
    /// Who issues them.
    pub issuer: Issuer,
    /// For whom they are.
    pub audiences: Audiences,
    /// What kind of token they are.
    pub kind: Kind,
    /// Claims that must be there.
    pub require: Vec<String>,
    /// How far the issuer's clock may be off.
    pub clock_skew: Duration,
    /// How long a token may be valid, from its issue and from now.
    pub max_lifetime: Option<Duration>,
    /// What is not accepted any more.
    pub revoked: Revoked,
    /// Where the claims stand that rules look at.
    pub names: ClaimNames,
}

/// What kind of token a provider issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any that does not say that it is of another kind.
    Any,
    /// `at+jwt`, with the claims that RFC 9068 §2.2 requires.
    AccessToken,
    /// `JWT`.
    Jwt,
}

/// Tokens and subjects that are not accepted any more.
#[derive(Debug, Default)]
pub struct Revoked {
    /// Tokens, by `jti` (RFC 7519 §4.1.7).
    pub jti: HashSet<String>,
    /// Subjects, all of whose tokens are refused.
    pub subjects: HashSet<String>,
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
    fn is_named_by(&self, claims: &Claims<'_>) -> bool {
        let Some(iss) = claims.get("iss").and_then(Json::as_str) else {
            return false;
        };
        match self {
            Self::Exact(issuer) => iss == issuer,
            Self::PerClaim {
                before,
                claim,
                after,
            } => {
                let value = claims.get(claim).and_then(Json::as_str);
                let within = iss
                    .strip_prefix(before.as_str())
                    .and_then(|rest| rest.strip_suffix(after.as_str()));
                within.is_some() && within == value && value.is_some_and(is_one_segment)
            }
        }
    }

    /// Whether metadata that names `issuer` is of this one. The metadata of an issuer per claim stands for all of
    /// them, and has a placeholder of its own in the claim's stead.
    pub fn publishes_as(&self, issuer: &str) -> bool {
        match self {
            Self::Exact(own) => own == issuer,
            Self::PerClaim { before, after, .. } => issuer
                .strip_prefix(before.as_str())
                .and_then(|rest| rest.strip_suffix(after.as_str()))
                .is_some_and(|claim| !claim.is_empty() && !claim.contains('/')),
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
    fn check(&self, claims: &Claims<'_>) -> Result<(), TokenFault> {
        let names = match claims.get("aud") {
            None => &[],
            Some(Json::Array(names)) => names.as_slice(),
            Some(name) => std::slice::from_ref(name),
        };
        let mut is_for_us = *self == Self::Any;
        // To the end: what is no text among them is a fault wherever it stands.
        for name in names {
            let name = name.as_str().ok_or(TokenFault::ClaimType)?;
            is_for_us |= matches!(self, Self::OneOf(own) if own.iter().any(|own| own == name));
        }
        is_for_us.then_some(()).ok_or(TokenFault::Audience)
    }
}

/// What a 401 offers.
const OFFERS: &[Offer] = &[Offer::Bearer];

impl Jwt {
    /// What a 401 offers.
    pub fn offers(&self) -> &[Offer] {
        OFFERS
    }

    /// The token, if it names this provider's issuer.
    pub fn claim<'c>(&self, parsed: &'c Parsed<'_, '_>) -> Option<&'c Unverified<'c>> {
        let token = parsed.jwt().ok()?;
        self.issuer.is_named_by(&token.claims).then_some(token)
    }

    /// The sources from which keys are fetched.
    pub fn key_sources(&self) -> impl Iterator<Item = KeySourceId> {
        self.keys.iter().filter_map(|keys| match keys {
            Keys::Inline(_) => None,
            Keys::Remote(source) => Some(*source),
        })
    }

    /// The subject that the token names. It may be lying.
    pub fn claimed_subject<'t>(&self, token: &'t Unverified<'_>) -> Option<&'t str> {
        let subject = self.names.subject.find(&token.claims);
        subject.and_then(Json::as_str)
    }

    /// Verifies a token that names this provider's issuer.
    ///
    /// # Errors
    /// [`Refusal`] names the first thing that is wrong, in the order of the module's list.
    pub(super) fn verify(
        &self,
        token: &Unverified<'_>,
        facts: Facts<'_>,
    ) -> Result<Verified, Refusal> {
        let claims = &token.claims;
        if !self.issuer.is_named_by(claims) {
            return Err(TokenFault::Issuer.into());
        }
        let key = self.check_signature(token, facts)?;
        self.kind.check(token.header.typ.as_deref(), claims)?;
        self.check_claims(claims)?;
        let times = Times::of(claims)?;
        let jti = self.id_to_look_for(claims);
        let subject = self.claimed_subject(token);
        self.check_perishable(
            Perishable {
                times,
                jti,
                subject,
            },
            facts.now,
        )?;
        Ok(Verified {
            subject: self.names.subject(claims)?,
            scopes: self.names.scopes(claims),
            roles: self.names.roles(claims),
            groups: self.names.groups(claims),
            evidence: super::Evidence::Jwt(Evidence {
                key,
                times,
                jti: jti.map(str::to_owned),
            }),
            payload: token.compact.payload().to_vec(),
        })
    }

    /// Whether a token that was verified before need not be verified anew: its key is still the issuer's.
    ///
    /// # Errors
    /// [`Refusal::Token`], where it has expired or is revoked.
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
            let times = evidence.times;
            self.check_perishable(
                Perishable {
                    times,
                    jti,
                    subject,
                },
                facts.now,
            )?;
        }
        Ok(is_key_current)
    }

    /// The token's identifier, where any are revoked.
    fn id_to_look_for<'c>(&self, claims: &'c Claims<'_>) -> Option<&'c str> {
        if self.revoked.jti.is_empty() {
            return None;
        }
        claims.get("jti")?.as_str()
    }

    /// Checks the time, and what is revoked.
    fn check_perishable(&self, token: Perishable<'_>, now: Timestamp) -> Result<(), TokenFault> {
        self.check_times(token.times, now)?;
        let Revoked { jti, subjects } = &self.revoked;
        // Where nothing is revoked, nothing is hashed.
        let names = |set: &HashSet<String>, value: Option<&str>| {
            !set.is_empty() && value.is_some_and(|value| set.contains(value))
        };
        if names(jti, token.jti) || names(subjects, token.subject) {
            return Err(TokenFault::Revoked);
        }
        Ok(())
    }

    fn check_claims(&self, claims: &Claims<'_>) -> Result<(), TokenFault> {
        self.audiences.check(claims)?;
        let missing = |name: &String| claims.get(name).is_none_or(Json::is_null);
        if self.require.iter().any(missing) {
            return Err(TokenFault::ClaimMissing);
        }
        // A token bound to a key is worth nothing without a proof that the caller holds the key, and none is
        // asked for yet: taking it would turn it into a bearer token (RFC 7800 §3.1).
        if claims.get("cnf").is_some() {
            return Err(TokenFault::Binding);
        }
        Ok(())
    }

    fn check_times(&self, times: Times, now: Timestamp) -> Result<(), TokenFault> {
        let Times {
            expires,
            not_before,
            issued,
        } = times;
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
        if let Some(most) = self.max_lifetime {
            let begins = issued.map_or(now, |issued| issued.min(now));
            let ends = expires.ok_or(TokenFault::ClaimMissing)?;
            if ends > begins.plus(most) {
                return Err(TokenFault::Lifetime);
            }
        }
        Ok(())
    }

    /// The key that verifies the token's signature.
    fn check_signature(&self, token: &Unverified<'_>, facts: Facts<'_>) -> Result<KeyId, Refusal> {
        let (mut is_tried, mut is_unavailable, mut are_all_held) = (false, false, true);
        for keys in &self.keys {
            let Some(set) = keys.at_hand(facts) else {
                are_all_held = false;
                continue;
            };
            for jwk in set.candidates(&token.header) {
                match facts.backend.verify(
                    token.header.algorithm,
                    jwk.key(),
                    token.compact.signing_input(),
                    token.compact.signature(),
                ) {
                    Ok(()) => return Ok(jwk.id().clone()),
                    // It may have been the right key: that the others fail no longer condemns the token.
                    Err(SignatureFault::Unavailable) => is_unavailable = true,
                    Err(
                        SignatureFault::KeyMismatch
                        | SignatureFault::Length
                        | SignatureFault::Mismatch,
                    ) => is_tried = true,
                }
            }
        }
        if is_unavailable {
            return Err(Refusal::Unavailable(Unavailable::Crypto));
        }
        let kid = token.header.kid.as_deref();
        let mut sets = self.keys.iter().filter_map(|keys| keys.at_hand(facts));
        let is_named = kid.is_some_and(|kid| sets.any(|set| set.has_named(kid)));
        let (fault, is_final) = match (is_tried, kid) {
            // Keys without a name are tried for every token: that they fail says nothing of the key that is named.
            (true, _) => (TokenFault::Signature, is_named),
            (false, Some(_)) if !is_named => (TokenFault::Key, false),
            (false, _) => (TokenFault::Algorithm, true),
        };
        Err(match is_final && are_all_held {
            true => Refusal::Token(fault),
            false => Refusal::Stale(fault),
        })
    }
}

impl Kind {
    fn check(self, typ: Option<&str>, claims: &Claims<'_>) -> Result<(), TokenFault> {
        let is = |kind: &str| typ.is_some_and(|typ| is_kind(typ, kind));
        match self {
            Self::Any => Ok(()),
            Self::Jwt if is("jwt") => Ok(()),
            Self::AccessToken if is("at+jwt") => {
                let required = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];
                let missing = |name: &&str| claims.get(name).is_none_or(Json::is_null);
                if required.iter().any(missing) {
                    return Err(TokenFault::ClaimMissing);
                }
                Ok(())
            }
            Self::Jwt | Self::AccessToken => Err(TokenFault::Type),
        }
    }
}

/// Whether a media type is `application/` and `kind`; without case, and `application/` may be left out (RFC 7515 §4.1.9).
fn is_kind(typ: &str, kind: &str) -> bool {
    const PREFIX: &[u8] = b"application/";
    let typ = typ.as_bytes();
    let subtype = match typ.split_at_checked(PREFIX.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(PREFIX) => rest,
        _ => typ,
    };
    subtype.eq_ignore_ascii_case(kind.as_bytes())
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
