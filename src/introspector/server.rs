//! An authorization server: what the filter sends, and what a response says (RFC 7662 §2).

use std::time::Duration;

use base64ct::{Base64, Encoding};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use zeroize::Zeroizing;

use super::IntrospectionEvent;
use super::fault::{Failure, IntrospectionFault};
use crate::authenticate::ProviderId;
use crate::authenticate::introspection::Answer;
use crate::ports::{Call, CallId, Method, NotSent, Outbound, Response, USER_AGENT};
use crate::secret::Secret;
use crate::store::TokenId;
use crate::time::Timestamp;
use crate::url::Url;

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

    /// Asks about a token.
    pub(super) fn send(
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
    ///
    /// # Errors
    /// [`IntrospectionFault`].
    pub fn answer(
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

    /// The end of a call without an answer.
    pub(super) fn failed(&self, id: TokenId, why: IntrospectionFault) -> IntrospectionEvent {
        let provider = self.name.clone();
        IntrospectionEvent {
            provider: self.provider,
            id,
            result: Err(Failure { provider, why }),
        }
    }
}

/// `application/x-www-form-urlencoded`, with `%20` for a space: every decoder reads it.
fn form_encoded(octets: &[u8]) -> String {
    percent_encode(octets, FORM).to_string()
}
