//! Decision → Reply: the one place that turns a refusal into an answer.

pub mod body;
pub mod challenge;
pub mod negotiate;
pub mod page;

use self::body::ErrorBody;
use self::challenge::{Challenge, ErrorCode};
use crate::evaluate::Decision;
use crate::plan::Presentation;
use crate::reject::{
    CredentialFault, MalformedCredential, PathFault, Reject, Requirement, TokenFault, Unavailable,
};
use crate::request::RequestView;
use crate::scheme::Scheme;
use crate::time::Timestamp;

/// A response of the filter's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The error, as the body names it.
    pub error: &'static str,
    /// Response code details for access logs: `countersign_` and the reason.
    pub details: String,
    /// Header fields in order, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The content; for HEAD the host leaves it out and keeps its length (RFC 9110 §9.3.2).
    pub body: String,
}

/// What a refusal is answered with, apart from the words.
struct Answer {
    status: u16,
    error: &'static str,
    message: &'static str,
    challenges: Challenges,
}

/// Which challenges an answer carries.
enum Challenges {
    /// None: other credentials would not help.
    None,
    /// One for each scheme in play, none with an error (RFC 6750 §3: nothing was presented).
    Plain,
    /// One for each scheme in play, the error on those that were used.
    Failed(ErrorCode, &'static str),
    /// One for each scheme that was attempted.
    Attempted(MalformedCredential, &'static str),
}

/// The answer to a refusal; nothing where the decision is to let the request pass.
pub fn reply(
    decision: &Decision<'_>,
    presentation: &Presentation,
    request: &RequestView<'_>,
    now: Timestamp,
) -> Option<Reply> {
    let reject = *decision.verdict.as_ref().err()?;
    let answer = answer(reject, decision.schemes);
    let mut headers = Vec::with_capacity(8);
    for challenge in challenges(&answer.challenges, decision.schemes, presentation) {
        headers.push(("www-authenticate", challenge.to_string()));
    }
    match answer.status {
        405 => headers.push(("allow", ALLOW.to_owned())),
        503 => headers.push(("retry-after", RETRY_AFTER_SECONDS.to_string())),
        _ => {}
    }
    headers.push(("cache-control", "no-store".to_owned()));
    headers.push(("x-content-type-options", "nosniff".to_owned()));
    headers.push(("content-type", "application/json".to_owned()));
    let body = ErrorBody {
        error: answer.error,
        message: answer.message,
        status: answer.status,
        timestamp: now,
        request_id: request.id(),
        documentation: None,
        action: None,
    };
    Some(Reply {
        status: answer.status,
        error: answer.error,
        details: format!("countersign_{}", reject.reason()),
        headers,
        body: body.to_json(),
    })
}

/// The methods that RFC 9110 §9 and RFC 5789 define, but TRACE, which alone is refused for its name.
const ALLOW: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, CONNECT";

/// How long a client should wait for a filter that cannot judge yet, in seconds.
const RETRY_AFTER_SECONDS: u32 = 5;

/// The decision table.
fn answer(reject: Reject, schemes: &[Scheme]) -> Answer {
    let (status, error, message, challenges) = match reject {
        Reject::NoDocument | Reject::Unavailable(Unavailable::Keys | Unavailable::Crypto) => (
            503,
            "temporarily_unavailable",
            "The request cannot be judged at the moment.",
            Challenges::None,
        ),
        Reject::Trace => (
            405,
            "method_not_allowed",
            "The method TRACE is not allowed.",
            Challenges::None,
        ),
        Reject::Path(fault) => (400, "ambiguous_path", path_message(fault), Challenges::None),
        Reject::MethodCase => (
            400,
            "invalid_request",
            "The method is not in upper case.",
            Challenges::None,
        ),
        Reject::Authority => (
            400,
            "invalid_request",
            "The request does not name one host.",
            Challenges::None,
        ),
        Reject::RepeatedField => (
            400,
            "invalid_request",
            "A header field that may stand only once is repeated.",
            Challenges::None,
        ),
        // A 401 without a challenge would be a 401 that nobody can answer (RFC 9110 §15.5.2).
        Reject::NoCredential | Reject::Token(_) if schemes.is_empty() => {
            (403, "forbidden", FORBIDDEN, Challenges::None)
        }
        Reject::NoCredential => (
            401,
            "unauthorized",
            "Authentication is required.",
            Challenges::Plain,
        ),
        Reject::Malformed(malformed) => {
            let message = malformed_message(malformed.fault);
            let challenges = Challenges::Attempted(malformed, message);
            (400, "invalid_request", message, challenges)
        }
        Reject::Token(fault) => {
            let message = token_message(fault);
            let challenges = Challenges::Failed(ErrorCode::InvalidToken, message);
            (401, "invalid_token", message, challenges)
        }
        Reject::ProviderNotAccepted | Reject::NoRule => {
            (403, "forbidden", FORBIDDEN, Challenges::None)
        }
        Reject::Scope => (
            403,
            "insufficient_scope",
            "The credential lacks a scope that is needed here.",
            Challenges::None,
        ),
        Reject::Requirement(Requirement::Role | Requirement::Group) => {
            (403, "forbidden", FORBIDDEN, Challenges::None)
        }
    };
    Answer {
        status,
        error,
        message,
        challenges,
    }
}

const FORBIDDEN: &str = "The credential does not permit this.";

/// One challenge a scheme, in the order of the schemes in play.
fn challenges(
    which: &Challenges,
    schemes: &[Scheme],
    presentation: &Presentation,
) -> Vec<Challenge> {
    let plain = |scheme: &Scheme| Challenge::new(*scheme, &presentation.realm);
    let failed = |challenge: Challenge, error: ErrorCode, description: &'static str| {
        let challenge = challenge.error(error);
        if presentation.error_description {
            challenge.error_description(description)
        } else {
            challenge
        }
    };
    match which {
        Challenges::None => Vec::new(),
        Challenges::Plain => schemes.iter().map(plain).collect(),
        Challenges::Failed(error, description) => schemes
            .iter()
            .map(|scheme| match scheme {
                Scheme::Bearer => failed(plain(scheme), *error, description),
            })
            .collect(),
        Challenges::Attempted(malformed, description) => schemes
            .iter()
            .filter(|scheme| malformed.attempted.contains(**scheme))
            .map(|scheme| match scheme {
                Scheme::Bearer => failed(plain(scheme), ErrorCode::InvalidRequest, description),
            })
            .collect(),
    }
}

fn path_message(fault: PathFault) -> &'static str {
    match fault {
        PathFault::NotAbsolute => "The path does not begin with a slash.",
        PathFault::EmptySegment => "The path has an empty segment.",
        PathFault::DotSegment => "The path has a dot segment.",
        PathFault::EncodedSeparator => "The path has a backslash or an encoded separator.",
        PathFault::Parameters => "The path has parameters.",
        PathFault::Fragment => "The path has a fragment.",
        PathFault::ControlCharacter => "The path has a control character.",
        PathFault::BrokenEscape => "The path has a broken percent-escape.",
        PathFault::DoubleEncoded => "The path is percent-encoded twice.",
        PathFault::RawByte => "The path has a byte that must be percent-encoded.",
        PathFault::NotUtf8 => "The path is not valid UTF-8.",
    }
}

fn malformed_message(fault: CredentialFault) -> &'static str {
    match fault {
        CredentialFault::Several => "The request has more than one credential",
        CredentialFault::Empty => "The credential is empty",
        CredentialFault::Syntax => "The credential is malformed",
    }
}

fn token_message(fault: TokenFault) -> &'static str {
    match fault {
        TokenFault::Malformed => "The access token is malformed",
        TokenFault::Algorithm => {
            "The access token is signed with an algorithm that is not accepted"
        }
        TokenFault::Extension => "The access token needs an extension that is not supported",
        TokenFault::Type => "The token is not an access token",
        TokenFault::Key => "The access token is signed with an unknown key",
        TokenFault::Signature => "The signature of the access token is not valid",
        TokenFault::Issuer => "The access token is of an issuer that is not trusted",
        TokenFault::Audience => "The access token is for another audience",
        TokenFault::Expired => "The access token expired",
        TokenFault::NotYetValid => "The access token is not valid yet",
        TokenFault::Lifetime => "The access token is valid for too long",
        TokenFault::Revoked => "The access token is revoked",
        TokenFault::ClaimMissing => "The access token lacks a claim that is required",
        TokenFault::ClaimType => "The access token has a claim of the wrong type",
        TokenFault::Binding => "The access token is bound to a key that was not shown",
    }
}
