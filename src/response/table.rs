//! What each [`Reject`] means to a client: the error code, the message, the challenges. One `match`, without a catch-all.

use super::challenge::ErrorCode;
use crate::authenticate::Offer;
use crate::presentation::Presentation;
use crate::reject::{
    Code, CredentialFault, Invalid, LoginFault, PathFault, ProofFault, Reject, Requirement,
    TokenFault, Unavailable, Weakness,
};

/// What a denied request means to a client.
pub(super) struct Meaning {
    /// The error code.
    pub code: Code,
    /// What is wrong, for people. If a challenge carries it, its characters are those of `error_description` (RFC 6750 §3).
    pub message: &'static str,
    /// Which credentials the client can try.
    pub challenges: Challenges,
    /// The allowed methods, if the method is wrong.
    pub allow: Option<&'static str>,
    /// How many seconds to wait, if that helps.
    pub retry_after: Option<u32>,
}

/// Which challenges a response carries.
pub(super) enum Challenges {
    /// None: another credential does not help.
    None,
    /// One for each offer, without an error: the request has no credential (RFC 6750 §3).
    Plain,
    /// One for each offer. The one of the credential that failed has the error.
    Failed(ErrorCode),
    /// One for each offer. That of the credential says that only its nonce was not valid (RFC 7616 §3.3).
    Stale,
    /// One for each offer whose scheme the request's credentials have, with the error if the scheme has one.
    Attempted(ErrorCode),
    /// One for the scheme of the credential, with the scopes to ask for, if the configuration has `forbidden_challenge` (RFC
    /// 6750 §3.1).
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

const FORBIDDEN: &str = "The credential does not permit this request.";

/// What a reason to deny means to a client that can authenticate in the ways of `offers`.
pub(super) fn meaning(reject: Reject, offers: &[Offer], presentation: &Presentation) -> Meaning {
    match reject {
        Reject::NoDocument
        | Reject::Unavailable(
            Unavailable::Keys
            | Unavailable::Entries
            | Unavailable::Introspection
            | Unavailable::Hashing
            | Unavailable::Crypto
            | Unavailable::Replays
            | Unavailable::SharedData,
        ) => Meaning::new(
            Code::TemporarilyUnavailable,
            "The request cannot be evaluated at the moment.",
        )
        .retry_after(SECONDS_TO_WAIT),
        Reject::Trace => Meaning::new(Code::MethodNotAllowed, "The method TRACE is not allowed.")
            .allow(ALL_BUT_TRACE),
        Reject::Path(fault) => Meaning::new(Code::AmbiguousPath, path_message(fault)),
        Reject::MethodCase => {
            Meaning::new(Code::InvalidRequest, "The method is not in upper case.")
        }
        Reject::Authority => Meaning::new(
            Code::InvalidRequest,
            "The request does not name exactly one host.",
        ),
        Reject::RouteAtRisk => Meaning::new(
            Code::InvalidRequest,
            "The request has a header or a parameter that is not allowed here.",
        ),
        Reject::RepeatedField => Meaning::new(
            Code::InvalidRequest,
            "A header that must occur only once is repeated.",
        ),
        Reject::PlainHttp => Meaning::new(
            Code::HttpsRequired,
            "This resource is available over HTTPS only.",
        ),
        Reject::Address => Meaning::new(
            Code::AddressNotAllowed,
            "Requests from this address are not allowed.",
        ),
        Reject::NoSuchMetadata => Meaning::new(Code::NotFound, "There is no such resource."),
        Reject::MetadataMethod => {
            Meaning::new(Code::MethodNotAllowed, "Metadata allows only GET and HEAD.")
                .allow("GET, HEAD")
        }
        Reject::ForeignOrigin => Meaning::new(Code::InvalidOrigin, "This origin is not allowed."),
        // The rule's `respond` is sent in its place.
        Reject::Fixed => Meaning::new(Code::Respond, FORBIDDEN),
        // How long the client must wait differs from request to request.
        Reject::TooManyFailures { .. } => Meaning::new(
            Code::TooManyFailures,
            "Too many attempts have failed. Try again later.",
        ),
        // A 401 must have a challenge (RFC 9110 §15.5.2), and without an offer there is none.
        Reject::NoCredential | Reject::MissingCredential { .. } if offers.is_empty() => {
            let message = "The request lacks a credential that is accepted here.";
            Meaning::new(Code::Forbidden, message)
        }
        Reject::Invalid(_) | Reject::Proof(_) if offers.is_empty() => {
            Meaning::new(Code::Forbidden, FORBIDDEN)
        }
        Reject::NoCredential => Meaning::new(Code::Unauthorized, "Authentication is required.")
            .challenge(Challenges::Plain),
        Reject::MissingCredential { .. } => {
            Meaning::new(Code::Unauthorized, "Another credential is required.")
                .challenge(Challenges::Plain)
        }
        Reject::Malformed(malformed) => {
            Meaning::new(Code::InvalidRequest, malformed_message(malformed.fault))
                .challenge(Challenges::Attempted(ErrorCode::InvalidRequest))
        }
        // The scheme of the challenge has no parameter for an error (RFC 7617 §2).
        Reject::Invalid(Invalid::Key(_)) => {
            Meaning::new(Code::InvalidCredentials, "The API key is not valid.")
                .challenge(Challenges::Plain)
        }
        Reject::Invalid(Invalid::Login(LoginFault::Stale)) => Meaning::new(
            Code::InvalidCredentials,
            "The nonce has expired or was used before. Repeat the request with the new nonce.",
        )
        .challenge(Challenges::Stale),
        Reject::Invalid(Invalid::Login(_)) => Meaning::new(
            Code::InvalidCredentials,
            "The user name or the password is not valid.",
        )
        .challenge(Challenges::Plain),
        Reject::Invalid(Invalid::Token(fault)) => {
            let message = if presentation.error_description {
                token_message(fault)
            } else {
                "The access token is not accepted"
            };
            Meaning::new(Code::InvalidToken, message)
                .challenge(Challenges::Failed(ErrorCode::InvalidToken))
        }
        Reject::Proof(ProofFault::Nonce) => Meaning::new(
            Code::UseDpopNonce,
            "The DPoP proof must contain the nonce of this response",
        )
        .challenge(Challenges::Failed(ErrorCode::UseDpopNonce)),
        Reject::Proof(fault) => {
            let message = if presentation.error_description {
                proof_message(fault)
            } else {
                "The DPoP proof is not accepted"
            };
            Meaning::new(Code::InvalidDpopProof, message)
                .challenge(Challenges::Failed(ErrorCode::InvalidDpopProof))
        }
        // Only OAuth's schemes can ask for another authentication (RFC 9470 §3).
        Reject::Authentication(_) if !offers.iter().any(Offer::has_errors) => {
            Meaning::new(Code::Forbidden, FORBIDDEN)
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
        PathFault::EscapedLetter => "The path has an escaped letter or colon.",
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
        CredentialFault::Unsupported => "The credential uses a feature that is not supported",
        CredentialFault::Target => "The credential is for another request target",
    }
}

fn proof_message(fault: ProofFault) -> &'static str {
    match fault {
        ProofFault::Missing => "The request has no DPoP proof",
        ProofFault::Several => "The request has more than one DPoP proof",
        ProofFault::Malformed => "The DPoP proof is malformed",
        ProofFault::Type => "The type of the DPoP proof is not dpop+jwt",
        ProofFault::Algorithm => "The DPoP proof is signed with an algorithm that is not accepted",
        ProofFault::Key => "The DPoP proof has no public key that fits its algorithm",
        ProofFault::Signature => "The signature of the DPoP proof is not valid",
        ProofFault::Claims => "The DPoP proof lacks a claim, or a claim has the wrong type",
        ProofFault::Method => "The DPoP proof is for another method",
        ProofFault::Url => "The DPoP proof is for another URL",
        ProofFault::Token => "The DPoP proof is for another access token",
        ProofFault::Time => "The DPoP proof is too old or from the future",
        ProofFault::Nonce => "The DPoP proof has no nonce of this server, or an expired one",
        ProofFault::Replayed => "The DPoP proof was used before",
    }
}

fn token_message(fault: TokenFault) -> &'static str {
    match fault {
        TokenFault::Malformed => "The access token is malformed",
        TokenFault::Algorithm => {
            "The access token is signed with an algorithm that is not accepted"
        }
        TokenFault::Extension => "The access token requires an extension that is not supported",
        TokenFault::Type => "The token is not an access token",
        TokenFault::Key => "The access token is signed with an unknown key",
        TokenFault::Signature => "The signature of the access token is not valid",
        TokenFault::Issuer => "The access token's issuer is not trusted",
        TokenFault::Audience => "The access token is for another audience",
        TokenFault::Expired => "The access token expired",
        TokenFault::NotYetValid => "The access token is not valid yet",
        TokenFault::Lifetime => "The access token is valid for too long",
        TokenFault::Revoked => "The access token is revoked",
        TokenFault::ClaimMissing => "The access token lacks a required claim",
        TokenFault::ClaimType => "The access token has a claim of the wrong type",
        TokenFault::ClaimMismatch => "A claim of the access token does not have an accepted value",
        TokenFault::Binding => {
            "The request does not prove possession of the key to which the access token is bound"
        }
        TokenFault::Unbound => "The access token is not bound to a key",
        TokenFault::Inactive => "The access token is not active",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reject::all::{CREDENTIALS, PROOFS, TOKENS};

    /// RFC 6750 §3: `error_description` has the characters `%x20-21 / %x23-5B / %x5D-7E`.
    #[test]
    fn messages_about_credentials_can_be_in_a_challenge() {
        let messages = CREDENTIALS.map(malformed_message).into_iter();
        let messages = messages.chain(TOKENS.map(token_message));
        for message in messages.chain(PROOFS.map(proof_message)) {
            let is_allowed = |byte| matches!(byte, b' '..=b'!' | b'#'..=b'[' | b']'..=b'~');
            assert!(message.bytes().all(is_allowed), "{message}");
        }
    }
}
