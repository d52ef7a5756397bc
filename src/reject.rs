//! Why a request is refused: a closed vocabulary.
//!
//! Each refusal is answered in one place, [`crate::response`], by a `match` without a catch-all: a new refusal does
//! not compile until it has an answer. Nothing here carries a byte of the request.

mod code;

pub use self::code::{Code, GrpcStatus};
use crate::scheme::SchemeSet;

/// A refusal, in the order of the decision table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reject {
    /// There is no valid document to judge by.
    NoDocument,
    /// The method is TRACE, which would echo the credential (RFC 9110 §9.3.8).
    Trace,
    /// The method is not in upper case: an upstream could take it for the one that is.
    MethodCase,
    /// An upstream could read the path in another way.
    Path(PathFault),
    /// The authority names no one host.
    Authority,
    /// Something has to be taken out of it, or was, and the host would then choose another route than the one that was
    /// judged.
    RouteAtRisk,
    /// A field that a rule looks at is there several times, or the credential's is.
    RepeatedField,
    /// The request came over plain HTTP, and HTTPS is asked for.
    PlainHttp,
    /// It comes from an address that may not ask here.
    Address,
    /// It asks for the metadata of a resource that is not here (RFC 9728 §3.1).
    NoSuchMetadata,
    /// Metadata can only be read (RFC 9728 §3.1).
    MetadataMethod,
    /// A preflight from an origin that may read nothing here.
    ForeignOrigin,
    /// The rule has an answer of its own.
    Fixed,
    /// Too many failures came from there, or with credentials of this user.
    TooManyFailures {
        /// How many whole seconds that still lasts.
        retry_after: u32,
    },
    /// No credential was presented.
    NoCredential,
    /// A credential that is none by its own grammar.
    Malformed(MalformedCredential),
    /// The token was refused.
    Token(TokenFault),
    /// Whether the credential is good cannot be said now.
    Unavailable(Unavailable),
    /// The credential is good, but of a provider that the rule does not accept.
    ProviderNotAccepted,
    /// The credential is good, but no rule permits this request.
    NoRule,
    /// The caller's authentication is too weak, or too long ago (RFC 9470).
    Authentication(Weakness),
    /// The caller's credential lacks a scope.
    Scope,
    /// The caller lacks a role or a group.
    Requirement(Requirement),
}

/// How a credential breaks its grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedCredential {
    /// The schemes that the request attempted.
    pub attempted: SchemeSet,
    /// What is wrong.
    pub fault: CredentialFault,
}

/// What is wrong with a credential's grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialFault {
    /// Two credentials where one is meant.
    Several,
    /// Nothing after the scheme.
    Empty,
    /// Bytes that a token cannot hold (`b64token`, RFC 6750 §2.1).
    Syntax,
}

/// What an upstream could read in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// It does not begin with `/`.
    #[error("it does not begin with `/`")]
    NotAbsolute,
    /// `//`.
    #[error("it has an empty segment")]
    EmptySegment,
    /// `.` or `..`, also encoded.
    #[error("it has a dot segment")]
    DotSegment,
    /// `%2F`, `\` or `%5C`.
    #[error("it has a separator that is not one to every server")]
    EncodedSeparator,
    /// `//user@host`.
    #[error(
        "it begins with user information, after which servers do not agree on where the path begins"
    )]
    UserInformation,
    /// `%61` and the like, where a rule has a literal and another one a parameter.
    #[error(
        "it has an escaped letter, which is no letter to routers that compare the path as it was sent"
    )]
    EscapedLetter,
    /// A dot or a space at the end, also encoded.
    #[error("it ends with a dot or a space, which some servers drop")]
    LastDot,
    /// `;`, also encoded.
    #[error("it has path parameters")]
    Parameters,
    /// `%3F`.
    #[error("it has an encoded `?`, which begins the query to some servers")]
    EncodedQuery,
    /// `#`, also encoded.
    #[error("it has a `#`")]
    Fragment,
    /// A control or format character.
    #[error("it has a control or format character")]
    ControlCharacter,
    /// `%` without two hexadecimal digits.
    #[error("it has a broken percent-escape")]
    BrokenEscape,
    /// An escape in what an escape decoded to.
    #[error("it is percent-encoded twice")]
    DoubleEncoded,
    /// A space, a control character or a byte beyond ASCII, as it is.
    #[error("it has a byte that must be percent-encoded")]
    RawByte,
    /// No UTF-8 once decoded.
    #[error("it is no UTF-8")]
    NotUtf8,
    /// More oddities together than can be told apart.
    #[error("it can be read in too many ways")]
    TooManyReadings,
}

impl From<PathFault> for Reject {
    fn from(fault: PathFault) -> Self {
        Self::Path(fault)
    }
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// It is no JWS in compact serialisation with a JSON object for header and claims (RFC 7515 §7.1, RFC 7519 §7.2).
    Malformed,
    /// Its algorithm is unknown, or not one of the key's (RFC 8725 §3.1).
    Algorithm,
    /// Its header demands an extension that is not understood: `crit`, `b64`, `zip` (RFC 7515 §4.1.11).
    Extension,
    /// It is of a type that is no access token (RFC 8725 §3.11).
    Type,
    /// No key of the issuer fits it.
    Key,
    /// The signature is wrong.
    Signature,
    /// It is of another issuer.
    Issuer,
    /// It is for another audience.
    Audience,
    /// It has expired.
    Expired,
    /// It is not valid yet, or issued in the future.
    NotYetValid,
    /// It is valid for longer than is accepted.
    Lifetime,
    /// It, or its subject, is revoked.
    Revoked,
    /// A claim that is required is not there.
    ClaimMissing,
    /// A claim has the wrong type.
    ClaimType,
    /// It is bound to a key that the caller has not shown to hold (RFC 7800).
    Binding,
}

/// What keeps a credential from being judged: nothing that its holder did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// The issuer's keys are not to be had.
    Keys,
    /// The host's cryptography fails.
    Crypto,
}

/// What an authentication lacks (RFC 9470 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// It is of no accepted class (`acr`).
    Class,
    /// It is too long ago (`auth_time`), or nobody knows how long.
    Age,
}

/// What a caller lacks, beyond scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// A role.
    Role,
    /// A group.
    Group,
    /// A claim, or a value of it.
    Claim,
    /// That a condition holds.
    Condition,
    /// That a condition can be evaluated.
    ConditionFailed,
    /// Every one of several sets of requirements, of which one would do.
    AnyOf,
}

impl Reject {
    /// The refusal's name in logs, filter state and response-code details: lower case, `_` between words.
    ///
    /// It is the error of the response, or finer.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoDocument => "no_document",
            Self::Trace => "method_not_allowed",
            Self::MethodCase => "method_case",
            Self::Path(_) => "ambiguous_path",
            Self::Authority => "bad_authority",
            Self::RouteAtRisk => "route_at_risk",
            Self::RepeatedField => "repeated_field",
            Self::PlainHttp => "https_required",
            Self::Address => "address_not_allowed",
            Self::NoSuchMetadata => "no_such_metadata",
            Self::MetadataMethod => "metadata_method",
            Self::ForeignOrigin => "invalid_origin",
            Self::Fixed => "respond",
            Self::TooManyFailures { .. } => "too_many_failures",
            Self::NoCredential => "unauthorized",
            Self::Malformed(malformed) => match malformed.fault {
                CredentialFault::Several => "several_credentials",
                CredentialFault::Empty => "empty_credential",
                CredentialFault::Syntax => "malformed_credential",
            },
            Self::Token(fault) => fault.reason(),
            Self::Unavailable(Unavailable::Keys) => "keys_unavailable",
            Self::Unavailable(Unavailable::Crypto) => "crypto_unavailable",
            Self::ProviderNotAccepted => "provider_not_accepted",
            Self::NoRule => "no_rule",
            Self::Authentication(Weakness::Class) => "acr_insufficient",
            Self::Authentication(Weakness::Age) => "authentication_too_old",
            Self::Scope => "insufficient_scope",
            Self::Requirement(Requirement::Role) => "role_missing",
            Self::Requirement(Requirement::Group) => "group_missing",
            Self::Requirement(Requirement::Claim) => "claim_mismatch",
            Self::Requirement(Requirement::Condition) => "cel_false",
            Self::Requirement(Requirement::ConditionFailed) => "cel_failed",
            Self::Requirement(Requirement::AnyOf) => "none_of_any_of",
        }
    }
}

impl Reject {
    /// Whether whoever guesses would be refused like this: what the throttling of failures counts.
    ///
    /// What honest callers are refused for is not among it: nothing shown, what has expired or is meant for others, and
    /// what cannot be judged.
    pub fn is_a_failure(self) -> bool {
        match self {
            Self::Token(fault) => fault.is_a_failure(),
            Self::NoDocument
            | Self::Trace
            | Self::MethodCase
            | Self::Path(_)
            | Self::Authority
            | Self::RepeatedField
            | Self::RouteAtRisk
            | Self::PlainHttp
            | Self::Address
            | Self::NoSuchMetadata
            | Self::MetadataMethod
            | Self::ForeignOrigin
            | Self::Fixed
            | Self::TooManyFailures { .. }
            | Self::NoCredential
            | Self::Malformed(_)
            | Self::Unavailable(Unavailable::Keys | Unavailable::Crypto)
            | Self::ProviderNotAccepted
            | Self::NoRule
            | Self::Authentication(_)
            | Self::Scope
            | Self::Requirement(_) => false,
        }
    }
}

impl TokenFault {
    fn is_a_failure(self) -> bool {
        match self {
            Self::Signature => true,
            Self::Malformed
            | Self::Algorithm
            | Self::Extension
            | Self::Type
            | Self::Key
            | Self::Issuer
            | Self::Audience
            | Self::Expired
            | Self::NotYetValid
            | Self::Lifetime
            | Self::Revoked
            | Self::ClaimMissing
            | Self::ClaimType
            | Self::Binding => false,
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "token_malformed",
            Self::Algorithm => "token_algorithm",
            Self::Extension => "token_extension",
            Self::Type => "token_type",
            Self::Key => "token_key",
            Self::Signature => "token_signature",
            Self::Issuer => "token_issuer",
            Self::Audience => "token_audience",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
            Self::Lifetime => "token_lifetime",
            Self::Revoked => "token_revoked",
            Self::ClaimMissing => "token_claim_missing",
            Self::ClaimType => "token_claim_type",
            Self::Binding => "token_binding",
        }
    }
}
