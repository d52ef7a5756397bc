//! Presented → Principal: who the caller is, proven.

pub mod base64url;
pub mod claims;
pub mod granted;
pub mod jwk;
pub mod jws;
pub mod jwt;
pub mod keys;
pub mod signature;

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use serde_json::{Map, Value};

use self::claims::Times;
use self::granted::Granted;
use self::jwk::KeyId;
use self::jwt::{Refusal, Standing, Unverified, Verifier};
use self::keys::KeySet;
use self::signature::Backend;
use crate::credential::LocationId;
use crate::json;
use crate::reject::TokenFault;
use crate::scheme::Scheme;
use crate::time::Timestamp;

/// A provider, by its position in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(pub usize);

/// A source of keys that are fetched, by its position among those of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeySourceId(pub usize);

/// Someone who may vouch for a caller.
#[derive(Debug)]
pub struct Provider {
    /// Its name in the document.
    pub name: String,
    /// Where its credentials may be.
    pub locations: Vec<LocationId>,
    /// How it vouches.
    pub method: Method,
}

/// How a provider vouches for a caller.
#[derive(Debug)]
pub enum Method {
    /// By a JSON Web Token.
    Jwt(Verifier, Keys),
}

/// Where a provider's keys are.
#[derive(Debug)]
pub enum Keys {
    /// In the document.
    Inline(KeySet),
    /// Elsewhere: the number of the document's source.
    Remote(usize),
}

impl Provider {
    /// The scheme of the challenge for its credentials.
    pub fn scheme(&self) -> Scheme {
        match self.method {
            Method::Jwt(..) => Scheme::Bearer,
        }
    }

    /// Whether one token could be claimed by both.
    pub fn claims_what(&self, other: &Self) -> bool {
        let (Method::Jwt(own, _), Method::Jwt(others, _)) = (&self.method, &other.method);
        own.issuer.overlaps(&others.issuer)
            && self
                .locations
                .iter()
                .any(|own| other.locations.contains(own))
    }
}

/// A caller whose credential was verified. Only [`authenticate`] makes one.
pub struct Principal {
    provider: usize,
    subject: Option<String>,
    scopes: Granted,
    roles: Granted,
    groups: Granted,
    /// The token's identifier, where the document revokes any.
    jti: Option<String>,
    times: Times,
    key: KeyId,
    /// The claims as they were signed; most rules ask for none beyond the above. Nothing once they are kept otherwise.
    payload: RefCell<Vec<u8>>,
    claims: OnceCell<Map<String, Value>>,
}

/// Claims that take no more memory than this are kept as values whatever the length of their text.
const FEW_CLAIMS: usize = 8 * 1024;

impl Principal {
    /// The number of the provider that vouches.
    pub fn provider(&self) -> usize {
        self.provider
    }

    /// Who it is, where the credential says so.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The scopes that were granted.
    pub fn scopes(&self) -> &Granted {
        &self.scopes
    }

    /// The roles that the caller has.
    pub fn roles(&self) -> &Granted {
        &self.roles
    }

    /// The groups that the caller is in.
    pub fn groups(&self) -> &Granted {
        &self.groups
    }

    /// The verified claims, all of them.
    pub fn claims(&self) -> &Map<String, Value> {
        self.claims.get_or_init(|| {
            let mut payload = self.payload.borrow_mut();
            let claims = match json::parse_strict(&payload) {
                Ok(Value::Object(claims)) => claims,
                // It was an object when it was verified, and is the same text still.
                Ok(_) | Err(_) => Map::new(),
            };
            let most = FEW_CLAIMS.max(payload.len() + payload.len() / 2);
            if json::bytes_of(&claims) <= most {
                *payload = Vec::new();
            }
            claims
        })
    }

    /// Whether the claims are there as values.
    pub fn holds_claims(&self) -> bool {
        self.claims.get().is_some()
    }

    /// Itself without claims whose values take far more memory than their text: what is kept beyond a request.
    ///
    /// Nothing where there are none.
    pub fn without_large_claims(&self) -> Option<Self> {
        let payload = self.payload.borrow();
        let are_large = self.holds_claims() && !payload.is_empty();
        are_large.then(|| Self {
            provider: self.provider,
            subject: self.subject.clone(),
            scopes: self.scopes.clone(),
            roles: self.roles.clone(),
            groups: self.groups.clone(),
            jti: self.jti.clone(),
            times: self.times,
            key: self.key.clone(),
            payload: RefCell::new(payload.clone()),
            claims: OnceCell::new(),
        })
    }

    /// How many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        let texts = self.subject.iter().chain(&self.jti).map(String::capacity);
        let names = [&self.scopes, &self.roles, &self.groups].map(Granted::bytes);
        size_of::<Self>()
            + texts.chain(names).sum::<usize>()
            + self.payload.borrow().capacity()
            + self.claims.get().map_or(0, json::bytes_of)
    }

    /// What is looked at again of the claims that were verified.
    pub fn standing(&self) -> Standing<'_> {
        Standing {
            times: self.times,
            jti: self.jti.as_deref(),
            subject: self.subject(),
        }
    }

    /// The key that verified them.
    pub fn key(&self) -> &KeyId {
        &self.key
    }
}

#[cfg(test)]
impl Principal {
    /// A caller whom nothing vouches for, for the tests of what is asked of callers.
    pub fn for_tests(
        subject: Option<&str>,
        [scopes, roles, groups]: [&[&str]; 3],
        claims: Map<String, Value>,
    ) -> Self {
        let owned = |names: &[&str]| {
            let mut granted = Granted::default();
            granted.extend(names.iter().copied());
            granted
        };
        Self {
            provider: 0,
            subject: subject.map(str::to_owned),
            scopes: owned(scopes),
            roles: owned(roles),
            groups: owned(groups),
            jti: None,
            times: Times {
                expires: None,
                not_before: None,
                issued: None,
            },
            key: KeyId::NONE,
            payload: RefCell::default(),
            claims: claims.into(),
        }
    }
}

/// Who it is is the caller's private matter.
impl std::fmt::Debug for Principal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Principal")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

/// The provider that judges a token found at `location`: the one whose issuer it names, those at the `accepted`
/// numbers before others. Keys of another are never tried (RFC 8725 §3.8).
///
/// # Errors
/// [`TokenFault::Issuer`] where no provider that looks there issues such tokens.
pub fn judge_of<'p>(
    providers: &'p [Provider],
    accepted: &[usize],
    location: LocationId,
    token: &Unverified<'_>,
) -> Result<(usize, &'p Provider), TokenFault> {
    let numbers = accepted.iter().copied().chain(0..providers.len());
    numbers
        .filter_map(|number| Some((number, providers.get(number)?)))
        .find(|(_, provider)| {
            let Method::Jwt(verifier, _) = &provider.method;
            provider.locations.contains(&location) && verifier.claims_to_issue(token)
        })
        .ok_or(TokenFault::Issuer)
}

/// The caller whom the provider of that number vouches for by `token`.
///
/// # Errors
/// [`Refusal`].
pub fn authenticate(
    provider: usize,
    verifier: &Verifier,
    token: Unverified<'_>,
    keys: &KeySet,
    backend: &dyn Backend,
    now: Timestamp,
) -> Result<Rc<Principal>, Refusal> {
    let payload = token.payload();
    let (claims, times, key) = verifier.verify(token, keys, backend, now)?.into_parts();
    Ok(Rc::new(Principal {
        provider,
        subject: verifier.names.subject(&claims)?,
        scopes: verifier.names.scopes(&claims),
        roles: verifier.names.roles(&claims),
        groups: verifier.names.groups(&claims),
        jti: verifier.id_to_look_for(&claims).map(str::to_owned),
        times,
        key,
        payload: RefCell::new(payload.to_vec()),
        claims: OnceCell::new(),
    }))
}
