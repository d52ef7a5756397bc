//! Asks authorization servers whether tokens are active (RFC 7662 §2).
//!
//! 1. The token is in the body of a POST, percent-encoded, never in a URL. The filter authenticates with `Basic`, whose user
//!    name and password are form-encoded (RFC 6749 §2.3.1).
//! 2. Requests with the same token wait for one call.
//! 3. At most [`MOST_CALLS`] calls wait for their responses in one worker. So random tokens cannot send a server more.
//! 4. A response with another status than 200, a response that is not an answer, and a missing response are faults of the
//!    server or of the configuration. The client receives 503, never 401.

mod fault;
mod server;

use std::time::Duration;

pub use self::fault::{Failure, IntrospectionFault};
pub use self::server::{MAX_RESPONSE, Server};
use crate::authenticate::ProviderId;
use crate::authenticate::introspection::Answer;
use crate::ports::{CallId, Outbound, Response};
use crate::store::TokenId;
use crate::time::Timestamp;

/// The most calls of one worker that wait for a response.
pub const MOST_CALLS: usize = 256;

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
    /// The provider that asked.
    pub provider: ProviderId,
    /// The identity of the token at the provider.
    pub id: TokenId,
    /// What the server said, and until when it is known; or why it did not say.
    pub result: Result<(Answer, Timestamp), Failure>,
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
                provider: server.provider,
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

#[cfg(test)]
mod tests;
