//! Refusals of gRPC calls.
//!
//! The host turns a local reply to a gRPC call into HTTP 200 with `grpc-status` and `grpc-message`, percent-encoding the
//! content as the message (gRPC over HTTP/2, "Responses"). The status that it would choose is wrong for 400, 404 and 429;
//! one that is among the header fields is kept.

use super::table::{Challenges, Meaning};
use super::{Headers, put};
use crate::presentation::fixed::FixedReply;

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

/// Adds the status of an answer that stands in the document, where it has none of its own; returns the message, which is
/// nothing where one is among its fields: the host would put this in its place.
pub(super) fn speak_of(fixed: &FixedReply, headers: &mut Headers) -> String {
    if !fixed.sets("grpc-status") {
        put(headers, "grpc-status", status_of(fixed.status).to_string());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reject::{CredentialFault, MalformedCredential};
    use crate::response::challenge::ErrorCode;
    use crate::scheme::SchemeSet;

    fn status_among(headers: &Headers) -> &str {
        let mut values = headers.iter().filter(|(name, _)| name == "grpc-status");
        match (values.next(), values.next()) {
            (Some((_, value)), None) => value,
            _ => panic!("{headers:?} has not one status"),
        }
    }

    fn malformed() -> Challenges {
        let malformed = MalformedCredential {
            attempted: SchemeSet::default(),
            fault: CredentialFault::Empty,
        };
        Challenges::Attempted(malformed, ErrorCode::InvalidRequest)
    }

    #[test]
    fn every_refusal_has_its_status() {
        for (status, challenges, expected) in [
            (400, malformed(), "16"),
            (400, Challenges::None, "12"),
            (401, Challenges::Plain, "16"),
            (401, Challenges::Failed(ErrorCode::InvalidToken), "16"),
            (403, Challenges::None, "7"),
            (403, Challenges::Scope, "7"),
            (404, Challenges::None, "12"),
            (405, Challenges::None, "12"),
            (407, Challenges::Plain, "16"),
            (429, Challenges::None, "8"),
            (503, Challenges::None, "14"),
        ] {
            let meaning = Meaning {
                status,
                error: "e",
                message: "Why.",
                challenges,
                allow: None,
                retry_after: None,
            };
            let mut headers = Headers::new();
            assert_eq!(speak(&meaning, &mut headers), "Why.");
            assert_eq!(status_among(&headers), expected, "{status}");
        }
    }

    #[test]
    fn an_answer_of_the_document_says_its_own_words() {
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
            let mut headers = Headers::new();
            assert_eq!(speak_of(&fixed(status, message), &mut headers), said);
            assert_eq!(status_among(&headers), code, "{status}");
        }
    }
}
