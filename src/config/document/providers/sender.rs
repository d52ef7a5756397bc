//! Who may send the tokens of a provider.

use crate::config::read::{Span, choice, object};

choice! {
    /// Whether tokens must be bound to their sender.
    impl Sender for crate::authenticate::sender::Binding {
        /// Tokens without a binding are accepted.
        None = "none" => Self::None,
        /// They must be bound to the key of a DPoP proof. Only the scheme `DPoP` is accepted.
        Dpop = "dpop" => Self::Dpop,
        /// They must be bound to the certificate of the client.
        Mtls = "mtls" => Self::Mtls,
        /// They must be bound to one of the two.
        Bound = "bound" => Self::Any,
    }
}

object! {
    /// How proofs of possession are verified (RFC 9449).
    pub struct Dpop {
        /// The accepted algorithms of proofs.
        #[schemars(extend("default" = ["ES256", "EdDSA", "Ed25519"], "examples" = [["ES256"]]))]
        narrowing algorithms: Vec<String>,
        /// How old a proof can be.
        #[schemars(extend("default" = "60s", "x-range" = ["1s", "10m"], "examples" = ["2m"]))]
        optional window: Span,
        /// Whether a proof must contain a nonce of the filter.
        #[schemars(extend("default" = "never", "examples" = ["required"]))]
        optional nonce: Nonce,
    }
}

choice! {
    /// Whether a proof must contain a nonce of the filter.
    pub enum Nonce {
        /// A nonce is optional.
        Never = "never",
        /// A nonce is required.
        Required = "required",
    }
}
