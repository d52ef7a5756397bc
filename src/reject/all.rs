//! Every reason to deny, for which responses are prepared.

use super::{
    CredentialFault, Invalid, KeyFault, LoginFault, MalformedCredential, PathFault, ProofFault,
    Reject, Requirement, TokenFault, Unavailable, Weakness,
};
use crate::scheme::SchemeSet;

impl Reject {
    /// Every reason to deny: first those that requests meet most often. What a reason says of one request is empty.
    pub fn all() -> impl Iterator<Item = Self> {
        let tokens = TOKENS.map(|fault| Self::Invalid(fault.into()));
        let logins = LOGINS.map(|fault| Self::Invalid(fault.into()));
        let keys = KEYS.map(|fault| Self::Invalid(Invalid::Key(fault)));
        let malformed = CREDENTIALS.map(|fault| {
            Self::Malformed(MalformedCredential {
                attempted: SchemeSet::default(),
                fault,
            })
        });
        let requirements = REQUIREMENTS.map(Self::Requirement);
        OTHERS
            .into_iter()
            .chain(tokens)
            .chain(requirements)
            .chain(logins)
            .chain(keys)
            .chain(malformed)
            .chain(PROOFS.map(Self::Proof))
            .chain(UNAVAILABLE.map(Self::Unavailable))
            .chain(PATHS.map(Self::Path))
    }
}

const OTHERS: [Reject; 20] = [
    Reject::NoCredential,
    Reject::Scope,
    Reject::TooManyFailures { retry_after: 0 },
    Reject::NoRule,
    Reject::ProviderNotAccepted,
    Reject::NoDocument,
    Reject::MissingCredential { is_first: true },
    Reject::Trace,
    Reject::MethodCase,
    Reject::Authority,
    Reject::RouteAtRisk,
    Reject::RepeatedField,
    Reject::PlainHttp,
    Reject::Address,
    Reject::NoSuchMetadata,
    Reject::MetadataMethod,
    Reject::ForeignOrigin,
    Reject::Fixed,
    Reject::Authentication(Weakness::Class),
    Reject::Authentication(Weakness::Age),
];

pub(crate) const TOKENS: [TokenFault; 18] = [
    TokenFault::Signature,
    TokenFault::Expired,
    TokenFault::Malformed,
    TokenFault::Key,
    TokenFault::Issuer,
    TokenFault::Audience,
    TokenFault::Algorithm,
    TokenFault::Extension,
    TokenFault::Type,
    TokenFault::NotYetValid,
    TokenFault::Lifetime,
    TokenFault::Revoked,
    TokenFault::ClaimMissing,
    TokenFault::ClaimType,
    TokenFault::ClaimMismatch,
    TokenFault::Binding,
    TokenFault::Unbound,
    TokenFault::Inactive,
];

const LOGINS: [LoginFault; 5] = [
    LoginFault::User,
    LoginFault::Password,
    LoginFault::Malformed,
    LoginFault::Challenge,
    LoginFault::Stale,
];

const KEYS: [KeyFault; 3] = [KeyFault::Unknown, KeyFault::Malformed, KeyFault::Expired];

pub(crate) const CREDENTIALS: [CredentialFault; 5] = [
    CredentialFault::Several,
    CredentialFault::Empty,
    CredentialFault::Syntax,
    CredentialFault::Unsupported,
    CredentialFault::Target,
];

pub(crate) const PROOFS: [ProofFault; 14] = [
    ProofFault::Missing,
    ProofFault::Several,
    ProofFault::Malformed,
    ProofFault::Type,
    ProofFault::Algorithm,
    ProofFault::Key,
    ProofFault::Signature,
    ProofFault::Claims,
    ProofFault::Method,
    ProofFault::Url,
    ProofFault::Token,
    ProofFault::Time,
    ProofFault::Nonce,
    ProofFault::Replayed,
];

const REQUIREMENTS: [Requirement; 6] = [
    Requirement::Role,
    Requirement::Group,
    Requirement::Claim,
    Requirement::Condition,
    Requirement::ConditionFailed,
    Requirement::AnyOf,
];

const UNAVAILABLE: [Unavailable; 7] = [
    Unavailable::Keys,
    Unavailable::Entries,
    Unavailable::Introspection,
    Unavailable::Hashing,
    Unavailable::Crypto,
    Unavailable::Replays,
    Unavailable::SharedData,
];

const PATHS: [PathFault; 16] = [
    PathFault::NotAbsolute,
    PathFault::EmptySegment,
    PathFault::DotSegment,
    PathFault::EncodedSeparator,
    PathFault::UserInformation,
    PathFault::EscapedLetter,
    PathFault::LastDot,
    PathFault::Parameters,
    PathFault::EncodedQuery,
    PathFault::Fragment,
    PathFault::ControlCharacter,
    PathFault::BrokenEscape,
    PathFault::DoubleEncoded,
    PathFault::RawByte,
    PathFault::NotUtf8,
    PathFault::TooManyReadings,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reject::Reason;

    #[test]
    fn every_reason_is_among_them() {
        for reason in Reason::ALL {
            assert!(
                Reject::all().any(|reject| reject.reason() == *reason),
                "{reason}"
            );
        }
    }
}
