//! `identity`: what the upstream learns about callers.

use std::collections::BTreeMap;

use crate::config::read::object;

object! {
    /// What the upstream learns about callers. The filter removes these headers from every request before it sets them.
    pub struct Identity {
        /// Headers, and templates of their values: `{subject}`, `{provider}`, `{scopes}`, `{roles}`, `{groups}`,
        /// `{claims.<path>}`.
        optional headers: BTreeMap<String, String>,
        /// The header with the verified claims, in base64url.
        optional payload_header: String,
        /// The header that is `true` where a rule with `allow: optional` let a request without a credential pass.
        optional anonymous_header: String,
        /// More headers that are removed from every request. A name that ends in `*` is a prefix.
        narrowing remove: Vec<String>,
        /// Whether the credential is removed from requests that pass. Default `false`.
        optional strip_credential: bool,
    }
}
