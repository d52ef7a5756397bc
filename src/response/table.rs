//! The decision table: what each refusal means to a client.

use super::challenge::ErrorCode;
use crate::evaluate::Decision;
use crate::presentation::Presentation;
use crate::reject::{
    Code, CredentialFault, MalformedCredential, PathFault, Reject, Requirement, TokenFault,
    Unavailable, Weakness,
};

/// What a refusal means to a client.
pub(super) struct Meaning {
    /// The error code.
    pub code: Code,
    /// The same in words, for a person.
    pub message: &'static str,
    /// What may be tried instead.
    pub challenges: Challenges,
    /// The methods that are allowed, where the method is wrong.
    pub allow: Option<&'static str>,
    /// How many seconds to wait, where waiting helps.
    pub retry_after: Option<u32>,
}

/// Which challenges a response carries.
pub(super) enum Challenges {
    /// None: another credential would not help.
    None,
    /// One for each scheme in play, none with an error (RFC 6750 §3: no credential was presented).
    Plain,
    /// One for each scheme in play, the error on those that were used.
    Failed(ErrorCode),
    /// One for each scheme that was attempted.
    Attempted(MalformedCredential, ErrorCode),
    /// The scopes to ask for, if the configuration has `forbidden_challenge` (RFC 6750 §3.1).
    Scope,
}

impl Meaning {
    fn new(code: Code, message: &'static str) -> Self {
        Self {
            code,
            message,
            challenges: Challenges::None,
            allow: None,
            retry_after: None,
        }
    }

    fn challenge(self, challenges: Challenges) -> Self {
        Self { challenges, ..self }
    }

    fn allow(self, methods: &'static str) -> Self {
        Self {
            allow: Some(methods),
            ..self
        }
    }

    fn retry_after(self, seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }
}

/// The methods that RFC 9110 §9 and RFC 5789 define, without TRACE, the only method that is always denied.
const ALL_BUT_TRACE: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, CONNECT";

/// How many seconds a client should wait if the filter cannot evaluate the request now.
const SECONDS_TO_WAIT: u32 = 5;

const FORBIDDEN: &str = "The credential does not permit this.";

/// What a refusal means.
pub(super) fn meaning(
    reject: Reject,
    decision: &Decision<'_>,
    presentation: &Presentation,
) -> Meaning {
    match reject {
        Reject::NoDocument | Reject::Unavailable(Unavailable::Keys | Unavailable::Crypto) => {
            Meaning::new(
                Code::TemporarilyUnavailable,
                "The request cannot be judged at the moment.",
            )
            .retry_after(SECONDS_TO_WAIT)
        }
        Reject::Trace => Meaning::new(Code::MethodNotAllowed, "The method TRACE is not allowed.")
            .allow(ALL_BUT_TRACE),
        Reject::Path(fault) => Meaning::new(Code::AmbiguousPath, path_message(fault)),
        Reject::MethodCase => {
            Meaning::new(Code::InvalidRequest, "The method is not in upper case.")
        }
        Reject::Authority => {
            Meaning::new(Code::InvalidRequest, "The request does not name one host.")
        }
        Reject::RouteAtRisk => Meaning::new(
            Code::InvalidRequest,
            "The request carries something that may not be sent here.",
        ),
        Reject::RepeatedField => Meaning::new(
            Code::InvalidRequest,
            "A header field that may stand only once is repeated.",
        ),
        Reject::PlainHttp => Meaning::new(Code::HttpsRequired, "This is served over HTTPS only."),
        Reject::Address => Meaning::new(Code::AddressNotAllowed, "This address may not ask here."),
        Reject::NoSuchMetadata => Meaning::new(Code::NotFound, "There is no such resource."),
        Reject::MetadataMethod => {
            Meaning::new(Code::MethodNotAllowed, "Metadata can only be read.").allow("GET, HEAD")
        }
        Reject::ForeignOrigin => Meaning::new(
            Code::InvalidOrigin,
            "This origin may not read what is here.",
        ),
        // The rule's `respond` is sent in its place.
        Reject::Fixed => Meaning::new(Code::Respond, FORBIDDEN),
        Reject::TooManyFailures { retry_after } => Meaning::new(
            Code::TooManyFailures,
            "There were too many failures. Try again later.",
        )
        .retry_after(retry_after),
        // A 401 must have a challenge (RFC 9110 §15.5.2), and without a scheme there is none.
        Reject::NoCredential | Reject::Token(_) | Reject::Authentication(_)
            if decision.schemes.is_empty() =>
        {
            Meaning::new(Code::Forbidden, FORBIDDEN)
        }
        Reject::NoCredential => Meaning::new(Code::Unauthorized, "Authentication is required.")
            .challenge(Challenges::Plain),
        Reject::Malformed(malformed) => {
            Meaning::new(Code::InvalidRequest, malformed_message(malformed.fault))
                .challenge(Challenges::Attempted(malformed, ErrorCode::InvalidRequest))
        }
        Reject::Token(fault) => {
            let message = if presentation.error_description {
                token_message(fault)
            } else {
                "The access token is not accepted"
            };
            Meaning::new(Code::InvalidToken, message)
                .challenge(Challenges::Failed(ErrorCode::InvalidToken))
        }
        Reject::Authentication(Weakness::Class | Weakness::Age) => Meaning::new(
            Code::InsufficientUserAuthentication,
            "A stronger or more recent authentication is required",
        )
        .challenge(Challenges::Failed(
            ErrorCode::InsufficientUserAuthentication,
        )),
        Reject::Scope => Meaning::new(
            Code::InsufficientScope,
            "The credential lacks a scope that is needed here.",
        )
        .challenge(Challenges::Scope),
        Reject::ProviderNotAccepted
        | Reject::NoRule
        | Reject::Requirement(
            Requirement::Role
            | Requirement::Group
            | Requirement::Claim
            | Requirement::Condition
            | Requirement::ConditionFailed
            | Requirement::AnyOf,
        ) => Meaning::new(Code::Forbidden, FORBIDDEN),
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
