//! `cors`: which other origins may read responses.

use crate::config::read::{Span, choice, object};
use crate::presentation::cors::Preflight;

object! {
    /// Which other origins can read responses (WHATWG Fetch).
    pub struct Cors {
        /// The origins, as browsers send them. `https://*.example.com` allows every host below `example.com`. `*` alone allows any
        /// origin.
        #[schemars(extend("examples" = [["https://app.example.com", "https://*.preview.example.com"]]))]
        required allow_origins: Vec<String>,
        /// What happens to preflight requests.
        #[schemars(extend("default" = "pass", "examples" = ["answer"]))]
        optional preflight: Preflight,
        /// The methods in the filter's response to a preflight request.
        #[schemars(extend("x-default" = "the requested one", "examples" = [["GET", "POST"]]))]
        optional allow_methods: Vec<String>,
        /// The headers in the filter's response to a preflight request.
        #[schemars(extend("x-default" = "the requested ones", "examples" = [["authorization", "content-type"]]))]
        optional allow_headers: Vec<String>,
        /// Whether browsers can send cookies. It must be `false` if any origin is allowed.
        #[schemars(extend("default" = true, "examples" = [false]))]
        optional allow_credentials: bool,
        /// How long a browser can cache the response to a preflight request.
        #[schemars(extend("default" = "10m", "examples" = ["1h"]))]
        optional max_age: Span,
    }
}

choice! {
    /// What happens to preflight requests.
    impl Preflight for crate::presentation::cors::Preflight {
        /// The filter forwards them to the upstream, without credentials.
        Pass = "pass" => Self::Pass,
        /// The filter answers them.
        Answer = "answer" => Self::Answer,
        /// They need a credential like any other request.
        Authenticate = "authenticate" => Self::Authenticate,
    }
}
