//! Decision → Reply: the response that a client receives from the filter.
//!
//! | part | what it decides |
//! |---|---|
//! | `table` | what each [`Reject`](crate::reject::Reject) means to a client: error code, message, challenges |
//! | `denial` | the response to a denied request |
//! | `answer` | the response to a request for metadata, and to a preflight |
//! | `fixed` | a response that the configuration gives in full |
//! | `redirect` | whether a browser is sent to HTTPS, or to the page where people sign in |
//! | `challenges`, `challenge` | which challenges a response has, and their syntax |
//! | `explain`, `negotiate`, `body` | the content, in the form that the client accepts |
//! | `grpc`, `cors`, `headers` | the rest of the headers |

mod answer;
pub mod body;
pub mod challenge;
mod challenges;
mod cors;
mod denial;
mod explain;
mod fixed;
mod grpc;
mod headers;
pub mod negotiate;
mod redirect;
mod table;

pub use self::headers::Headers;
use crate::evaluate::{Decision, Verdict};
use crate::presentation::Presentation;
use crate::reject::Code;
use crate::request::RequestView;
use crate::time::Timestamp;

/// A response of the filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status. For a gRPC call the host sends 200 in its place, with the `grpc-status` of `headers`.
    pub status: u16,
    /// The error code; none if the request is not denied.
    pub error: Option<Code>,
    /// The response-code details for access logs: `countersign_` and [`Reject::reason`](crate::reject::Reject::reason).
    pub details: String,
    /// The headers.
    pub headers: Headers,
    /// The content. For HEAD the host sends its length only (RFC 9110 §9.3.2).
    pub body: String,
}

/// The filter's response to a request; none if the request is allowed.
///
/// A request that is denied in shadow mode has a response too. It is not sent; it says what the client would receive.
pub fn reply(
    decision: &Decision<'_>,
    presentation: &Presentation,
    request: &RequestView<'_>,
    now: Timestamp,
) -> Option<Reply> {
    let exchange = Exchange {
        decision,
        presentation,
        request,
        now,
    };
    match decision.verdict {
        Verdict::Passes(_) => None,
        Verdict::Answers(answer) => Some(exchange.answer(answer)),
        Verdict::Refused(reject) => Some(exchange.denial(reject)),
    }
}

/// What a response is made from.
struct Exchange<'r> {
    decision: &'r Decision<'r>,
    presentation: &'r Presentation,
    request: &'r RequestView<'r>,
    now: Timestamp,
}
