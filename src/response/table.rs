//! The decision table: what each refusal means to a client.

use super::challenge::ErrorCode;
use crate::evaluate::Decision;
use crate::reject::{
    CredentialFault, MalformedCredential, PathFault, Reject, Requirement, TokenFault, Unavailable,
};

/// What a refusal means to a client.
pub(super) struct Meaning {
    /// The status code.
    pub status: u16,
    /// The error, as the body names it.
    pub error: &'static str,
    /// The same in words, for a person.
    pub message: &'static str,
    /// What may be tried instead.
    pub challenges: Challenges,
    /// The methods that there are, where the method is what is wrong.
    pub allow: Option<&'static str>,
    /// How many seconds to wait, where waiting helps.
    pub retry_after: Option<u32>,
}

/// Which challenges an answer carries.
pub(super) enum Challenges {
    /// None: other credentials would not help.
    None,
    /// One for each scheme in play, none with an error (RFC 6750 §3: nothing was presented).
    Plain,
    /// One for each scheme in play, the error on those that were used.
    Failed(ErrorCode),
    /// One for each scheme that was attempted.
    Attempted(MalformedCredential, ErrorCode),
    /// What more to ask for, where the document wants it said (RFC 6750 §3.1).
    Scope,
}

impl Meaning {
    /// The same for whoever is not told what is wrong with a token: such answers do not differ.
    pub fn without_detail(self) -> Self {
        match self.error {
            "invalid_token" => Self {
                message: "The access token is not accepted",
                ..self
            },
            _ => self,
        }
    }
}

/// The methods that RFC 9110 §9 and RFC 5789 define, but TRACE, which alone is refused for its name.
const ALL_BUT_TRACE: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, CONNECT";

/// How long a client should wait for a filter that cannot judge yet.
const SECONDS_TO_WAIT: u32 = 5;

const FORBIDDEN: &str = "The credential does not permit this.";

/// What a refusal means.
pub(super) fn meaning(reject: Reject, decision: &Decision<'_>) -> Meaning {
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
        Reject::RouteAtRisk => (
            400,
            "invalid_request",
            "The request carries something that may not be sent here.",
            Challenges::None,
        ),
        Reject::RepeatedField => (
            400,
            "invalid_request",
            "A header field that may stand only once is repeated.",
            Challenges::None,
        ),
        Reject::PlainHttp => (
            403,
            "https_required",
            "This is served over HTTPS only.",
            Challenges::None,
        ),
        Reject::Address => (
            403,
            "address_not_allowed",
            "This address may not ask here.",
            Challenges::None,
        ),
        Reject::NoSuchMetadata => (
            404,
            "not_found",
            "There is no such resource.",
            Challenges::None,
        ),
        Reject::MetadataMethod => (
            405,
            "method_not_allowed",
            "Metadata can only be read.",
            Challenges::None,
        ),
        Reject::ForeignOrigin => (
            403,
            "invalid_origin",
            "This origin may not read what is here.",
            Challenges::None,
        ),
        // The rule's own answer is sent in its place.
        Reject::Fixed => (403, "forbidden", FORBIDDEN, Challenges::None),
        Reject::TooManyFailures { .. } => (
            429,
            "too_many_failures",
            "There were too many failures. Try again later.",
            Challenges::None,
        ),
        // A 401 without a challenge would be a 401 that nobody can answer (RFC 9110 §15.5.2).
        Reject::NoCredential | Reject::Token(_) | Reject::Authentication(_)
            if decision.offers.is_empty() =>
        {
            (403, "forbidden", FORBIDDEN, Challenges::None)
        }
        Reject::NoCredential => (
            401,
            "unauthorized",
            "Authentication is required.",
            Challenges::Plain,
        ),
        Reject::Malformed(malformed) => (
            400,
            "invalid_request",
            malformed_message(malformed.fault),
            Challenges::Attempted(malformed, ErrorCode::InvalidRequest),
        ),
        Reject::Token(fault) => (
            401,
            "invalid_token",
            token_message(fault),
            Challenges::Failed(ErrorCode::InvalidToken),
        ),
        Reject::ProviderNotAccepted | Reject::NoRule => {
            (403, "forbidden", FORBIDDEN, Challenges::None)
        }
        Reject::Authentication(_) => (
            401,
            "insufficient_user_authentication",
            "A stronger or more recent authentication is required",
            Challenges::Failed(ErrorCode::InsufficientUserAuthentication),
        ),
        Reject::Scope => (
            403,
            "insufficient_scope",
            "The credential lacks a scope that is needed here.",
            Challenges::Scope,
        ),
        Reject::Requirement(
            Requirement::Role
            | Requirement::Group
            | Requirement::Claim
            | Requirement::Condition
            | Requirement::ConditionFailed
            | Requirement::AnyOf,
        ) => (403, "forbidden", FORBIDDEN, Challenges::None),
    };
    Meaning {
        status,
        error,
        message,
        challenges,
        allow: match reject {
            Reject::Trace => Some(ALL_BUT_TRACE),
            Reject::MetadataMethod => Some("GET, HEAD"),
            _ => None,
        },
        retry_after: match reject {
            Reject::TooManyFailures { retry_after } => Some(retry_after),
            _ => (status == 503).then_some(SECONDS_TO_WAIT),
        },
    }
}

fn path_message(fault: PathFault) -> &'static str {
    match fault {
        PathFault::NotAbsolute => "The path does not begin with a slash.",
        PathFault::EmptySegment => "The path has an empty segment.",
        PathFault::DotSegment => "The path has a dot segment.",
        PathFault::EncodedSeparator => "The path has a backslash or an encoded separator.",
        PathFault::Parameters => "The path has parameters.",
        PathFault::EncodedQuery => "The path has an encoded question mark.",
        PathFault::UserInformation => "The path begins with user information.",
        PathFault::EscapedLetter => "The path has an escaped letter.",
        PathFault::LastDot => "The path ends with a dot or a space.",
        PathFault::Fragment => "The path has a fragment.",
        PathFault::ControlCharacter => "The path has a control character.",
        PathFault::BrokenEscape => "The path has a broken percent-escape.",
        PathFault::DoubleEncoded => "The path is percent-encoded twice.",
        PathFault::RawByte => "The path has a byte that must be percent-encoded.",
        PathFault::NotUtf8 => "The path is not valid UTF-8.",
        PathFault::TooManyReadings => "The path can be read in too many ways.",
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
