//! The kinds of credentials that this build verifies, besides JSON Web Tokens. Each is a feature of Cargo.
//!
//! A kind is a type. It has one value if its feature is on, and none if it is off. Whatever verifies credentials of a kind
//! contains this value, so that in a build without the kind it cannot exist, and the compiler removes its code. Only the
//! configuration asks for the value, and it rejects a provider of a kind that is left out.

macro_rules! kinds {
    ($($(#[doc = $about:expr])* $feature:literal $name:ident;)*) => {
        $(
            $(#[doc = $about])*
            #[cfg(feature = $feature)]
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
            pub struct $name(());

            #[cfg(feature = $feature)]
            impl $name {
                /// The value, if this build verifies this kind.
                pub const BUILT: Option<Self> = Some(Self(()));
            }

            $(#[doc = $about])*
            #[cfg(not(feature = $feature))]
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
            pub enum $name {}

            #[cfg(not(feature = $feature))]
            impl $name {
                /// The value, if this build verifies this kind.
                pub const BUILT: Option<Self> = None;
            }
        )*
    };
}

kinds! {
    /// Opaque tokens, about which the authorization server is asked (RFC 7662).
    "introspection" Introspection;
    /// API keys.
    "api-key" ApiKey;
    /// User names and passwords (RFC 7617).
    "basic" Basic;
    /// User names, and proofs that the client knows the password (RFC 7616).
    "digest" Digest;
    /// Proofs of possession (RFC 9449).
    "dpop" Dpop;
    /// Client certificates as credentials. Tokens that are bound to one are always checked.
    "mtls" Mtls;
}
