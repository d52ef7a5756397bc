//! `remote`: a list of credentials that is fetched.

use std::collections::BTreeMap;

use crate::config::document::secret::SecretSource;
use crate::config::read::{Span, object};

object! {
    /// A list of credentials that is fetched.
    pub struct Fetched {
        /// Where it is fetched.
        required remote: Remote,
    }
}

object! {
    /// A list of credentials at a URL.
    pub struct Remote {
        /// The absolute `https` URL. `http` is accepted for a loopback address.
        required uri: String,
        /// The host's cluster for requests to it.
        required cluster: String,
        /// How long the filter waits for a response. Default `5s`.
        optional timeout: Span,
        /// The time between two fetches, from `1s` to `24h`. Default `60s`.
        optional refresh: Span,
        /// How long a list is used after the last successful fetch. Then requests with a credential of the list receive 503.
        /// Default `24h`.
        narrowing max_stale: Span,
        /// Headers of the requests, such as `authorization`. A value is a text or `{env: NAME}`.
        narrowing headers: BTreeMap<String, SecretSource>,
    }
}
