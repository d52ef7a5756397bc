//! `resource_metadata`: the metadata of the protected resource.

use crate::config::read::object;

object! {
    /// The metadata of the protected resource (RFC 9728 §2).
    pub struct ResourceMetadata {
        /// The identifier of the resource: an `https` URL without a fragment.
        required resource: String,
        /// The issuers of its authorization servers.
        required authorization_servers: Vec<String>,
        /// The scopes of the resource.
        optional scopes_supported: Vec<String>,
        /// The name of the resource, for people.
        optional resource_name: String,
        /// The URL of the documentation for developers.
        optional resource_documentation: String,
        /// The URL of the requirements for clients.
        optional resource_policy_uri: String,
        /// The URL of the terms of service.
        optional resource_tos_uri: String,
        /// The same metadata as a signed JWT. The filter copies it without change.
        optional signed_metadata: String,
    }
}
