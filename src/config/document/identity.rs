//! `identity`: what the upstream learns about callers.

use std::collections::BTreeMap;

use crate::config::read::object;

object! {
    /// What the upstream learns about callers. The filter removes these headers from every request before it sets them.
    pub struct Identity {
        /// Headers, and templates of their values. Placeholders are `{subject}`, `{provider}`, `{scopes}`, `{roles}`, `{groups}`
        /// and `{claims.<path>}`.
        #[schemars(extend(
            "x-default" = "none",
            "examples" = [{"x-auth-subject": "{subject}", "x-tenant": "{claims.tenant}"}]
        ))]
        optional headers: BTreeMap<String, String>,
        /// The header with the verified claims, in base64url.
        #[schemars(extend("x-default" = "none", "examples" = ["x-jwt-payload"]))]
        optional payload_header: String,
        /// The header that is `true` if a request passed without a credential, because `allow` or `default` is `optional`.
        #[schemars(extend("x-default" = "none", "examples" = ["x-auth-anonymous"]))]
        optional anonymous_header: String,
        /// More headers that the filter removes from every request. A name that ends in `*` is a prefix.
        #[schemars(extend("x-default" = "none", "examples" = [["x-forwarded-user", "x-auth-request-*"]]))]
        narrowing remove: Vec<String>,
        /// Whether the filter removes the credential from requests that pass.
        #[schemars(extend("default" = false, "examples" = [true]))]
        optional strip_credential: bool,
    }
}
