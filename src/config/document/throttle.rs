//! `throttle`: how many failures block a caller.

use crate::config::read::{Span, choice, object};

object! {
    /// How many failures block a caller. All requests of a blocked caller receive 429, with any credential. A wrong signature or
    /// password is a failure. A credential that is missing, expired or for another audience is not.
    pub struct Throttle {
        /// How many failures block a caller.
        #[schemars(range(min = 1, max = 100), extend("examples" = [10]))]
        required failures: u32,
        /// The time within which failures are counted.
        #[schemars(extend("x-range" = ["1s", "30d"], "examples" = ["1m"]))]
        required window: Span,
        /// How long the caller is blocked. Failures in that time do not extend it.
        #[schemars(extend("x-range" = ["1s", "30d"], "examples" = ["5m"]))]
        required block: Span,
        /// Whose failures are counted together.
        #[schemars(extend(
            "minItems" = 1, "uniqueItems" = true,
            "default" = ["address"],
            "examples" = [["address", "user"]]
        ))]
        narrowing by: Vec<ThrottleBy>,
        /// Networks whose requests are neither counted nor blocked.
        #[schemars(extend("x-default" = "none", "examples" = [["10.0.0.0/8"]]))]
        optional exempt: Vec<String>,
    }
}

choice! {
    /// Whose failures are counted together.
    pub enum ThrottleBy {
        /// Those of one client address, as Envoy determines it. For IPv6, those of one /64. Without an address, nothing is
        /// counted.
        Address = "address",
        /// Those with the name of one user. The credential is not yet verified, so anyone who knows the name of a user can
        /// block the user.
        User = "user",
    }
}
