//! `providers`: who can verify credentials. Each kind of credential is one key, in one file.

pub mod api_key;
pub mod basic;
pub mod digest;
pub mod introspection;
pub mod jwt;
pub mod mtls;
pub mod remote;
pub mod sender;

use self::api_key::ApiKey;
use self::basic::Basic;
use self::digest::Digest;
use self::introspection::Introspection;
use self::jwt::Jwt;
use self::mtls::Mtls;
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
        /// User names, and proofs that the client knows the password.
        optional digest: Digest,
        /// Client certificates.
        optional mtls: Mtls,
    }
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
