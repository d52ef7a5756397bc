//! Decision → Reply: the response that a client receives from the filter.
//!
//! | part | what it decides |
//! |---|---|
//! | `table` | what each [`Reject`](crate::reject::Reject) means to a client: error code, message, challenges |
//! | `denial` | the response to a denied request |
//! | `head` | the part of it that requests of the same kind share: status, challenges, headers, content |
//! | `prepared` | these parts, made when the configuration is read |
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
mod head;
mod headers;
pub mod negotiate;
mod prepared;
mod redirect;
mod table;

pub use self::prepared::Prepared;
use crate::evaluate::{Decision, Verdict};
use crate::header_map::HeaderMap;
use crate::presentation::Presentation;
use crate::reject::Code;
use crate::request::RequestView;
use crate::time::{Now, TimestampText};

/// A response of the filter. One is used again for the next request, so that its memory is too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status. For a gRPC call the host sends 200 in its place, with the `grpc-status` of `headers`.
    pub status: u16,
    /// The error code; none if the request is not denied.
    pub error: Option<Code>,
    /// The response-code details for access logs: [`Reason::details`](crate::reject::Reason::details).
    pub details: &'static str,
    /// The headers.
    pub headers: HeaderMap,
    /// The content. For HEAD the host sends its length only (RFC 9110 §9.3.2).
    pub body: String,
    /// The time of the last content that has one.
    time: TimestampText,
}

/// The filter's response to a request; none if the request is allowed.
///
/// A request that is denied in shadow mode has a response too. It is not sent; it says what the client would receive.
pub fn reply<'n>(
    decision: &Decision<'_>,
    presentation: &Presentation,
    request: &RequestView<'_>,
    now: impl Into<Now<'n>>,
) -> Option<Reply> {
    let mut reply = Reply::default();
    let nothing = Prepared::default();
    let looks = (presentation, &nothing);
    write_reply(decision, looks, request, now.into(), &mut reply).then_some(reply)
}

/// As [`reply`](fn@reply), with what was prepared, and in place of what `reply` was. False if the request is allowed.
pub fn write_reply(
    decision: &Decision<'_>,
    (presentation, prepared): (&Presentation, &Prepared),
    request: &RequestView<'_>,
    now: Now<'_>,
    reply: &mut Reply,
) -> bool {
    let exchange = Exchange {
        decision,
        presentation,
        prepared,
        request,
        now,
    };
    reply.headers.clear();
    reply.body.clear();
    match decision.verdict {
        Verdict::Passes(_) => return false,
        Verdict::Answers(answer) => exchange.answer(answer, reply),
        Verdict::Refused(reject) => exchange.denial(reject, reply),
    }
    true
}

/// What a response is made from.
struct Exchange<'r> {
    decision: &'r Decision<'r>,
    presentation: &'r Presentation,
    prepared: &'r Prepared,
    request: &'r RequestView<'r>,
    now: Now<'r>,
}
