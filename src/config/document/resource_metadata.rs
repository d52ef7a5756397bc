//! `resource_metadata`: the metadata of the protected resource.

use crate::config::read::object;

object! {
    /// The metadata of the protected resource (RFC 9728 §2).
    pub struct ResourceMetadata {
        /// The identifier of the resource: an `https` URL without a fragment.
        #[schemars(extend("examples" = ["https://orders.example.com"]))]
        required resource: String,
        /// The issuers of its authorization servers.
        #[schemars(extend("examples" = [["https://login.example.com"]]))]
        required authorization_servers: Vec<String>,
        /// The scopes of the resource.
        #[schemars(extend("x-default" = "none", "examples" = [["orders:read", "orders:write"]]))]
        optional scopes_supported: Vec<String>,
        /// The name of the resource, for people.
        #[schemars(extend("x-default" = "none", "examples" = ["Orders"]))]
        optional resource_name: String,
        /// The URL of the documentation for developers.
        #[schemars(extend("x-default" = "none", "examples" = ["https://docs.example.com"]))]
        optional resource_documentation: String,
        /// The URL of the requirements for clients.
        #[schemars(extend("x-default" = "none", "examples" = ["https://example.com/policy"]))]
        optional resource_policy_uri: String,
        /// The URL of the terms of service.
        #[schemars(extend("x-default" = "none", "examples" = ["https://example.com/terms"]))]
        optional resource_tos_uri: String,
        /// The same metadata as a signed JWT. The filter copies it without change.
        #[schemars(extend("x-default" = "none", "examples" = ["eyJhbGciOiJFUzI1NiJ9.e30.c2ln"]))]
        optional signed_metadata: String,
    }
}
