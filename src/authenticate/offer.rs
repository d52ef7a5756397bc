//! What a 401 offers to the client.

use crate::scheme::Scheme;

/// A way to authenticate. A 401 has one challenge for each (RFC 9110 §11.6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

impl Offer {
    /// The scheme of the challenge.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Bearer { scheme, .. } => *scheme,
        }
    }

    /// Whether it is offered only if nothing else is, because a client cannot use the scheme of the challenge.
    pub fn is_last_resort(&self) -> bool {
        match self {
            Self::Bearer { is_elsewhere, .. } => *is_elsewhere,
        }
    }
}
