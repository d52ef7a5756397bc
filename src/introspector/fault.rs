//! Why an authorization server did not say whether a token is active.

use std::fmt;

use super::MOST_CALLS;
use super::server::MAX_RESPONSE;
use crate::authenticate::introspection::AnswerFault;

/// Why a server did not say whether a token is active. `Display` is a log line.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    pub(super) provider: String,
    pub(super) why: IntrospectionFault,
}

/// Why a server did not say whether a token is active, and what to do about it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntrospectionFault {
    /// The host has no cluster of this name.
    #[error(
        "Envoy has no cluster `{0}`: add the cluster to Envoy, or correct its name in the configuration"
    )]
    NoCluster(String),
    /// The host did not send the request to this cluster.
    #[error("cluster `{0}` did not accept the request: expected a healthy endpoint")]
    NotSent(String),
    /// No response came.
    #[error("no response: check that cluster `{0}` reaches the authorization server")]
    NoResponse(String),
    /// Too many calls wait for their responses.
    #[error("{MOST_CALLS} calls wait for their responses already")]
    Busy,
    /// The server does not accept the client.
    #[error("status {0}: check `client_id` and `client_secret`")]
    Client(u16),
    /// The response has another status than 200.
    #[error("expected status 200, found {0}")]
    Status(u16),
    /// The response is too long.
    #[error("response too long: expected at most {MAX_RESPONSE} bytes")]
    TooLong,
    /// The response is not an answer.
    #[error("cannot read the response: {0}")]
    Answer(#[from] AnswerFault),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, why } = self;
        write!(
            formatter,
            "provider `{provider}`: introspection failed: {why}"
        )
    }
}
