//! `throttle`: how many failures block a caller.

use crate::config::read::{Span, choice, object};

object! {
    /// How many failures lead to 429 for all requests of a caller, whatever credential they show. A wrong signature is a
    /// failure. A credential that is missing, expired or issued for others is not.
    pub struct Throttle {
        /// How many failures block a caller, from 1 to 100.
        #[schemars(range(min = 1, max = 100))]
        required failures: u32,
        /// The time within which they are counted, from `1s` to `30d`.
        required window: Span,
        /// How long the caller is blocked, from `1s` to `30d`. Failures in that time do not extend it.
        required block: Span,
        /// Whose failures are counted together. Default `address` only.
        #[schemars(extend("minItems" = 1, "uniqueItems" = true))]
        narrowing by: Vec<ThrottleBy>,
        /// Networks whose requests are neither counted nor blocked.
        optional exempt: Vec<String>,
    }
}

choice! {
    /// Whose failures are counted together.
    pub enum ThrottleBy {
        /// Those of one client address, as the host's settings for forwarded addresses determine it; for IPv6 those of one
        /// /64. If the host knows no address, nothing is counted.
        Address = "address",
        /// Those with credentials of one user, as the credential names the user before it is verified. Anyone who knows
        /// a user's name can have that user blocked.
        User = "user",
    }
}
