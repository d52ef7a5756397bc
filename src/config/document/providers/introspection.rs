//! `introspection`: a provider of tokens that the authorization server judges.

use super::From;
use super::jwt::AudienceList;
use super::jwt::claims::ClaimNames;
use super::sender::Dpop;
use crate::authenticate::sender::Binding;
use crate::config::document::secret::SecretSource;
use crate::config::read::{Span, object};

object! {
    /// A provider of tokens about which the filter asks the authorization server (RFC 7662).
    pub struct Introspection {
        /// The absolute URL of the introspection endpoint: `https`, or `http` with a loopback address.
        #[schemars(extend("examples" = ["https://login.example.com/introspect"]))]
        required uri: String,
        /// The host's cluster for requests to it.
        #[schemars(extend("examples" = ["login"]))]
        required cluster: String,
        /// The client identifier of the filter at the authorization server.
        #[schemars(extend("examples" = ["gate"]))]
        required client_id: String,
        /// The client secret of the filter.
        #[schemars(extend("examples" = [{"env": "GATE_SECRET"}]))]
        required client_secret: SecretSource,
        /// The audiences. One of them must be in `aud`, or in the claim that `claims.audience` names.
        #[schemars(extend("x-default" = "any", "examples" = [["orders"]]))]
        narrowing audiences: AudienceList,
        /// How long the filter waits for a response.
        #[schemars(extend("default" = "2s", "x-range" = ["1ms", "60s"], "examples" = ["5s"]))]
        optional timeout: Span,
        /// How long the filter uses a response again. It never uses one after the token has expired.
        #[schemars(extend("default" = "30s", "x-range" = ["0s", "1h"], "examples" = ["10s"]))]
        optional cache: Span,
        /// Whether this provider also verifies JSON Web Tokens of issuers that no other provider has.
        #[schemars(extend("default" = false, "examples" = [true]))]
        optional accept_jwt: bool,
        /// Where tokens can be.
        #[schemars(extend(
            "minItems" = 1,
            "default" = [{"header": "authorization", "scheme": "Bearer"}],
            "examples" = [[{"header": "authorization", "scheme": "Bearer"}, {"cookie": "session"}]]
        ))]
        optional from: Vec<From>,
        /// Which members of the response have the subject, the audience, scopes, roles and groups.
        #[schemars(extend("examples" = [{"subject": "username"}]))]
        optional claims: ClaimNames,
        /// Whether tokens must be bound to their sender. The filter always checks the binding of a bound token.
        #[schemars(extend("default" = "none", "examples" = ["bound"]))]
        narrowing sender: Binding,
        /// Accepts the scheme `DPoP`, and says how proofs are verified. `sender: dpop` and `sender: bound` accept it without this
        /// key.
        #[schemars(extend("x-default" = "the scheme `DPoP` is not accepted", "examples" = [{"window": "2m"}]))]
        optional dpop: Dpop,
    }
}
