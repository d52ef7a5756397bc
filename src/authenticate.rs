//! Presented → Principal: who the caller is, proven.

pub mod base64url;
pub mod claims;
pub mod jwk;
pub mod jws;
pub mod jwt;
pub mod signature;

use self::claims::Claims;
use self::jwt::{Refusal, Unverified, Verifier};
use self::signature::Backend;
use crate::credential::Presented;
use crate::reject::TokenFault;
use crate::scheme::Scheme;
use crate::time::Timestamp;

/// Someone who may vouch for a caller.
#[derive(Debug)]
pub struct Provider {
    /// Its name in the document.
    pub name: String,
    /// How it vouches.
    pub method: Method,
}

/// How a provider vouches for a caller.
#[derive(Debug)]
pub enum Method {
    /// By a JSON Web Token.
    Jwt(Verifier),
}

impl Provider {
    /// The scheme that its credentials come under.
    pub fn scheme(&self) -> Scheme {
        match self.method {
            Method::Jwt(_) => Scheme::Bearer,
        }
    }
}

/// A caller whose credential was verified. Only [`authenticate`] makes one.
pub struct Principal {
    /// The place of the provider in the document's list.
    provider: usize,
    subject: Option<String>,
    scopes: Vec<String>,
    roles: Vec<String>,
    groups: Vec<String>,
    claims: Claims,
}

impl Principal {
    /// The place, in the document's list, of the provider that vouches.
    pub fn provider(&self) -> usize {
        self.provider
    }

    /// Who it is, where the credential says so.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The scopes that were granted.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The roles that the caller has.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// The groups that the caller is in.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The verified claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
}

/// Claims are the caller's private matter.
impl std::fmt::Debug for Principal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Principal")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

/// Judges a credential by the providers of the document, those at the `accepted` places before others.
///
/// A token goes to the provider whose issuer it names; keys of another are never tried (RFC 8725 §3.8).
///
/// # Errors
/// [`Refusal`].
pub fn authenticate(
    providers: &[Provider],
    accepted: &[usize],
    presented: Presented<'_>,
    backend: &dyn Backend,
    now: Timestamp,
) -> Result<Principal, Refusal> {
    let token = Unverified::parse(presented.token)?;
    let places = accepted.iter().copied().chain(0..providers.len());
    let named = places.into_iter().find_map(|place| {
        let Method::Jwt(verifier) = &providers.get(place)?.method;
        verifier
            .claims_to_issue(&token)
            .then_some((place, verifier))
    });
    let (provider, verifier) = named.ok_or(TokenFault::Issuer)?;
    let claims = verifier.verify(token, backend, now)?.into_claims();
    Ok(Principal {
        provider,
        subject: verifier.names.subject(&claims)?,
        scopes: verifier.names.scopes(&claims),
        roles: verifier.names.roles(&claims),
        groups: verifier.names.groups(&claims),
        claims,
    })
}
