//! Refusals of gRPC calls.
//!
//! The host turns a local reply to a gRPC call into HTTP 200 with `grpc-status` and `grpc-message`, percent-encoding the
//! content as the message (gRPC over HTTP/2, "Responses"). The status that it would choose is wrong for 400, 404 and 429;
//! one that is among the header fields is kept.

use super::table::{Challenges, Meaning};
use super::{Headers, put};

/// UNIMPLEMENTED: there is no such method.
const UNIMPLEMENTED: u8 = 12;
/// UNAUTHENTICATED: also for credentials that are malformed (grpc/statuscodes.md).
const UNAUTHENTICATED: u8 = 16;

/// Adds the status of a refusal; returns the message.
pub(super) fn speak(meaning: &Meaning, headers: &mut Headers) -> String {
    let status = match (meaning.status, &meaning.challenges) {
        (400, Challenges::Attempted(..)) => UNAUTHENTICATED,
        (status, _) => status_of(status),
    };
    put(headers, "grpc-status", status.to_string());
    meaning.message.to_owned()
}

/// Adds the status of an answer that stands in the document; returns the message.
pub(super) fn speak_of(status: u16, headers: &mut Headers) -> &'static str {
    put(headers, "grpc-status", status_of(status).to_string());
    match status {
        401 | 407 => "Authentication is required.",
        403 => "This is forbidden.",
        404 => "Not Found",
        429 => "Too many requests.",
        503 => "Temporarily unavailable.",
        _ => "",
    }
}

/// The status of a call (grpc/statuscodes.md) for an HTTP status.
fn status_of(status: u16) -> u8 {
    match status {
        200..=299 => 0,
        401 | 407 => UNAUTHENTICATED,
        403 => 7,
        429 => 8,
        502..=504 => 14,
        400 | 404 | 405 => UNIMPLEMENTED,
        _ => 2,
    }
}
