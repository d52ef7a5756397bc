//! Verifies credentials: Presented → Principal.
//!
//! Each kind of credential is one variant of [`Method`] and one file. Each file has functions with the same names:
//!
//! 1. `claim` recognizes a credential that its provider can verify.
//! 2. `verify` verifies the credential, and returns the caller.
//! 3. `still_valid` checks again what can have changed since a credential was verified.
//! 4. `offers` lists the challenges of a 401.
//!
//! None of them reads the store. They receive what they need of it as [`Facts`].

pub mod api_key;
pub mod basic;
pub mod confirmation;
pub mod digest;
pub mod dpop;
pub mod granted;
pub mod introspection;
pub mod jose;
pub mod jwt;
pub mod listed;
pub mod mtls;
mod offer;
mod parsed;
mod principal;
pub mod sender;

use std::rc::Rc;

use self::api_key::ApiKey;
use self::api_key::list::ApiKeys;
use self::basic::users::UserList;
use self::basic::{Basic, Hashing};
use self::digest::Digest;
use self::introspection::{Introspection, Known};
use self::jose::keys::KeySet;
use self::jose::signature::Backend;
use self::jwt::{Jwt, Unverified};
use self::mtls::Mtls;
pub use self::offer::{KeyPart, Offer, offers_of};
pub use self::parsed::{Decoded, Parsed};
pub use self::principal::{Evidence, Principal};
use self::sender::{Binding, Sender};
use crate::credential::{DigestCredential, LocationId, Login, Shown};
use crate::nonce::{NonceKey, Purpose, Use};
use crate::reject::{Invalid, KeyFault, LoginFault, TokenFault, Unavailable};
use crate::time::Timestamp;

/// Identifies a provider by its position in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(pub usize);

/// Identifies a source of fetched keys or entries by its position among the sources of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub usize);

/// A provider of the configuration: it verifies credentials of one kind.
#[derive(Debug)]
pub struct Provider {
    /// Its name in the configuration.
    pub name: String,
    /// The locations where it looks for credentials.
    pub locations: Vec<LocationId>,
    /// How it verifies them.
    pub method: Method,
}

/// How a provider verifies credentials: one variant for each kind.
// There are few providers: a box would cost each request a load.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum Method {
    /// JSON Web Tokens.
    Jwt(Jwt),
    /// Opaque tokens.
    Introspection(Introspection),
    /// API keys.
    ApiKey(ApiKey),
    /// User names and passwords.
    Basic(Basic),
    /// User names, and proofs that the client knows the password.
    Digest(Digest),
    /// Client certificates.
    Mtls(Mtls),
}

/// A credential that a method recognizes, with that method. It is not verified.
#[derive(Clone, Copy)]
pub enum Claim<'p, 'c> {
    /// A JSON Web Token.
    Jwt(&'p Jwt, &'c Unverified<'c>),
    /// An opaque token.
    Introspection(&'p Introspection, &'c [u8]),
    /// An API key.
    ApiKey(&'p ApiKey, &'c [u8]),
    /// A user name and a password.
    Basic(&'p Basic, &'c Login),
    /// A user name, and a proof that the client knows the password.
    Digest(&'p Digest, &'c DigestCredential<'c>),
    /// The accepted name of a client certificate.
    Mtls(&'p Mtls, &'c str),
}

/// What a provider needs to verify a credential, in addition to its configuration.
#[derive(Clone, Copy)]
pub struct Facts<'f> {
    /// The fetched keys.
    pub keys: &'f dyn KeysAtHand,
    /// The fetched lists.
    pub lists: &'f dyn ListsAtHand,
    /// What the authorization server says of this token; none if it was not asked.
    pub answer: Option<Known<'f>>,
    /// Whether slow hashes are computed now.
    pub hashing: &'f Hashing<'f>,
    /// What verifies signatures.
    pub backend: &'f dyn Backend,
    /// The method of the request.
    pub method: &'f [u8],
    /// The key of nonces, if the provider has none. None if the workers of the host cannot share one.
    pub nonce_key: Option<&'f NonceKey>,
    /// The current time.
    pub now: Timestamp,
}

/// The fetched keys, by their source.
pub trait KeysAtHand {
    /// The keys of a source. `None` if no keys have been fetched from it yet.
    fn keys(&self, source: SourceId) -> Option<&KeySet>;
}

/// The fetched lists of credentials, by their source.
pub trait ListsAtHand {
    /// The API keys of a source. `None` if no list has been fetched from it, or the list is too old.
    fn api_keys(&self, source: SourceId) -> Option<&ApiKeys>;

    /// The users of a source. `None` if no list has been fetched from it, or the list is too old.
    fn users(&self, source: SourceId) -> Option<&UserList>;
}

/// Why a credential does not prove who the caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The credential is not valid.
    Invalid(Invalid),
    /// None of the present keys verifies the token. A key that is not fetched yet could.
    Unproven(Unproven),
    /// The list that the credential could be in is not at hand.
    NotFetched(SourceId),
    /// The authorization server was not asked about the token.
    NotAsked,
    /// It is not known now whether the credential is valid.
    Unavailable(Unavailable),
}

/// A token that no present key verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unproven {
    /// The token's fault if no key is fetched that verifies it.
    pub fault: TokenFault,
    /// Whether a present key has the token's `kid`. It is then the key that the token names, unless the issuer replaced it.
    pub is_named: bool,
}

impl<F: Into<Invalid>> From<F> for Refusal {
    fn from(fault: F) -> Self {
        Self::Invalid(fault.into())
    }
}

/// The provider that verifies a credential.
pub struct Selected<'p, 'c> {
    /// The provider's identifier.
    pub id: ProviderId,
    /// The provider.
    pub provider: &'p Provider,
    /// The credential, as the provider recognizes it.
    pub claim: Claim<'p, 'c>,
}

/// Selects the provider that verifies a credential found at `location`. For a JSON Web Token, this is the provider whose
/// issuer the token names; an authorization server is asked only about other tokens. `accepted` providers are preferred.
/// The keys of another provider are never tried (RFC 8725 §3.8).
///
/// # Errors
/// The fault of a credential that no provider recognizes.
pub fn select<'p, 'c>(
    providers: &'p [Provider],
    accepted: &[ProviderId],
    location: LocationId,
    parsed: &'c Parsed<'_, '_>,
) -> Result<Selected<'p, 'c>, Invalid> {
    let find = |asks: bool| {
        let all = (0..providers.len()).map(ProviderId);
        let mut ids = accepted.iter().copied().chain(all);
        ids.find_map(|id| {
            let provider = providers.get(id.0)?;
            let looks_there = provider.locations.contains(&location);
            let claims = looks_there && provider.method.asks() == asks;
            let claim = claims.then(|| provider.method.claim(parsed))??;
            Some(Selected {
                id,
                provider,
                claim,
            })
        })
    };
    // A JSON Web Token of a provider that does not look at this location must not become a token of another provider.
    let is_known = || {
        let mut others = providers.iter().filter(|own| !own.method.asks());
        others.any(|own| own.method.claim(parsed).is_some())
    };
    match find(false).or_else(|| find(true).filter(|_| !is_known())) {
        Some(selected) => Ok(selected),
        None => Err(match parsed.shown() {
            // The token can be parsed, so its fault is that its issuer is not trusted.
            Shown::Token(_) => parsed.jwt().err().unwrap_or(TokenFault::Issuer).into(),
            Shown::Malformed(fault) => *fault,
            Shown::Login(_) | Shown::Digest(_) => LoginFault::User.into(),
            Shown::Key(_) => KeyFault::Unknown.into(),
        }),
    }
}

impl Provider {
    /// Whether some of its credentials need a client certificate by its configuration.
    pub fn needs_certificate(&self) -> bool {
        let binding = self.method.sender().map(|sender| sender.required);
        matches!(self.method, Method::Mtls(_))
            || matches!(binding, Some(Binding::Mtls | Binding::Any))
    }

    /// What its nonces are for.
    pub fn purpose<'p>(&'p self, realm: &'p str) -> Purpose<'p> {
        match &self.method {
            Method::Digest(own) => own.purpose(),
            _ => Purpose {
                use_: Use::Dpop,
                realm,
                provider: &self.name,
                lifetime: dpop::NONCE_LIFETIME,
            },
        }
    }

    /// The key of its nonces: its own, else the one that the workers share.
    pub fn nonce_key<'k>(&'k self, shared: Option<&'k NonceKey>) -> Option<&'k NonceKey> {
        match &self.method {
            Method::Digest(own) => own.nonce_key(shared),
            _ => shared,
        }
    }

    /// Whether both providers could recognize the same credential.
    pub fn conflicts_with(&self, other: &Self) -> bool {
        let mut locations = self.locations.iter();
        locations.any(|own| other.locations.contains(own))
            && self.method.conflicts_with(&other.method)
    }
}

impl Method {
    /// What a 401 offers: one challenge for each.
    pub fn offers(&self) -> &[Offer] {
        match self {
            Self::Jwt(jwt) => jwt.offers(),
            Self::Introspection(own) => own.offers(),
            Self::ApiKey(own) => own.offers(),
            Self::Basic(own) => own.offers(),
            Self::Digest(own) => own.offers(),
            Self::Mtls(own) => own.offers(),
        }
    }

    /// Who may send its tokens; none if its credentials are not tokens.
    pub fn sender(&self) -> Option<&Sender> {
        match self {
            Self::Jwt(jwt) => Some(&jwt.sender),
            Self::Introspection(own) => Some(&own.sender),
            Self::ApiKey(_) | Self::Basic(_) | Self::Digest(_) | Self::Mtls(_) => None,
        }
    }

    /// Whether its credentials need a proof that is different for each request. A token that is bound to a key always does.
    pub fn asks_for_proofs(&self) -> bool {
        match self {
            Self::Digest(_) => true,
            other => other.sender().is_some_and(Sender::asks_for_proofs),
        }
    }

    /// Whether the evidence for a caller is still current. If it is not, the credential must be verified again.
    ///
    /// # Errors
    /// [`Refusal`] if the credential is no longer valid.
    pub fn still_valid(&self, principal: &Principal, facts: Facts<'_>) -> Result<bool, Refusal> {
        match (self, principal.evidence()) {
            (Self::Jwt(jwt), Evidence::Jwt(evidence)) => {
                jwt.still_valid(evidence, principal.subject(), facts)
            }
            (Self::Introspection(_), Evidence::Introspected(evidence)) => {
                evidence.still_valid(facts.now)
            }
            (Self::Basic(own), Evidence::Login(user)) => own.still_valid(user, facts),
            // Another method verified the credential, or its results are not cached.
            (
                Self::Jwt(_)
                | Self::Introspection(_)
                | Self::ApiKey(_)
                | Self::Basic(_)
                | Self::Digest(_)
                | Self::Mtls(_),
                _,
            ) => Ok(false),
        }
    }

    /// Whether it asks another server about each credential.
    fn asks(&self) -> bool {
        matches!(self, Self::Introspection(_))
    }

    fn claim<'p, 'c>(&'p self, parsed: &'c Parsed<'_, '_>) -> Option<Claim<'p, 'c>> {
        match self {
            Self::Jwt(jwt) => jwt.claim(parsed).map(|token| Claim::Jwt(jwt, token)),
            Self::Introspection(own) => {
                let token = own.claim(parsed)?;
                Some(Claim::Introspection(own, token))
            }
            Self::ApiKey(own) => {
                let key = own.claim(parsed.shown())?;
                Some(Claim::ApiKey(own, key))
            }
            Self::Basic(own) => {
                let login = own.claim(parsed.shown())?;
                Some(Claim::Basic(own, login))
            }
            Self::Digest(own) => {
                let credential = own.claim(parsed.shown())?;
                Some(Claim::Digest(own, credential))
            }
            // It is not in the request: see `Mtls::claim`.
            Self::Mtls(_) => None,
        }
    }

    fn conflicts_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Jwt(own), Self::Jwt(other)) => own.issuer.overlaps(&other.issuer),
            // Providers of another kind read credentials of another form.
            (own, other) => std::mem::discriminant(own) == std::mem::discriminant(other),
        }
    }
}

impl<'c> Claim<'_, 'c> {
    /// The subject that the credential names. It is not verified.
    pub fn subject(self) -> Option<&'c str> {
        match self {
            Self::Jwt(jwt, token) => jwt.claimed_subject(token),
            Self::Introspection(..) | Self::ApiKey(..) => None,
            Self::Basic(_, login) => Some(login.user()),
            Self::Digest(_, credential) => Some(credential.user()),
            Self::Mtls(_, subject) => Some(subject),
        }
    }

    /// Verifies the credential, and returns the caller.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn verify(self, provider: ProviderId, facts: Facts<'_>) -> Result<Rc<Principal>, Refusal> {
        let verified = match self {
            Self::Jwt(jwt, token) => jwt.verify(token, facts),
            Self::Introspection(own, token) => own.verify(token, facts),
            Self::ApiKey(own, key) => own.verify(key, facts),
            Self::Basic(own, login) => own.verify(login, facts),
            Self::Digest(own, credential) => own.verify(credential, facts),
            Self::Mtls(own, subject) => Ok(own.verify(subject)),
        }?;
        Ok(Rc::new(Principal::new(provider, verified)))
    }
}
