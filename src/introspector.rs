//! Asks authorization servers whether tokens are active (RFC 7662 §2).
//!
//! 1. The token is in the body of a POST, percent-encoded, never in a URL. The filter authenticates with `Basic`, whose user
//!    name and password are form-encoded (RFC 6749 §2.3.1).
//! 2. Requests with the same token wait for one call.
//! 3. At most [`MOST_CALLS`] calls wait for their responses in one worker. So random tokens cannot send a server more.
//! 4. A response with another status than 200, a response that is not an answer, and a missing response are faults of the
//!    server or of the configuration. The client receives 503, never 401.

use std::fmt;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use zeroize::Zeroizing;

use crate::authenticate::ProviderId;
use crate::authenticate::introspection::{Answer, AnswerFault};
use crate::ports::{Call, CallId, Method, NotSent, Outbound, Response};
use crate::secret::Secret;
use crate::store::TokenId;
use crate::time::Timestamp;
use crate::url::Url;

/// The most calls of one worker that wait for a response.
pub const MOST_CALLS: usize = 256;

/// The longest response, in bytes.
pub const MAX_RESPONSE: usize = 64 * 1024;

/// How long it is known at the longest that a token is not active. Some servers activate a token a moment after they have
/// issued it.
const INACTIVE_FOR: Duration = Duration::from_secs(10);

/// The characters that stay as they are in `application/x-www-form-urlencoded`, besides letters and digits.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*');

/// The name of the filter in requests.
const USER_AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

/// An authorization server, and how the filter asks it.
#[derive(Debug, Clone)]
pub struct Server {
    /// The provider that asks it.
    pub provider: ProviderId,
    /// The provider's name.
    pub name: String,
    /// The introspection endpoint.
    pub url: Url,
    /// The host's cluster for it.
    pub cluster: String,
    /// The value of `authorization`: see [`Server::authorization`].
    pub authorization: Secret,
    /// How long to wait for a response.
    pub timeout: Duration,
    /// How long an answer is known.
    pub cache: Duration,
}

impl Server {
    /// The value of `authorization`: `Basic`, with the form-encoded identifier and secret of the client (RFC 6749 §2.3.1).
    pub fn authorization(client_id: &str, client_secret: &Secret) -> Secret {
        let mut login = Zeroizing::new(form_encoded(client_id.as_bytes()));
        login.push(':');
        login.push_str(&Zeroizing::new(form_encoded(
            client_secret.expose().as_bytes(),
        )));
        Secret::new(format!("Basic {}", Base64::encode_string(login.as_bytes())))
    }
}

/// The calls of one worker.
#[derive(Default)]
pub struct Introspector {
    servers: Vec<Server>,
    calls: Vec<InFlight>,
}

/// A call that waits for its response.
struct InFlight {
    call: CallId,
    server: usize,
    id: TokenId,
}

/// The end of a call.
#[derive(Debug)]
pub struct IntrospectionEvent {
    /// The identity of the token at the provider.
    pub id: TokenId,
    /// What the server said, and until when it is known; or why it did not say.
    pub result: Result<(Answer, Timestamp), Failure>,
}

/// Why a server did not say whether a token is active. `Display` is a log line.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    provider: String,
    why: IntrospectionFault,
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

impl Introspector {
    /// An introspector that asks these servers.
    pub fn new(servers: &[Server]) -> Self {
        Self {
            servers: servers.to_vec(),
            calls: Vec::new(),
        }
    }

    /// Asks the server of a provider about a token, unless a call about it waits for its response.
    ///
    /// Returns the end of the call if it is not sent.
    pub fn ask(
        &mut self,
        provider: ProviderId,
        id: TokenId,
        token: &[u8],
        outbound: &mut dyn Outbound,
    ) -> Option<IntrospectionEvent> {
        let position = self.position(provider)?;
        if self.is_asking(id) {
            return None;
        }
        let server = self.servers.get(position)?;
        if self.calls.len() >= MOST_CALLS {
            return Some(server.failed(id, IntrospectionFault::Busy));
        }
        match server.send(token, outbound) {
            Ok(call) => {
                self.calls.push(InFlight {
                    call,
                    server: position,
                    id,
                });
                None
            }
            Err(fault) => Some(server.failed(id, fault)),
        }
    }

    /// Takes the response to a call; `response` is none if no response came. Returns the end of the call, unless the call is
    /// not the introspector's.
    pub fn respond(
        &mut self,
        call: CallId,
        response: Option<&Response<'_>>,
        now: Timestamp,
    ) -> Option<IntrospectionEvent> {
        let position = self.calls.iter().position(|own| own.call == call)?;
        let InFlight { server, id, .. } = self.calls.swap_remove(position);
        let server = self.servers.get(server)?;
        Some(match server.answer(response, now) {
            Ok(answer) => IntrospectionEvent {
                id,
                result: Ok(answer),
            },
            Err(fault) => server.failed(id, fault),
        })
    }

    /// Whether a call about a token waits for its response.
    pub fn is_asking(&self, id: TokenId) -> bool {
        self.calls.iter().any(|own| own.id == id)
    }

    /// The longest time that a call of a provider takes; none if the provider asks no server.
    pub fn time_limit(&self, provider: ProviderId) -> Option<Duration> {
        let server = self.servers.get(self.position(provider)?)?;
        Some(server.timeout)
    }

    fn position(&self, provider: ProviderId) -> Option<usize> {
        let mut servers = self.servers.iter();
        servers.position(|server| server.provider == provider)
    }
}

impl Server {
    fn send(
        &self,
        token: &[u8],
        outbound: &mut dyn Outbound,
    ) -> Result<CallId, IntrospectionFault> {
        let mut body = Zeroizing::new("token=".to_owned());
        body.push_str(&Zeroizing::new(form_encoded(token)));
        body.push_str("&token_type_hint=access_token");
        let headers = [
            ("user-agent", USER_AGENT),
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
            ("accept-encoding", "identity"),
            ("authorization", self.authorization.expose()),
        ];
        let sent = outbound.send(&Call {
            cluster: &self.cluster,
            method: Method::Post,
            url: &self.url,
            headers: &headers,
            body: body.as_bytes(),
            timeout: self.timeout,
        });
        sent.map_err(|fault| match fault {
            NotSent::NoCluster => IntrospectionFault::NoCluster(self.cluster.clone()),
            NotSent::Refused => IntrospectionFault::NotSent(self.cluster.clone()),
        })
    }

    /// What a response says of a token, and until when that is known: no longer than `cache`, and than the token is valid
    /// (RFC 7662 §4).
    fn answer(
        &self,
        response: Option<&Response<'_>>,
        now: Timestamp,
    ) -> Result<(Answer, Timestamp), IntrospectionFault> {
        let response =
            response.ok_or_else(|| IntrospectionFault::NoResponse(self.cluster.clone()))?;
        match response.status {
            200 => {}
            // The client of this call is the filter (RFC 7662 §2.3).
            status @ (400 | 401 | 403) => return Err(IntrospectionFault::Client(status)),
            status => return Err(IntrospectionFault::Status(status)),
        }
        if response.body.len() > MAX_RESPONSE {
            return Err(IntrospectionFault::TooLong);
        }
        let (answer, expires) = Answer::read(&response.body)?;
        let cache = match &answer {
            Answer::Active(_) => self.cache,
            Answer::Inactive => self.cache.min(INACTIVE_FOR),
        };
        let until = now.plus(cache);
        let until = expires.map_or(until, |expires| until.min(expires));
        Ok((answer, until))
    }

    fn failed(&self, id: TokenId, why: IntrospectionFault) -> IntrospectionEvent {
        let provider = self.name.clone();
        IntrospectionEvent {
            id,
            result: Err(Failure { provider, why }),
        }
    }
}

/// `application/x-www-form-urlencoded`, with `%20` for a space: every decoder reads it.
fn form_encoded(octets: &[u8]) -> String {
    percent_encode(octets, FORM).to_string()
}
