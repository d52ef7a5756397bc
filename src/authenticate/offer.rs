//! What a 401 offers to the client.

use super::digest::DigestAlgorithm;
use super::jose::signature::AlgorithmSet;
use super::{Provider, ProviderId};
use crate::credential::Carrier;
use crate::scheme::Scheme;

/// A way to authenticate. A 401 has one challenge for each (RFC 9110 §11.6.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Offer {
    /// A bearer token, after `Bearer` or a scheme of the configuration (RFC 6750 §3).
    Bearer {
        /// The scheme.
        scheme: Scheme,
        /// Its name in challenges.
        name: String,
        /// Whether the token is not in the header to which challenges refer. Then it is offered only if nothing else is.
        is_elsewhere: bool,
    },
    /// A user name and a password (RFC 7617 §2).
    Basic {
        /// The scheme.
        scheme: Scheme,
    },
    /// A token with a proof that the client has its key (RFC 9449 §7.1).
    Dpop {
        /// The scheme.
        scheme: Scheme,
        /// The algorithms of proofs.
        algorithms: AlgorithmSet,
        /// The provider whose nonce a proof needs; none if it needs no nonce.
        nonce_of: Option<ProviderId>,
    },
    /// A user name, and a proof that the client knows the password (RFC 7616 §3.3). Each algorithm is one offer.
    Digest {
        /// The scheme.
        scheme: Scheme,
        /// The algorithm.
        algorithm: DigestAlgorithm,
        /// The value that the client returns unchanged.
        opaque: String,
        /// The provider whose nonce the client needs.
        nonce_of: ProviderId,
    },
    /// An API key. No scheme is registered for it.
    ApiKey {
        /// The scheme, which only challenges have.
        scheme: Scheme,
        /// The part of a request in which the provider looks for a key first.
        part: KeyPart,
        /// The name of the header, the query parameter or the cookie.
        name: String,
    },
}

/// The part of a request that has an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPart {
    /// A header.
    Header,
    /// A query parameter.
    Query,
    /// A cookie.
    Cookie,
}

/// What is offered for credentials of these providers, in their order. Nothing is offered twice.
pub fn offers_of(providers: &[&Provider]) -> Vec<Offer> {
    let all = || {
        let each = providers.iter();
        each.flat_map(|provider| provider.method.offers())
    };
    let has_others = !all().all(Offer::is_last_resort);
    let mut offers: Vec<Offer> = Vec::new();
    for offer in all().filter(|offer| !has_others || !offer.is_last_resort()) {
        if !offers.contains(offer) {
            offers.push(offer.clone());
        }
    }
    offers
}

impl Offer {
    /// The offer of a provider that looks for API keys in `carrier` first.
    pub fn api_key(scheme: Scheme, carrier: &Carrier) -> Self {
        let (part, name) = match carrier {
            Carrier::Scheme { field, .. } | Carrier::Field(field) => (KeyPart::Header, field),
            Carrier::Cookie(name) => (KeyPart::Cookie, name),
            Carrier::Query(name) => (KeyPart::Query, name),
        };
        Self::ApiKey {
            scheme,
            part,
            name: name.clone(),
        }
    }

    /// The scheme of the challenge.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Bearer { scheme, .. }
            | Self::Basic { scheme }
            | Self::Dpop { scheme, .. }
            | Self::Digest { scheme, .. }
            | Self::ApiKey { scheme, .. } => *scheme,
        }
    }

    /// The provider whose nonce the challenge has; none if it has none.
    pub fn nonce_of(&self) -> Option<ProviderId> {
        match self {
            Self::Dpop { nonce_of, .. } => *nonce_of,
            Self::Digest { nonce_of, .. } => Some(*nonce_of),
            Self::Bearer { .. } | Self::Basic { .. } | Self::ApiKey { .. } => None,
        }
    }

    /// Whether the scheme defines errors: `error` is a parameter of OAuth's schemes alone (RFC 6750 §3).
    pub fn has_errors(&self) -> bool {
        match self {
            Self::Bearer { .. } | Self::Dpop { .. } => true,
            Self::Basic { .. } | Self::Digest { .. } | Self::ApiKey { .. } => false,
        }
    }

    /// Whether it is offered only if nothing else is, because a client cannot use the scheme of the challenge.
    pub fn is_last_resort(&self) -> bool {
        match self {
            Self::Bearer { is_elsewhere, .. } => *is_elsewhere,
            Self::Basic { .. } | Self::Dpop { .. } | Self::Digest { .. } | Self::ApiKey { .. } => {
                false
            }
        }
    }
}
