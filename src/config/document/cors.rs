//! `cors`: which other origins may read responses.

use crate::config::read::{Span, choice, object};
use crate::presentation::cors::Preflight;

object! {
    /// Which other origins may read responses (WHATWG Fetch).
    pub struct Cors {
        /// The origins, as browsers send them. `https://*.example.com` allows every host below `example.com`. `*` alone
        /// allows any origin.
        required allow_origins: Vec<String>,
        /// What happens to preflight requests. Default `pass`.
        optional preflight: Preflight,
        /// The methods that the filter's response to a preflight request allows. Default: the requested one.
        optional allow_methods: Vec<String>,
        /// The headers that it allows. Default: the requested ones.
        optional allow_headers: Vec<String>,
        /// Whether requests may carry cookies. Default `true`. Must be `false` for any origin.
        optional allow_credentials: bool,
        /// How long a browser may cache the response to a preflight request. Default `10m`.
        optional max_age: Span,
    }
}

choice! {
    /// What happens to preflight requests.
    impl Preflight for crate::presentation::cors::Preflight {
        /// They are forwarded to the upstream, without credentials.
        Pass = "pass" => Self::Pass,
        /// The filter answers them.
        Answer = "answer" => Self::Answer,
        /// They need a credential like any other request.
        Authenticate = "authenticate" => Self::Authenticate,
    }
}
