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
        required uri: String,
        /// The host's cluster for requests to it.
        required cluster: String,
        /// The client identifier of the filter at the authorization server.
        required client_id: String,
        /// The client secret of the filter.
        required client_secret: SecretSource,
        /// The audiences, of which one must be in `aud`, or in the claim that `claims.audience` names. Default: any.
        narrowing audiences: AudienceList,
        /// How long the filter waits for a response, from `1ms` to `60s`. Default `2s`.
        optional timeout: Span,
        /// How long a response is used again, at most until the token expires, from `0s` to `1h`. Default `30s`.
        optional cache: Span,
        /// Whether this provider also judges JSON Web Tokens of issuers that no other provider has. Default `false`.
        optional accept_jwt: bool,
        /// Where tokens may be. Default: the header `authorization` with the scheme Bearer.
        #[schemars(extend("minItems" = 1))]
        optional from: Vec<From>,
        /// Where the claims are that the filter looks at, in the response.
        optional claims: ClaimNames,
        /// Whether tokens must be bound to their sender. Default `none`. A token that is bound is never accepted without
        /// the check.
        narrowing sender: Binding,
        /// Accepts the scheme `DPoP`, and says how proofs are verified. With `sender: dpop` or `sender: bound`, its defaults apply
        /// without it.
        optional dpop: Dpop,
    }
}
