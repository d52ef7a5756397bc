//! What a 401 offers to the client.

use crate::scheme::Scheme;

/// A way to authenticate. A 401 has one challenge for each (RFC 9110 §11.6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// A bearer token (RFC 6750 §3).
    Bearer,
}

impl Offer {
    /// The scheme of the challenge.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Bearer => Scheme::Bearer,
        }
    }
}
