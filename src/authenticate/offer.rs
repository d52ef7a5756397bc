//! What a 401 offers its client.

use crate::scheme::Scheme;

/// A way to authenticate, which a 401 offers by one challenge (RFC 9110 §11.6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// A bearer token (RFC 6750 §3).
    Bearer,
}

impl Offer {
    /// The scheme of its challenge.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Bearer => Scheme::Bearer,
        }
    }
}
