//! Opaque tokens: the authorization server says whether a token is active, and what it grants (RFC 7662).
//!
//! Only the server knows these tokens. What it says is still checked: the audience, the times, and the binding to a key.

use std::fmt;
use std::time::Duration;

use super::confirmation::Confirmation;
use super::jose::base64url;
use super::jose::claims::{ClaimNames, Claims, Times};
use super::jwt::{Audiences, decode};
use super::principal::Verified;
use super::sender::Sender;
use super::{Facts, Offer, Parsed, Refusal};
use crate::credential::Shown;
use crate::json::{self, Json};
use crate::kinds;
use crate::reject::{TokenFault, Unavailable};
use crate::time::Timestamp;

/// The tolerated difference between the server's clock and this one.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// The longest token that is introspected, in bytes.
const TOKEN_MAX: usize = 4 * 1024;

/// The members of an answer in which servers say what kind of token it is: RFC 7662 §2.2, Ory Hydra, Keycloak.
const KIND: [&str; 3] = ["token_type", "token_use", "typ"];

/// The kinds of tokens that are active and are not access tokens (RFC 8693 §2.2.1 defines `N_A`).
const OTHER_KINDS: [&str; 6] = [
    "refresh_token",
    "refresh",
    "offline",
    "id_token",
    "id",
    "n_a",
];

/// How a provider verifies opaque tokens.
#[derive(Debug)]
pub struct Introspection {
    /// This build verifies this kind.
    pub kind: kinds::Introspection,
    /// The audiences that the provider accepts.
    pub audiences: Audiences,
    /// Whether a JSON Web Token whose issuer is unknown is introspected too.
    pub accepts_jwt: bool,
    /// The claims with the token's audience, and with the caller's subject, scopes, roles and groups.
    pub names: ClaimNames,
    /// Who may send the tokens.
    pub sender: Sender,
    /// What a 401 offers, in the order of the token locations.
    pub offers: Vec<Offer>,
}

/// What an authorization server says of a token (RFC 7662 §2.2).
pub enum Answer {
    /// The token is active. This is the JSON text of the response.
    Active(Vec<u8>),
    /// The token is not active: it was revoked, has expired, or never existed.
    Inactive,
}

/// An answer, and until when it is known.
#[derive(Clone, Copy)]
pub struct Known<'k> {
    /// The answer.
    pub answer: &'k Answer,
    /// The time from which the server is asked again.
    pub until: Timestamp,
}

/// Why a response is not an answer (RFC 7662 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// It is not a JSON object.
    #[error("expected a JSON object that is not compressed: check `uri`")]
    NotAnObject,
    /// It does not say whether the token is active.
    #[error("expected a member `active` that is `true` or `false`")]
    Active,
    /// `exp`, `nbf` or `iat` is not a time.
    #[error("expected `exp`, `nbf` and `iat` in seconds")]
    Times,
}

/// What is checked again when a verified token is presented again.
#[derive(Debug, Clone)]
pub struct Evidence {
    times: Times,
    until: Timestamp,
}

/// Prints only whether the token is active, because the rest is about a person.
impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active(_) => formatter.write_str("Active"),
            Self::Inactive => formatter.write_str("Inactive"),
        }
    }
}

impl Answer {
    /// The memory that it has allocated, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Active(payload) => payload.capacity(),
            Self::Inactive => 0,
        }
    }

    /// Reads the body of a response. The time is the token's `exp`, if the token is active and has one.
    ///
    /// Only the JSON value `true` means that a token is active.
    ///
    /// # Errors
    /// [`AnswerFault`].
    pub fn read(body: &[u8]) -> Result<(Self, Option<Timestamp>), AnswerFault> {
        let Ok(Json::Object(claims)) = json::parse(body) else {
            return Err(AnswerFault::NotAnObject);
        };
        match claims.get("active") {
            Some(Json::Bool(false)) => Ok((Self::Inactive, None)),
            Some(Json::Bool(true)) => {
                let times = Times::of(&claims).map_err(|_| AnswerFault::Times)?;
                Ok((Self::Active(body.to_vec()), times.expires))
            }
            _ => Err(AnswerFault::Active),
        }
    }
}

impl Introspection {
    /// What a 401 offers.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// The token, if the server is asked about it: it is not a JSON Web Token, or one that no provider knows.
    ///
    /// A provider of JSON Web Tokens is asked first: see [`select`](super::select).
    pub fn claim<'c>(&self, parsed: &Parsed<'c, '_>) -> Option<&'c [u8]> {
        let Shown::Token(token) = parsed.shown() else {
            return None;
        };
        let is_asked = match parsed.jwt() {
            Ok(_) => self.accepts_jwt,
            // A changed or unacceptable JSON Web Token is not an opaque token.
            Err(_) => !begins_as_jws(token),
        };
        (is_asked && token.len() <= TOKEN_MAX).then_some(token)
    }

    /// Verifies a token by what the server says of it.
    ///
    /// # Errors
    /// [`Refusal`]: the server has not been asked yet; or the first fault, in the order: inactive, type, audience, binding,
    /// times.
    pub(super) fn verify(&self, token: &[u8], facts: Facts<'_>) -> Result<Verified, Refusal> {
        let Known { answer, until } = facts.answer.ok_or(Refusal::NotAsked)?;
        let Answer::Active(payload) = answer else {
            return Err(TokenFault::Inactive.into());
        };
        // It was an object when it was read.
        let Ok(Json::Object(claims)) = json::parse(payload) else {
            return Err(Refusal::Unavailable(Unavailable::Introspection));
        };
        // A server is also asked about refresh tokens, which do not authorize requests (RFC 6749 §1.5).
        let mut kinds = KIND.iter().filter_map(|name| claims.get(name)?.as_str());
        let is_other = |kind: &str| {
            // Some servers name the type as RFC 8693 §3 does: `urn:ietf:params:oauth:token-type:refresh_token`.
            let kind = kind.rsplit(':').next().unwrap_or(kind);
            OTHER_KINDS
                .iter()
                .any(|other| kind.eq_ignore_ascii_case(other))
        };
        if kinds.any(is_other) {
            return Err(TokenFault::Type.into());
        }
        self.audiences.check(&claims, &self.names)?;
        let confirmation = confirmation(token, &claims)?;
        // The type says how the token must be sent (RFC 9449 §5, §6.2).
        let kind = claims.get("token_type").and_then(Json::as_str);
        let needs_proof = confirmation.as_ref().is_some_and(|own| own.jkt.is_some());
        if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("dpop") != needs_proof) {
            return Err(TokenFault::Binding.into());
        }
        let times = Times::of(&claims)?;
        times.check(CLOCK_SKEW, facts.now)?;
        Ok(Verified {
            subject: self.names.subject(&claims)?,
            scopes: self.names.scopes(&claims),
            roles: self.names.roles(&claims),
            groups: self.names.groups(&claims),
            evidence: super::Evidence::Introspected(Evidence { times, until }),
            confirmation: confirmation.map(Box::new),
            payload: payload.clone(),
        })
    }
}

/// The keys that a token is bound to. Not every server repeats those of a JSON Web Token in its answer, and without them a
/// bound token would be a bearer token.
fn confirmation(token: &[u8], answer: &Claims<'_>) -> Result<Option<Confirmation>, TokenFault> {
    if let Some(cnf) = answer.get("cnf") {
        return Confirmation::read(cnf).map(Some);
    }
    let Ok(compact) = decode(token) else {
        return Ok(None);
    };
    match json::parse(compact.payload()) {
        Ok(Json::Object(claims)) => claims.get("cnf").map(Confirmation::read).transpose(),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Whether a token begins as a JWS: with a header that has `alg`, and that is not the header of a JWE (RFC 7516 §9).
///
/// A server that reads base64url leniently takes a JSON Web Token that was changed for the one that it was.
fn begins_as_jws(token: &[u8]) -> bool {
    let period = token.iter().position(|byte| *byte == b'.');
    let header = period.and_then(|period| base64url::decode(token.get(..period)?));
    let header = header.unwrap_or_default();
    let Ok(Json::Object(header)) = json::parse(&header) else {
        return false;
    };
    let is_jwe = || {
        let periods = token.iter().filter(|byte| **byte == b'.');
        header.get("enc").is_some() && periods.count() == 4
    };
    header.get("alg").is_some() && !is_jwe()
}

impl Evidence {
    /// Whether what the server said is still known. If it is not, the server must be asked again.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if the token has expired.
    pub(super) fn still_valid(&self, now: Timestamp) -> Result<bool, Refusal> {
        if now >= self.until {
            return Ok(false);
        }
        self.times.check(CLOCK_SKEW, now)?;
        Ok(true)
    }
}
