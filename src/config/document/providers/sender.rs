//! Who may send the tokens of a provider.

use crate::config::read::{Span, choice, object};

choice! {
    /// Whether tokens must be bound to their sender.
    impl Sender for crate::authenticate::sender::Binding {
        /// They need not be.
        None = "none" => Self::None,
        /// To the key of a DPoP proof. Only the scheme `DPoP` is accepted.
        Dpop = "dpop" => Self::Dpop,
        /// To the certificate of the client.
        Mtls = "mtls" => Self::Mtls,
        /// To one of them.
        Bound = "bound" => Self::Any,
    }
}

object! {
    /// How proofs of possession are verified (RFC 9449).
    pub struct Dpop {
        /// The accepted algorithms. Default ES256, EdDSA and Ed25519.
        narrowing algorithms: Vec<String>,
        /// How old a proof may be, from `1s` to `10m`. Default `60s`.
        optional window: Span,
        /// Whether a proof must contain a nonce of the filter. Default `never`.
        optional nonce: Nonce,
    }
}

choice! {
    /// Whether a proof must contain a nonce of the filter.
    pub enum Nonce {
        /// It need not.
        Never = "never",
        /// It must.
        Required = "required",
    }
}
