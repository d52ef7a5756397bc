//! Who may send a token: everyone who has it, or only the client to whose key it is bound (RFC 7800 §3).
//!
//! A token names its key in `cnf`: that of a DPoP proof (RFC 9449 §6), or that of a certificate of the client (RFC 8705 §3).
//! A binding is always checked, whatever the configuration requires.

use subtle::ConstantTimeEq;

use super::confirmation::Confirmation;
use super::dpop::Dpop;
use crate::reject::TokenFault;

/// Which tokens a provider accepts, by who may send them.
#[derive(Debug, Default)]
pub struct Sender {
    /// The binding that every token must have.
    pub required: Binding,
    /// How proofs are verified; none if the provider does not accept the scheme `DPoP`.
    pub dpop: Option<Dpop>,
}

/// The binding that a provider requires of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Binding {
    /// None.
    #[default]
    None,
    /// To the key of a proof.
    Dpop,
    /// To a certificate.
    Mtls,
    /// To either of them.
    Any,
}

impl Sender {
    /// Whether tokens that are not bound are refused, or can come after `DPoP`.
    pub fn asks_for_proofs(&self) -> bool {
        self.required != Binding::None || self.dpop.is_some()
    }

    /// Checks the binding of a verified token, as far as it needs no proof. `by_dpop` says whether the token came after the
    /// scheme `DPoP`, and `certificate` returns the SHA-256 of the client's certificate.
    ///
    /// # Errors
    /// [`TokenFault::Unbound`], [`TokenFault::Binding`].
    pub fn check(
        &self,
        confirmation: Option<&Confirmation>,
        by_dpop: bool,
        certificate: impl FnOnce() -> Option<[u8; 32]>,
    ) -> Result<(), TokenFault> {
        let Some(bound) = confirmation else {
            // A token without a key would make the proof meaningless (RFC 9449 §7.1).
            return match self.required == Binding::None && !by_dpop {
                true => Ok(()),
                false => Err(TokenFault::Unbound),
            };
        };
        let is_required = match self.required {
            Binding::None | Binding::Any => true,
            Binding::Dpop => bound.jkt.is_some(),
            Binding::Mtls => bound.certificate.is_some(),
        };
        // After `Bearer`, a token that needs a proof would be used without one (RFC 9449 §7.2).
        if !is_required || bound.jkt.is_some() != by_dpop {
            return Err(TokenFault::Binding);
        }
        match bound.certificate {
            None => Ok(()),
            Some(own) => match certificate() {
                Some(peer) if bool::from(own.ct_eq(&peer)) => Ok(()),
                Some(_) | None => Err(TokenFault::Binding),
            },
        }
    }
}
