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
    /// A provider, which verifies one kind of credential. Exactly one key besides `name` is required.
    pub struct Provider {
        /// The name, for rules and logs.
        #[schemars(extend("examples" = ["corp"]))]
        required name: String,
        /// JSON Web Tokens.
        #[schemars(extend(
            "x-default" = "none",
            "examples" = [{"issuer": "https://login.example.com", "audiences": ["orders"], "jwks": {"discovery": {"uri": "https://login.example.com/.well-known/openid-configuration", "cluster": "login"}}}]
        ))]
        optional jwt: Jwt,
        /// Tokens about which the filter asks the authorization server.
        #[schemars(extend(
            "x-default" = "none",
            "examples" = [{"uri": "https://login.example.com/introspect", "cluster": "login", "client_id": "gate", "client_secret": {"env": "GATE_SECRET"}}]
        ))]
        optional introspection: Introspection,
        /// API keys.
        #[schemars(extend(
            "x-default" = "none",
            "examples" = [{"keys": {"remote": {"uri": "https://keys.example.com/keys", "cluster": "keys"}}}]
        ))]
        optional api_key: ApiKey,
        /// User names and passwords.
        #[schemars(extend(
            "x-default" = "none",
            "examples" = [{"users": {"remote": {"uri": "https://users.example.com/users", "cluster": "users"}}}]
        ))]
        optional basic: Basic,
        /// User names, and proofs that the client knows the password.
        #[schemars(extend(
            "x-default" = "none",
            "examples" = [{"users": [{"name": "lab", "ha1": {"SHA-256": "3ba6cd94661c5ef34598040c868f13b8775df29109986be50ad35ae537dd3aa5"}}]}]
        ))]
        optional digest: Digest,
        /// Client certificates.
        #[schemars(extend("x-default" = "none", "examples" = [{"subjects": ["spiffe://cluster.local/ns/shop/sa/*"]}]))]
        optional mtls: Mtls,
    }
}

object! {
    /// Where a credential can be. Exactly one of `header`, `cookie` and `query` is required.
    pub struct From {
        /// The name of a header.
        #[schemars(extend("x-default" = "none", "examples" = ["authorization"]))]
        optional header: String,
        /// The scheme before the token in the header. Without a scheme, the token is the whole value of the header. In
        /// `authorization` and `proxy-authorization` it can then also follow `Bearer`.
        #[schemars(extend("x-default" = "none", "examples" = ["Bearer"]))]
        optional scheme: String,
        /// The name of a cookie.
        #[schemars(extend("x-default" = "none", "examples" = ["session"]))]
        optional cookie: String,
        /// The name of a query parameter. The filter removes it before the upstream receives the request.
        #[schemars(extend("x-default" = "none", "examples" = ["access_token"]))]
        optional query: String,
    }
}
