//! Presented → Principal: who the caller is, proven.
//!
//! Each kind of credential is one variant of [`Method`] and one file. Its functions have the same names in every file:
//! `claim` recognises a credential that its provider would verify, `verify` proves the caller, `still_valid` checks
//! again what may have changed since, and `offers` says what a 401 offers. None of them looks into the store: what they
//! need of it comes in as [`Facts`].

pub mod granted;
pub mod jose;
pub mod jwt;
mod offer;
mod parsed;
mod principal;

use std::rc::Rc;

use self::jose::keys::KeySet;
use self::jose::signature::Backend;
use self::jwt::{Jwt, Unverified};
pub use self::offer::Offer;
pub use self::parsed::{Decoded, Parsed};
pub use self::principal::{Evidence, Principal};
use crate::credential::LocationId;
use crate::reject::{TokenFault, Unavailable};
use crate::time::Timestamp;

/// A provider, by its position in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(pub usize);

/// A source of keys that are fetched, by its position among those of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeySourceId(pub usize);

/// A provider of the configuration: it verifies credentials of one kind.
#[derive(Debug)]
pub struct Provider {
    /// Its name in the configuration.
    pub name: String,
    /// Where its credentials may be.
    pub locations: Vec<LocationId>,
    /// How it verifies them.
    pub method: Method,
}

/// How a provider verifies credentials: one variant for each kind.
#[derive(Debug)]
pub enum Method {
    /// JSON Web Tokens.
    Jwt(Jwt),
}

/// A credential that a method recognises as one of its own, with that method. Nothing of it is proven.
#[derive(Clone, Copy)]
pub enum Claim<'p, 'c> {
    /// A JSON Web Token.
    Jwt(&'p Jwt, &'c Unverified<'c>),
}

/// What a credential is verified with, besides its provider.
#[derive(Clone, Copy)]
pub struct Facts<'f> {
    /// The keys that were fetched.
    pub keys: &'f dyn KeysAtHand,
    /// What verifies signatures.
    pub backend: &'f dyn Backend,
    /// The moment.
    pub now: Timestamp,
}

/// The keys that were fetched, by their source.
pub trait KeysAtHand {
    /// The keys of a source; none before any were fetched.
    fn keys(&self, source: KeySourceId) -> Option<&KeySet>;
}

/// Why a credential does not prove its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The token is not valid.
    Token(TokenFault),
    /// No key at hand verifies the token. A key that is not fetched yet may; if none does, this is what is wrong.
    Stale(TokenFault),
    /// Whether the credential is valid cannot be determined now.
    Unavailable(Unavailable),
}

impl From<TokenFault> for Refusal {
    fn from(fault: TokenFault) -> Self {
        Self::Token(fault)
    }
}

/// The provider that verifies a credential.
pub struct Selected<'p, 'c> {
    /// Its identifier.
    pub id: ProviderId,
    /// The provider.
    pub provider: &'p Provider,
    /// What the credential claims.
    pub claim: Claim<'p, 'c>,
}

/// Selects the provider that verifies a credential found at `location`: for a token the one whose issuer it names,
/// `accepted` ones before others. The keys of another provider are never tried (RFC 8725 §3.8).
///
/// # Errors
/// What is wrong with a credential that no provider recognises.
pub fn select<'p, 'c>(
    providers: &'p [Provider],
    accepted: &[ProviderId],
    location: LocationId,
    parsed: &'c Parsed<'_, '_>,
) -> Result<Selected<'p, 'c>, TokenFault> {
    let all = (0..providers.len()).map(ProviderId);
    let mut ids = accepted.iter().copied().chain(all);
    let selected = ids.find_map(|id| {
        let provider = providers.get(id.0)?;
        let looks_there = provider.locations.contains(&location);
        let claim = looks_there.then(|| provider.method.claim(parsed))??;
        Some(Selected {
            id,
            provider,
            claim,
        })
    });
    match selected {
        Some(selected) => Ok(selected),
        // A token without fault is of an issuer that is not trusted.
        None => Err(parsed.jwt().err().unwrap_or(TokenFault::Issuer)),
    }
}

impl Provider {
    /// Whether one credential could be recognised by both.
    pub fn conflicts_with(&self, other: &Self) -> bool {
        let mut locations = self.locations.iter();
        locations.any(|own| other.locations.contains(own))
            && self.method.conflicts_with(&other.method)
    }
}

impl Method {
    /// What a 401 offers, one challenge each.
    pub fn offers(&self) -> &[Offer] {
        match self {
            Self::Jwt(jwt) => jwt.offers(),
        }
    }

    /// Whether what proved a caller before still does. Where it does not, the credential must be verified anew.
    ///
    /// # Errors
    /// [`Refusal`], where the credential is valid no longer.
    pub fn still_valid(&self, principal: &Principal, facts: Facts<'_>) -> Result<bool, Refusal> {
        match (self, principal.evidence()) {
            (Self::Jwt(jwt), Evidence::Jwt(evidence)) => {
                jwt.still_valid(evidence, principal.subject(), facts)
            }
        }
    }

    fn claim<'p, 'c>(&'p self, parsed: &'c Parsed<'_, '_>) -> Option<Claim<'p, 'c>> {
        match self {
            Self::Jwt(jwt) => jwt.claim(parsed).map(|token| Claim::Jwt(jwt, token)),
        }
    }

    fn conflicts_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Jwt(own), Self::Jwt(other)) => own.issuer.overlaps(&other.issuer),
        }
    }
}

impl<'c> Claim<'_, 'c> {
    /// The subject that the credential names. It may be lying.
    pub fn subject(self) -> Option<&'c str> {
        match self {
            Self::Jwt(jwt, token) => jwt.claimed_subject(token),
        }
    }

    /// Proves the caller.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn verify(self, provider: ProviderId, facts: Facts<'_>) -> Result<Rc<Principal>, Refusal> {
        let verified = match self {
            Self::Jwt(jwt, token) => jwt.verify(token, facts),
        }?;
        Ok(Rc::new(Principal::new(provider, verified)))
    }
}
