//! The name of a reason.

use std::fmt;

/// Declares [`Reason`]: each variant with its name.
macro_rules! reasons {
    ($($variant:ident = $name:literal,)*) => {
        /// The name of a reason, as logs, counters, filter state and response-code details show it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(
                #[doc = concat!("`", $name, "`.")]
                $variant,
            )*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name: lower case, `_` between words.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The response-code details of a denial for this reason: `countersign_` and the name.
            pub const fn details(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("countersign_", $name),)*
                }
            }
        }
    };
}

reasons! {
    NoDocument = "no_document",
    MethodNotAllowed = "method_not_allowed",
    MethodCase = "method_case",
    AmbiguousPath = "ambiguous_path",
    BadAuthority = "bad_authority",
    RouteAtRisk = "route_at_risk",
    RepeatedField = "repeated_field",
    HttpsRequired = "https_required",
    AddressNotAllowed = "address_not_allowed",
    NoSuchMetadata = "no_such_metadata",
    MetadataMethod = "metadata_method",
    InvalidOrigin = "invalid_origin",
    Respond = "respond",
    TooManyFailures = "too_many_failures",
    Unauthorized = "unauthorized",
    CredentialMissing = "credential_missing",
    SeveralCredentials = "several_credentials",
    EmptyCredential = "empty_credential",
    MalformedCredential = "malformed_credential",
    UnsupportedCredential = "unsupported_credential",
    CredentialForAnotherTarget = "credential_for_another_target",
    KeysUnavailable = "keys_unavailable",
    EntriesUnavailable = "entries_unavailable",
    IntrospectionUnavailable = "introspection_unavailable",
    HashBudgetSpent = "hash_budget_spent",
    CryptoUnavailable = "crypto_unavailable",
    ReplaysFull = "replays_full",
    SharedDataUnavailable = "shared_data_unavailable",
    ProviderNotAccepted = "provider_not_accepted",
    NoRule = "no_rule",
    AcrInsufficient = "acr_insufficient",
    AuthenticationTooOld = "authentication_too_old",
    InsufficientScope = "insufficient_scope",
    RoleMissing = "role_missing",
    GroupMissing = "group_missing",
    ClaimMismatch = "claim_mismatch",
    CelFalse = "cel_false",
    CelFailed = "cel_failed",
    NoneOfAnyOf = "none_of_any_of",
    KeyMalformed = "key_malformed",
    KeyUnknown = "key_unknown",
    KeyExpired = "key_expired",
    LoginMalformed = "login_malformed",
    UserUnknown = "user_unknown",
    PasswordWrong = "password_wrong",
    DigestChallenge = "digest_challenge",
    NonceStale = "nonce_stale",
    ProofMissing = "proof_missing",
    ProofRepeated = "proof_repeated",
    ProofMalformed = "proof_malformed",
    ProofType = "proof_type",
    ProofAlgorithm = "proof_algorithm",
    ProofKey = "proof_key",
    ProofSignature = "proof_signature",
    ProofClaims = "proof_claims",
    ProofMethod = "proof_method",
    ProofUrl = "proof_url",
    ProofToken = "proof_token",
    ProofTime = "proof_time",
    ProofNonce = "proof_nonce",
    ProofReplayed = "proof_replayed",
    TokenMalformed = "token_malformed",
    TokenAlgorithm = "token_algorithm",
    TokenExtension = "token_extension",
    TokenType = "token_type",
    TokenKey = "token_key",
    TokenSignature = "token_signature",
    TokenIssuer = "token_issuer",
    TokenAudience = "token_audience",
    TokenExpired = "token_expired",
    TokenNotYetValid = "token_not_yet_valid",
    TokenLifetime = "token_lifetime",
    TokenRevoked = "token_revoked",
    TokenClaimMissing = "token_claim_missing",
    TokenClaimType = "token_claim_type",
    TokenClaimMismatch = "token_claim_mismatch",
    TokenBinding = "token_binding",
    TokenUnbound = "token_unbound",
    TokenInactive = "token_inactive",
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
