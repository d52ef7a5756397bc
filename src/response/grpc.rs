//! The status and the message of a denied gRPC call.
//!
//! The host turns a response to a gRPC call into HTTP 200 with `grpc-status` and `grpc-message`. It percent-encodes the
//! content as the message (gRPC over HTTP/2, "Responses"). It keeps a `grpc-status` that is among the headers. The status
//! that it would choose is wrong for 400, 404 and 429.

use super::Reply;
use super::head::Head;
use super::table::{Challenges, Meaning};
use crate::header_map::HeaderMap;
use crate::presentation::fixed::FixedReply;
use crate::reject::GrpcStatus;

/// The status of a denied call.
pub(super) fn status_of_denial(meaning: &Meaning) -> GrpcStatus {
    match meaning.challenges {
        // The request is well-formed, its credential is not (grpc/statuscodes.md).
        Challenges::Attempted(_) => GrpcStatus::Unauthenticated,
        Challenges::None
        | Challenges::Plain
        | Challenges::Failed(_)
        | Challenges::Stale
        | Challenges::Scope => meaning.code.grpc_status(),
    }
}

/// Appends the status of a denied call, and sets the message.
pub(super) fn denied(head: &Head, reply: &mut Reply) {
    reply
        .headers
        .put("grpc-status", &head.grpc_status.number().to_string());
    reply.body.push_str(head.message);
}

/// Appends the status of a configured response, unless the configuration sets `grpc-status`. Returns the message.
///
/// The message is empty if the configuration sets `grpc-message`: the host would replace that with the message.
pub(super) fn configured(fixed: &FixedReply, headers: &mut HeaderMap) -> String {
    if !fixed.sets("grpc-status") {
        let status = status_of(fixed.status).number();
        headers.put("grpc-status", &status.to_string());
    }
    if fixed.sets("grpc-message") {
        return String::new();
    }
    let message = fixed.message.as_deref();
    let message = message.unwrap_or(match fixed.status {
        401 | 407 => "Authentication is required.",
        403 => "This is forbidden.",
        404 => "Not Found",
        429 => "Too many requests.",
        503 => "Temporarily unavailable.",
        _ => "",
    });
    message.to_owned()
}

/// The status of a call for an HTTP status (grpc/statuscodes.md).
fn status_of(status: u16) -> GrpcStatus {
    match status {
        200..=299 => GrpcStatus::Ok,
        401 | 407 => GrpcStatus::Unauthenticated,
        403 => GrpcStatus::PermissionDenied,
        429 => GrpcStatus::ResourceExhausted,
        502..=504 => GrpcStatus::Unavailable,
        400 | 404 | 405 => GrpcStatus::Unimplemented,
        _ => GrpcStatus::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reject::Code;
    use crate::response::challenge::ErrorCode;

    fn status_among(headers: &HeaderMap) -> &str {
        let mut values = headers.iter().filter(|(name, _)| *name == "grpc-status");
        match (values.next(), values.next()) {
            (Some((_, value)), None) => value,
            _ => panic!("{headers:?} has not one status"),
        }
    }

    #[test]
    fn every_error_has_its_status() {
        let failed = Challenges::Failed;
        for (code, challenges, expected) in [
            (
                Code::InvalidRequest,
                Challenges::Attempted(ErrorCode::InvalidRequest),
                "16",
            ),
            (Code::InvalidRequest, Challenges::None, "12"),
            (Code::AmbiguousPath, Challenges::None, "12"),
            (Code::Unauthorized, Challenges::Plain, "16"),
            (Code::InvalidToken, failed(ErrorCode::InvalidToken), "16"),
            (Code::Forbidden, Challenges::None, "7"),
            (Code::HttpsRequired, Challenges::None, "7"),
            (Code::InsufficientScope, Challenges::Scope, "7"),
            (Code::NotFound, Challenges::None, "12"),
            (Code::MethodNotAllowed, Challenges::None, "12"),
            (Code::TooManyFailures, Challenges::None, "8"),
            (Code::TemporarilyUnavailable, Challenges::None, "14"),
        ] {
            let meaning = Meaning {
                code,
                message: "Why.",
                challenges,
                allow: None,
                retry_after: None,
            };
            assert_eq!(
                status_of_denial(&meaning).number().to_string(),
                expected,
                "{code}"
            );
        }
    }

    #[test]
    fn a_configured_response_keeps_its_message() {
        let fixed = |status, message: Option<&str>| FixedReply {
            status,
            headers: Vec::new(),
            body: "{}".to_owned(),
            message: message.map(str::to_owned),
        };
        for (status, message, code, said) in [
            (200, None, "0", ""),
            (403, Some("Closed"), "7", "Closed"),
            (403, None, "7", "This is forbidden."),
            (404, None, "12", "Not Found"),
            (418, None, "2", ""),
            (429, None, "8", "Too many requests."),
            (503, None, "14", "Temporarily unavailable."),
        ] {
            let mut headers = HeaderMap::default();
            assert_eq!(configured(&fixed(status, message), &mut headers), said);
            assert_eq!(status_among(&headers), code, "{status}");
        }
    }
}
