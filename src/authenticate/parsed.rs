//! Decodes and parses a credential at most once, and only if a provider needs it.
//!
//! There are two steps and two types, because the parsed credential borrows from the decoded one.

use std::cell::OnceCell;

use super::jose::jws::Compact;
use super::jwt::{Unverified, decode};
use crate::credential::Shown;
use crate::reject::TokenFault;

/// A credential whose octets are decoded when they are first needed.
pub struct Decoded<'s> {
    shown: &'s Shown<'s>,
    compact: OnceCell<Result<Compact<'s>, TokenFault>>,
}

impl<'s> Decoded<'s> {
    /// A credential that is not decoded yet.
    pub fn new(shown: &'s Shown<'s>) -> Self {
        Self {
            shown,
            compact: OnceCell::new(),
        }
    }

    fn compact(&self) -> Result<&Compact<'s>, TokenFault> {
        let compact = self.compact.get_or_init(|| match self.shown {
            Shown::Token(token) => decode(token),
            Shown::Login(_) | Shown::Digest(_) | Shown::Key(_) | Shown::Malformed(_) => {
                Err(TokenFault::Malformed)
            }
        });
        compact.as_ref().map_err(|fault| *fault)
    }
}

/// A credential that is parsed when its content is first needed.
pub struct Parsed<'d, 's> {
    decoded: &'d Decoded<'s>,
    jwt: OnceCell<Result<Unverified<'d>, TokenFault>>,
}

impl<'d, 's> Parsed<'d, 's> {
    /// A credential that is not parsed yet.
    pub fn new(decoded: &'d Decoded<'s>) -> Self {
        Self {
            decoded,
            jwt: OnceCell::new(),
        }
    }

    /// The credential as it was presented.
    pub fn shown(&self) -> &'d Shown<'s> {
        self.decoded.shown
    }

    /// The credential as a JSON Web Token.
    ///
    /// # Errors
    /// Why the credential is not a JSON Web Token.
    pub fn jwt(&self) -> Result<&Unverified<'d>, TokenFault> {
        let read = || self.decoded.compact().and_then(Unverified::read);
        let jwt = self.jwt.get_or_init(read);
        jwt.as_ref().map_err(|fault| *fault)
    }
}
