//! The error code of a response, and what follows from the code alone.

use std::fmt;

/// An error code: what a client compares, and what counters are named after.
///
/// A code has one status, one title and one piece of advice, which are the same in every response that has the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The request is malformed, or its credential is (RFC 6750 §3.1).
    InvalidRequest,
    /// Upstreams could read the path in different ways.
    AmbiguousPath,
    /// The request has no credential.
    Unauthorized,
    /// The access token is not valid (RFC 6750 §3.1).
    InvalidToken,
    /// The user name, the password or the key is not valid.
    InvalidCredentials,
    /// The `DPoP` proof is not valid (RFC 9449 §7.1).
    InvalidDpopProof,
    /// The `DPoP` proof needs a nonce of the server (RFC 9449 §9).
    UseDpopNonce,
    /// The authentication is too weak or too long ago (RFC 9470 §3).
    InsufficientUserAuthentication,
    /// The credential lacks a scope (RFC 6750 §3.1).
    InsufficientScope,
    /// The caller may not send this request.
    Forbidden,
    /// The client's address is not allowed.
    AddressNotAllowed,
    /// The origin of a preflight is not allowed.
    InvalidOrigin,
    /// The request came over plain HTTP, and the configuration requires HTTPS.
    HttpsRequired,
    /// The resource does not exist, or the filter hides it.
    NotFound,
    /// The method is not allowed.
    MethodNotAllowed,
    /// Too many attempts failed.
    TooManyFailures,
    /// The filter cannot evaluate the request now.
    TemporarilyUnavailable,
    /// A rule's `respond` is the response. Its status is the configured one, not [`Code::status`].
    Respond,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 18] = [
        Self::InvalidRequest,
        Self::AmbiguousPath,
        Self::Unauthorized,
        Self::InvalidToken,
        Self::InvalidCredentials,
        Self::InvalidDpopProof,
        Self::UseDpopNonce,
        Self::InsufficientUserAuthentication,
        Self::InsufficientScope,
        Self::Forbidden,
        Self::AddressNotAllowed,
        Self::InvalidOrigin,
        Self::HttpsRequired,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooManyFailures,
        Self::TemporarilyUnavailable,
        Self::Respond,
    ];

    /// The code as bodies, counters and logs spell it: lower case, `_` between words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::AmbiguousPath => "ambiguous_path",
            Self::Unauthorized => "unauthorized",
            Self::InvalidToken => "invalid_token",
            Self::InvalidCredentials => "invalid_credentials",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::InsufficientScope => "insufficient_scope",
            Self::Forbidden => "forbidden",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::InvalidOrigin => "invalid_origin",
            Self::HttpsRequired => "https_required",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TooManyFailures => "too_many_failures",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::Respond => "respond",
        }
    }

    /// The HTTP status of an origin server's response (RFC 9110 §15, RFC 6585 §4).
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::AmbiguousPath => 400,
            Self::Unauthorized
            | Self::InvalidToken
            | Self::InvalidCredentials
            | Self::InvalidDpopProof
            | Self::UseDpopNonce
            | Self::InsufficientUserAuthentication => 401,
            Self::InsufficientScope
            | Self::Forbidden
            | Self::AddressNotAllowed
            | Self::InvalidOrigin
            | Self::HttpsRequired
            | Self::Respond => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooManyFailures => 429,
            Self::TemporarilyUnavailable => 503,
        }
    }

    /// The status of a gRPC call (grpc/statuscodes.md).
    pub const fn grpc_status(self) -> GrpcStatus {
        match self {
            Self::InvalidRequest
            | Self::AmbiguousPath
            | Self::NotFound
            | Self::MethodNotAllowed => GrpcStatus::Unimplemented,
            Self::Unauthorized
            | Self::InvalidToken
            | Self::InvalidCredentials
            | Self::InvalidDpopProof
            | Self::UseDpopNonce
            | Self::InsufficientUserAuthentication => GrpcStatus::Unauthenticated,
            Self::InsufficientScope
            | Self::Forbidden
            | Self::AddressNotAllowed
            | Self::InvalidOrigin
            | Self::HttpsRequired
            | Self::Respond => GrpcStatus::PermissionDenied,
            Self::TooManyFailures => GrpcStatus::ResourceExhausted,
            Self::TemporarilyUnavailable => GrpcStatus::Unavailable,
        }
    }

    /// The title, a few words that do not change from one occurrence to the next (RFC 9457 §3.1.3).
    pub const fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "Invalid request",
            Self::AmbiguousPath => "Ambiguous request target",
            Self::Unauthorized => "Authentication required",
            Self::InvalidToken => "Invalid token",
            Self::InvalidCredentials => "Invalid credentials",
            Self::InvalidDpopProof => "Invalid DPoP proof",
            Self::UseDpopNonce => "DPoP nonce required",
            Self::InsufficientUserAuthentication => "Stronger authentication required",
            Self::InsufficientScope => "Insufficient scope",
            Self::Forbidden => "Access denied",
            Self::AddressNotAllowed => "Address not allowed",
            Self::InvalidOrigin => "Origin not allowed",
            Self::HttpsRequired => "Secure transport required",
            Self::NotFound => "Not Found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::TooManyFailures => "Too many failures",
            Self::TemporarilyUnavailable => "Temporarily unavailable",
            Self::Respond => "Request denied",
        }
    }

    /// What a person can do next.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::HttpsRequired => "Open this address with https:// in place of http://.",
            Self::InsufficientUserAuthentication => {
                "Sign in again, with a second factor if you are offered one."
            }
            Self::Unauthorized
            | Self::InvalidToken
            | Self::InvalidCredentials
            | Self::InvalidDpopProof
            | Self::UseDpopNonce => "Sign in, then try again.",
            Self::InsufficientScope
            | Self::Forbidden
            | Self::AddressNotAllowed
            | Self::InvalidOrigin
            | Self::Respond => {
                "If you think that you should have access, ask the operator of this service."
            }
            Self::NotFound => "Check the address for mistakes, or go back to the previous page.",
            Self::TooManyFailures => "Wait a few minutes, then try again.",
            Self::TemporarilyUnavailable => "Try again in a moment.",
            Self::InvalidRequest | Self::AmbiguousPath | Self::MethodNotAllowed => {
                "Go back and try again. If it happens again, tell the operator of this service."
            }
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A status of gRPC (grpc/statuscodes.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum GrpcStatus {
    /// OK.
    Ok = 0,
    /// UNKNOWN.
    Unknown = 2,
    /// PERMISSION_DENIED.
    PermissionDenied = 7,
    /// RESOURCE_EXHAUSTED.
    ResourceExhausted = 8,
    /// UNIMPLEMENTED: the method does not exist.
    Unimplemented = 12,
    /// UNAVAILABLE.
    Unavailable = 14,
    /// UNAUTHENTICATED: also the status for a malformed credential.
    Unauthenticated = 16,
}

impl GrpcStatus {
    /// The number as `grpc-status` has it.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_has_every_code_once() {
        let codes: BTreeSet<Code> = Code::ALL.into();
        assert_eq!(codes.len(), Code::ALL.len());
        // Codes are numbered from 0 without a gap, so the last one tells how many there are.
        assert_eq!(Code::Respond as usize + 1, Code::ALL.len());
    }

    /// PJ-03: every code has a title, and no two codes share one.
    #[test]
    fn every_code_has_a_unique_name_and_title() {
        let names: BTreeSet<_> = Code::ALL.map(Code::name).into();
        let titles: BTreeSet<_> = Code::ALL.map(Code::title).into();
        assert_eq!(names.len(), Code::ALL.len());
        assert_eq!(titles.len(), Code::ALL.len());
    }
}
