//! The caller of a request, after its credential was verified.

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::ProviderId;
use super::basic::users::User;
use super::confirmation::Confirmation;
use super::granted::Granted;
use super::{introspection, jwt};
use crate::json;
use crate::time::Timestamp;

/// A caller whose credential was verified. Only [`Claim::verify`](super::Claim::verify) creates one.
pub struct Principal {
    provider: ProviderId,
    subject: Option<String>,
    scopes: Granted,
    roles: Granted,
    groups: Granted,
    evidence: Evidence,
    confirmation: Option<Box<Confirmation>>,
    /// The JSON text of the claims, because most rules need no other claims than the above. Empty when the claims are
    /// kept as values.
    payload: RefCell<Vec<u8>>,
    claims: OnceCell<Map<String, Value>>,
}

/// What a verified credential says about its caller.
pub(super) struct Verified {
    pub(super) subject: Option<String>,
    pub(super) scopes: Granted,
    pub(super) roles: Granted,
    pub(super) groups: Granted,
    pub(super) evidence: Evidence,
    /// The keys to which the credential is bound.
    pub(super) confirmation: Option<Box<Confirmation>>,
    /// The JSON text of the claims. Empty if a credential has no claims.
    pub(super) payload: Vec<u8>,
}

/// What must be checked again when the same credential is presented again.
#[derive(Debug, Clone)]
pub enum Evidence {
    /// A JSON Web Token.
    Jwt(jwt::Evidence),
    /// An opaque token.
    Introspected(introspection::Evidence),
    /// An API key. It is verified each time.
    ApiKey,
    /// A user name and a password, which are those of this entry.
    Login(Rc<User>),
    /// A proof that the client knows the password of a user. Its nonce is valid until this time.
    Digest(Timestamp),
    /// A client certificate.
    Certificate,
}

/// Claims that take at most this much memory, in bytes, are kept as values for any length of their text.
const FEW_CLAIMS: usize = 8 * 1024;

impl Principal {
    pub(super) fn new(provider: ProviderId, verified: Verified) -> Self {
        Self {
            provider,
            subject: verified.subject,
            scopes: verified.scopes,
            roles: verified.roles,
            groups: verified.groups,
            evidence: verified.evidence,
            confirmation: verified.confirmation,
            payload: RefCell::new(verified.payload),
            claims: OnceCell::new(),
        }
    }

    /// The provider that verified the credential.
    pub fn provider(&self) -> ProviderId {
        self.provider
    }

    /// The identifier of the caller. `None` if the credential has none.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The scopes that the credential grants.
    pub fn scopes(&self) -> &Granted {
        &self.scopes
    }

    /// The roles of the caller.
    pub fn roles(&self) -> &Granted {
        &self.roles
    }

    /// The groups of the caller.
    pub fn groups(&self) -> &Granted {
        &self.groups
    }

    /// What must be checked again when the same credential is presented again.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The keys to which the credential is bound: a request must prove that its client has them. None if it is not bound.
    pub fn confirmation(&self) -> Option<&Confirmation> {
        self.confirmation.as_deref()
    }

    /// Whether the credential is an API key.
    pub fn has_api_key(&self) -> bool {
        matches!(self.evidence, Evidence::ApiKey)
    }

    /// Whether verifying the credential again costs so much that the first result is cached.
    pub fn is_costly(&self) -> bool {
        match self.evidence {
            Evidence::Introspected(_) | Evidence::Login(_) => true,
            Evidence::Jwt(_) | Evidence::ApiKey | Evidence::Digest(_) | Evidence::Certificate => {
                false
            }
        }
    }

    /// All verified claims.
    pub fn claims(&self) -> &Map<String, Value> {
        self.claims.get_or_init(|| {
            let mut payload = self.payload.borrow_mut();
            if payload.is_empty() {
                return Map::new();
            }
            let claims = match json::parse_strict(&payload) {
                Ok(Value::Object(claims)) => claims,
                // INVARIANT: the text was an object when the credential was verified, and has not changed.
                Ok(_) | Err(_) => Map::new(),
            };
            let most = FEW_CLAIMS.max(payload.len() + payload.len() / 2);
            if json::bytes_of(&claims) <= most {
                *payload = Vec::new();
            }
            claims
        })
    }

    /// Whether the claims are kept as values.
    pub fn holds_claims(&self) -> bool {
        self.claims.get().is_some()
    }

    /// A copy without the values of the claims, for the cache, if the values take far more memory than the text.
    ///
    /// `None` if they do not.
    pub fn without_large_claims(&self) -> Option<Self> {
        let payload = self.payload.borrow();
        let are_large = self.holds_claims() && !payload.is_empty();
        are_large.then(|| Self {
            provider: self.provider,
            subject: self.subject.clone(),
            scopes: self.scopes.clone(),
            roles: self.roles.clone(),
            groups: self.groups.clone(),
            evidence: self.evidence.clone(),
            confirmation: self.confirmation.clone(),
            payload: RefCell::new(payload.clone()),
            claims: OnceCell::new(),
        })
    }

    /// The memory that the caller takes, in bytes.
    pub fn bytes(&self) -> usize {
        let names = [&self.scopes, &self.roles, &self.groups].map(Granted::bytes);
        size_of::<Self>()
            + self.subject.as_ref().map_or(0, String::capacity)
            + names.iter().sum::<usize>()
            + self.evidence.bytes()
            + self.confirmation.as_deref().map_or(0, size_of_val)
            + self.payload.borrow().capacity()
            + self.claims.get().map_or(0, json::bytes_of)
    }
}

impl Evidence {
    /// The memory that it has allocated, in bytes.
    fn bytes(&self) -> usize {
        match self {
            Self::Jwt(evidence) => evidence.bytes(),
            Self::Introspected(_) | Self::ApiKey | Self::Digest(_) | Self::Certificate => 0,
            // The list has it too, until the list changes.
            Self::Login(user) => user.bytes(),
        }
    }
}

#[cfg(test)]
impl Principal {
    /// A caller for the tests of requirements. No credential was verified.
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
            provider: ProviderId(0),
            subject: subject.map(str::to_owned),
            scopes: owned(scopes),
            roles: owned(roles),
            groups: owned(groups),
            evidence: Evidence::Jwt(jwt::Evidence::for_tests()),
            confirmation: None,
            payload: RefCell::default(),
            claims: claims.into(),
        }
    }
}

/// Prints only the provider, because the caller's identity is private.
impl fmt::Debug for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Principal")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}
