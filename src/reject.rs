//! Why a request is denied: a closed list of reasons.
//!
//! `response/table.rs` gives each reason its response, in one `match` without a catch-all arm. A new reason does not
//! compile until it has a response. No reason carries a byte of the request.

pub(crate) mod all;
mod code;
mod reason;

pub use self::code::{Code, GrpcStatus};
pub use self::reason::Reason;
use crate::scheme::SchemeSet;

/// The reason why a request is denied, in the order of the checks (`evaluate`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reject {
    /// The filter has no valid configuration.
    NoDocument,
    /// The method is TRACE, whose response would repeat the credential (RFC 9110 §9.3.8).
    Trace,
    /// The method is not in upper case. An upstream could treat it as the method in upper case.
    MethodCase,
    /// The authority does not name exactly one host.
    Authority,
    /// An upstream could read the path differently.
    Path(PathFault),
    /// The filter must remove something from the request, or has removed it, and the host could then choose a route that
    /// the filter did not evaluate.
    RouteAtRisk,
    /// A header that a rule matches on occurs several times, or the header of the credential does.
    RepeatedField,
    /// The request came over plain HTTP, and the configuration requires HTTPS.
    PlainHttp,
    /// The client's address is not allowed.
    Address,
    /// The request asks for the metadata of another resource (RFC 9728 §3.1).
    NoSuchMetadata,
    /// The request asks for metadata with a method other than GET and HEAD (RFC 9728 §3.1).
    MetadataMethod,
    /// The request is a preflight, and its origin is not allowed.
    ForeignOrigin,
    /// The rule has a `respond`.
    Fixed,
    /// Too many attempts from this address, or for this user, have failed.
    TooManyFailures {
        /// How many whole seconds the block still lasts.
        retry_after: u32,
    },
    /// The credential breaks its grammar.
    Malformed(MalformedCredential),
    /// The request has no credential.
    NoCredential,
    /// The credential is not valid.
    Invalid(Invalid),
    /// The token is valid, and the proof that the client has its key is not.
    Proof(ProofFault),
    /// The rule needs credentials of several providers, and one of them is missing.
    MissingCredential {
        /// Whether it is the one of the first provider, whose caller the upstream learns of.
        is_first: bool,
    },
    /// The filter cannot verify the credential now.
    Unavailable(Unavailable),
    /// The credential is valid, but the rule does not accept its provider.
    ProviderNotAccepted,
    /// The credential is valid, but no rule permits the request.
    NoRule,
    /// The caller's authentication is too weak or too long ago (RFC 9470).
    Authentication(Weakness),
    /// The caller's credential lacks a scope.
    Scope,
    /// The caller does not meet another requirement of the rule.
    Requirement(Requirement),
}

/// How a credential breaks its grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedCredential {
    /// The schemes of the credentials in the request.
    pub attempted: SchemeSet,
    /// How it breaks the grammar.
    pub fault: CredentialFault,
}

impl MalformedCredential {
    /// The same fault of credentials with these schemes.
    #[must_use]
    pub fn with_schemes(self, attempted: SchemeSet) -> Self {
        Self { attempted, ..self }
    }
}

/// The rule of the grammar that a credential breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialFault {
    /// The request has more than one credential.
    Several,
    /// The credential is empty.
    Empty,
    /// The credential has bytes that a token cannot contain (`b64token`, RFC 6750 §2.1), or a parameter is missing, repeated
    /// or malformed (RFC 7616 §3.4).
    Syntax,
    /// The credential uses a feature that the filter does not support: `qop=auth-int`, or a hashed user name (RFC 7616 §3.4).
    Unsupported,
    /// The credential is for another request target (`uri`, RFC 7616 §3.4.6).
    Target,
}

/// Why a proof of possession does not prove that the client has the private key (RFC 9449 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofFault {
    /// The request has no proof.
    Missing,
    /// The request has several proofs.
    Several,
    /// It is not a JWT, or too long.
    Malformed,
    /// Its `typ` is not `dpop+jwt`.
    Type,
    /// Its algorithm is unknown, symmetric, or not accepted.
    Algorithm,
    /// Its `jwk` is missing, not a public key, or does not fit the algorithm.
    Key,
    /// Its signature is not valid.
    Signature,
    /// A required claim is missing or has the wrong type.
    Claims,
    /// It is for another method (`htm`).
    Method,
    /// It is for another URL (`htu`).
    Url,
    /// It is for another access token (`ath`).
    Token,
    /// It is too old, or from the future (`iat`).
    Time,
    /// It has no nonce of this server, or an expired one.
    Nonce,
    /// It was used before (`jti`).
    Replayed,
}

/// Why upstreams could read a path differently.
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
    #[error("it has a backslash or an encoded separator")]
    EncodedSeparator,
    /// `//user@host`.
    #[error("it begins with user information, which servers read differently")]
    UserInformation,
    /// An escape such as `%61`, where one rule has a literal and another rule has a parameter; or `%3A` before a verb.
    #[error("it has an escaped letter or colon, which some routers do not decode")]
    EscapedLetter,
    /// A dot or a space at the end, also encoded.
    #[error("it ends with a dot or a space, which some servers drop")]
    LastDot,
    /// `;`, also encoded.
    #[error("it has path parameters")]
    Parameters,
    /// `%3F`.
    #[error("it has an encoded `?`, where some servers begin the query")]
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
    /// An escape that decodes to another escape.
    #[error("it is percent-encoded twice")]
    DoubleEncoded,
    /// A space, a control character or a byte beyond ASCII, which is not percent-encoded.
    #[error("it has a byte that must be percent-encoded")]
    RawByte,
    /// The decoded path is not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// It has too many ambiguities at once.
    #[error("it can be read in too many ways")]
    TooManyReadings,
}

impl From<PathFault> for Reject {
    fn from(fault: PathFault) -> Self {
        Self::Path(fault)
    }
}

impl From<LoginFault> for Reject {
    fn from(fault: LoginFault) -> Self {
        Self::Invalid(fault.into())
    }
}

/// Why a credential is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalid {
    /// A token.
    Token(TokenFault),
    /// An API key.
    Key(KeyFault),
    /// A user name with a password.
    Login(LoginFault),
}

impl From<TokenFault> for Invalid {
    fn from(fault: TokenFault) -> Self {
        Self::Token(fault)
    }
}

impl From<KeyFault> for Invalid {
    fn from(fault: KeyFault) -> Self {
        Self::Key(fault)
    }
}

impl From<LoginFault> for Invalid {
    fn from(fault: LoginFault) -> Self {
        Self::Login(fault)
    }
}

/// Why an API key is not valid. Responses do not tell these faults apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault {
    /// It has bytes that an API key cannot contain, or is too long.
    Malformed,
    /// It is not listed.
    Unknown,
    /// It has expired.
    Expired,
}

/// Why a user name with a password is not valid. Responses do not tell these faults apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginFault {
    /// It breaks its grammar (RFC 7617 §2).
    Malformed,
    /// The user is not listed.
    User,
    /// The user has another password.
    Password,
    /// It answers another challenge than one of this provider: its realm, its algorithm or its `opaque` (RFC 7616 §3.4).
    Challenge,
    /// The password is right, and the nonce has expired, was used with this count before, or is not one of this server.
    Stale,
}

/// Why a token is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// It is not a JWS in compact serialisation whose header and claims are JSON objects (RFC 7515 §7.1, RFC 7519 §7.2).
    Malformed,
    /// Its algorithm is unknown, or the key does not allow it (RFC 8725 §3.1).
    Algorithm,
    /// Its header requires an extension that the filter does not support: `crit`, `b64`, `zip` (RFC 7515 §4.1.11).
    Extension,
    /// Its `typ` is not that of an access token (RFC 8725 §3.11).
    Type,
    /// The issuer has no key that matches it.
    Key,
    /// Its signature is not valid.
    Signature,
    /// Its issuer is not trusted.
    Issuer,
    /// It is for another audience.
    Audience,
    /// It has expired.
    Expired,
    /// It is not valid yet, or it was issued in the future.
    NotYetValid,
    /// Its lifetime is longer than the configuration accepts.
    Lifetime,
    /// It, or its subject, is revoked.
    Revoked,
    /// A required claim is missing.
    ClaimMissing,
    /// A claim has the wrong type.
    ClaimType,
    /// A claim does not have a value that the provider requires.
    ClaimMismatch,
    /// It is bound to a key, and the request does not prove possession of that key (RFC 7800).
    Binding,
    /// It is not bound to a key, and must be.
    Unbound,
    /// The authorization server says that it is not active (RFC 7662 §2.2).
    Inactive,
}

/// Why the filter cannot verify a credential now. The client is not the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// The issuer's keys are not available.
    Keys,
    /// The list of API keys or users is not available.
    Entries,
    /// The authorization server does not say whether the token is active.
    Introspection,
    /// This worker has spent its time for hashing passwords.
    Hashing,
    /// The host's cryptography fails.
    Crypto,
    /// It cannot be recorded that a proof or a nonce was used, because too many are recorded.
    Replays,
    /// The workers of the host cannot share nonces, and which were used.
    SharedData,
}

/// Why an authentication is not sufficient (RFC 9470 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// The rule does not accept its class (`acr`).
    Class,
    /// It is too long ago, or its time is not known (`auth_time`).
    Age,
}

/// A requirement that a caller does not meet, other than a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// A role.
    Role,
    /// A group.
    Group,
    /// A claim, or a value of a claim.
    Claim,
    /// A condition: it is false.
    Condition,
    /// A condition: its evaluation failed.
    ConditionFailed,
    /// One of several sets of requirements: the caller meets none of them.
    AnyOf,
}

impl Reject {
    /// The reason in logs, counters, filter state and response-code details.
    ///
    /// It says at least as much as the error code of the response.
    pub fn reason(self) -> Reason {
        match self {
            Self::NoDocument => Reason::NoDocument,
            Self::Trace => Reason::MethodNotAllowed,
            Self::MethodCase => Reason::MethodCase,
            Self::Path(_) => Reason::AmbiguousPath,
            Self::Authority => Reason::BadAuthority,
            Self::RouteAtRisk => Reason::RouteAtRisk,
            Self::RepeatedField => Reason::RepeatedField,
            Self::PlainHttp => Reason::HttpsRequired,
            Self::Address => Reason::AddressNotAllowed,
            Self::NoSuchMetadata => Reason::NoSuchMetadata,
            Self::MetadataMethod => Reason::MetadataMethod,
            Self::ForeignOrigin => Reason::InvalidOrigin,
            Self::Fixed => Reason::Respond,
            Self::TooManyFailures { .. } => Reason::TooManyFailures,
            Self::NoCredential => Reason::Unauthorized,
            Self::MissingCredential { .. } => Reason::CredentialMissing,
            Self::Malformed(malformed) => match malformed.fault {
                CredentialFault::Several => Reason::SeveralCredentials,
                CredentialFault::Empty => Reason::EmptyCredential,
                CredentialFault::Syntax => Reason::MalformedCredential,
                CredentialFault::Unsupported => Reason::UnsupportedCredential,
                CredentialFault::Target => Reason::CredentialForAnotherTarget,
            },
            Self::Invalid(fault) => fault.reason(),
            Self::Unavailable(Unavailable::Keys) => Reason::KeysUnavailable,
            Self::Unavailable(Unavailable::Entries) => Reason::EntriesUnavailable,
            Self::Unavailable(Unavailable::Introspection) => Reason::IntrospectionUnavailable,
            Self::Unavailable(Unavailable::Hashing) => Reason::HashBudgetSpent,
            Self::Unavailable(Unavailable::Crypto) => Reason::CryptoUnavailable,
            Self::Unavailable(Unavailable::Replays) => Reason::ReplaysFull,
            Self::Unavailable(Unavailable::SharedData) => Reason::SharedDataUnavailable,
            Self::Proof(fault) => fault.reason(),
            Self::ProviderNotAccepted => Reason::ProviderNotAccepted,
            Self::NoRule => Reason::NoRule,
            Self::Authentication(Weakness::Class) => Reason::AcrInsufficient,
            Self::Authentication(Weakness::Age) => Reason::AuthenticationTooOld,
            Self::Scope => Reason::InsufficientScope,
            Self::Requirement(Requirement::Role) => Reason::RoleMissing,
            Self::Requirement(Requirement::Group) => Reason::GroupMissing,
            Self::Requirement(Requirement::Claim) => Reason::ClaimMismatch,
            Self::Requirement(Requirement::Condition) => Reason::CelFalse,
            Self::Requirement(Requirement::ConditionFailed) => Reason::CelFailed,
            Self::Requirement(Requirement::AnyOf) => Reason::NoneOfAnyOf,
        }
    }
}

impl Invalid {
    /// Whether the throttle counts this fault as a failure: a client that guesses credentials would have it.
    pub fn is_a_failure(self) -> bool {
        match self {
            Self::Token(fault) => fault.is_a_failure(),
            Self::Key(KeyFault::Unknown) | Self::Login(LoginFault::User | LoginFault::Password) => {
                true
            }
            Self::Key(KeyFault::Malformed | KeyFault::Expired)
            | Self::Login(LoginFault::Malformed | LoginFault::Challenge | LoginFault::Stale) => {
                false
            }
        }
    }

    fn reason(self) -> Reason {
        match self {
            Self::Token(fault) => fault.reason(),
            Self::Key(KeyFault::Malformed) => Reason::KeyMalformed,
            Self::Key(KeyFault::Unknown) => Reason::KeyUnknown,
            Self::Key(KeyFault::Expired) => Reason::KeyExpired,
            Self::Login(LoginFault::Malformed) => Reason::LoginMalformed,
            Self::Login(LoginFault::User) => Reason::UserUnknown,
            Self::Login(LoginFault::Password) => Reason::PasswordWrong,
            Self::Login(LoginFault::Challenge) => Reason::DigestChallenge,
            Self::Login(LoginFault::Stale) => Reason::NonceStale,
        }
    }
}

impl ProofFault {
    /// Whether the throttle counts this fault as a failure: a client that guesses keys would have it.
    pub fn is_a_failure(self) -> bool {
        self == Self::Signature
    }

    fn reason(self) -> Reason {
        match self {
            Self::Missing => Reason::ProofMissing,
            Self::Several => Reason::ProofRepeated,
            Self::Malformed => Reason::ProofMalformed,
            Self::Type => Reason::ProofType,
            Self::Algorithm => Reason::ProofAlgorithm,
            Self::Key => Reason::ProofKey,
            Self::Signature => Reason::ProofSignature,
            Self::Claims => Reason::ProofClaims,
            Self::Method => Reason::ProofMethod,
            Self::Url => Reason::ProofUrl,
            Self::Token => Reason::ProofToken,
            Self::Time => Reason::ProofTime,
            Self::Nonce => Reason::ProofNonce,
            Self::Replayed => Reason::ProofReplayed,
        }
    }
}

impl TokenFault {
    /// Whether the throttle counts this fault as a failure, if the token could have passed: a client that guesses
    /// credentials would have it.
    ///
    /// Faults of honest clients' tokens are not counted, for example that a token has expired.
    pub fn is_a_failure(self) -> bool {
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
            | Self::ClaimMismatch
            | Self::Binding
            | Self::Unbound
            | Self::Inactive => false,
        }
    }

    fn reason(self) -> Reason {
        match self {
            Self::Malformed => Reason::TokenMalformed,
            Self::Algorithm => Reason::TokenAlgorithm,
            Self::Extension => Reason::TokenExtension,
            Self::Type => Reason::TokenType,
            Self::Key => Reason::TokenKey,
            Self::Signature => Reason::TokenSignature,
            Self::Issuer => Reason::TokenIssuer,
            Self::Audience => Reason::TokenAudience,
            Self::Expired => Reason::TokenExpired,
            Self::NotYetValid => Reason::TokenNotYetValid,
            Self::Lifetime => Reason::TokenLifetime,
            Self::Revoked => Reason::TokenRevoked,
            Self::ClaimMissing => Reason::TokenClaimMissing,
            Self::ClaimType => Reason::TokenClaimType,
            Self::ClaimMismatch => Reason::TokenClaimMismatch,
            Self::Binding => Reason::TokenBinding,
            Self::Unbound => Reason::TokenUnbound,
            Self::Inactive => Reason::TokenInactive,
        }
    }
}
