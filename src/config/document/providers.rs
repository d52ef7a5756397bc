//! `providers`: who can verify credentials. Each kind of credential is one key, in one file.

pub mod api_key;
pub mod basic;
pub mod introspection;
pub mod jwt;
pub mod remote;

use self::api_key::ApiKey;
use self::basic::Basic;
use self::introspection::Introspection;
use self::jwt::Jwt;
use crate::config::read::object;

object! {
    /// A provider, which verifies one kind of credential.
    pub struct Provider {
        /// The name, for rules and logs.
        required name: String,
        /// JSON Web Tokens.
        optional jwt: Jwt,
        /// Tokens about which the filter asks the authorization server.
        optional introspection: Introspection,
        /// API keys.
        optional api_key: ApiKey,
        /// User names and passwords.
        optional basic: Basic,
    }
    unsupported { digest, mtls }
}

object! {
    /// Where a credential may be: a header, a cookie or a query parameter.
    pub struct From {
        /// A header.
        optional header: String,
        /// The scheme before the token in the header. Without one, the token is the whole value of the header. In
        /// `authorization` and `proxy-authorization` it may then also follow `Bearer`.
        optional scheme: String,
        /// A cookie.
        optional cookie: String,
        /// A query parameter.
        optional query: String,
    }
}
