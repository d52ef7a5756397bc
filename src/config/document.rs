//! The configuration as the user wrote it. What is valid here may still be rejected by `compile`.
//!
//! Every key that the filter will ever have is known. A key that this version does not support is rejected by name, never
//! ignored.

pub mod cors;
pub mod identity;
pub mod networks;
pub mod overrides;
pub mod providers;
pub mod resource_metadata;
pub mod responses;
pub mod rules;
pub mod secret;
pub mod throttle;

use std::collections::BTreeMap;

use self::cors::Cors;
use self::identity::Identity;
use self::networks::Networks;
use self::overrides::Overrides;
use self::providers::Provider;
use self::resource_metadata::ResourceMetadata;
use self::responses::Responses;
use self::rules::{Require, Rule};
use self::throttle::Throttle;
use super::read::{Span, choice, object};
use crate::plan::{Audit as Log, Crypto, Mode};
use crate::presentation::Protects;
use crate::request::path::{Case, EncodedSlash};

object! {
    /// The configuration of the filter.
    pub struct Document {
        /// The realm of every challenge. Default `api`. The filter never takes it from the request.
        optional realm: String,
        /// The public origin, such as `https://orders.example.com`. The filter never takes it from the request.
        optional origin: String,
        /// What happens to a request that the filter denies. Default `enforce`.
        optional mode: Mode,
        /// Whether the filter protects an origin server or a proxy. Default `origin`.
        optional protect_as: Protects,
        /// What is required where no rule matches. Default `deny` if there are rules, else `authenticated`.
        optional default: Fallback,
        /// Where signatures are verified. Default `auto`.
        optional crypto: Crypto,
        /// How many tokens each worker remembers.
        optional cache: Cache,
        /// How much of each second a worker spends on bcrypt and argon2id hashes, from `1ms` to `900ms`. Other requests of the
        /// worker wait meanwhile. Beyond it, requests with a password that is not cached receive 503. Default `50ms`.
        narrowing hash_budget: Span,
        /// Scopes that imply other scopes, which in turn imply theirs.
        optional scopes_imply: BTreeMap<String, Vec<String>>,
        /// The networks from which requests may come.
        narrowing networks: Networks,
        /// Who can verify credentials. Their order is the order of the challenges.
        optional providers: Vec<Provider>,
        /// What every caller must have, in addition to what a rule requires. Default: nothing.
        narrowing require: Require,
        /// The rules, in order. The first that matches a request decides.
        optional rules: Vec<Rule>,
        /// Whether the upstream distinguishes upper and lower case in paths. Default `sensitive`.
        narrowing paths_case: Case,
        /// What an encoded slash (`%2F`) in a path is to the upstream. Default `separator`.
        optional encoded_slash: EncodedSlash,
        /// What happens to headers and query parameters that name another method, path or host than the request. Default
        /// `strip`.
        narrowing overrides: Overrides,
        /// What responses look like.
        optional responses: Responses,
        /// The metadata of the protected resource (RFC 9728).
        optional resource_metadata: ResourceMetadata,
        /// Which other origins may read responses. Without it, preflight requests pass and no header is added.
        optional cors: Cors,
        /// What the upstream learns about callers.
        optional identity: Identity,
        /// What happens to plain HTTP. Default `optional`.
        narrowing https: Https,
        /// Whether `x-forwarded-proto` says if a request came over plain HTTP. Default `false`: the connection does.
        optional trust_forwarded_proto: bool,
        /// How many failures lead to 429 for all requests of a caller. Default: no limit.
        narrowing throttle: Throttle,
        /// What is logged.
        optional audit: Audit,
    }
}

choice! {
    /// What happens to a request that the filter denies.
    impl Mode for crate::plan::Mode {
        /// The filter answers it.
        Enforce = "enforce" => Self::Enforce,
        /// The request passes. The filter counts and logs the decision.
        Shadow = "shadow" => Self::Shadow,
    }
}

choice! {
    /// Whether the filter protects an origin server or a proxy.
    impl ProtectAs for crate::presentation::Protects {
        /// An origin server: 401, `WWW-Authenticate`, `Authorization`.
        Origin = "origin" => Self::Origin,
        /// A proxy: 407, `Proxy-Authenticate`, `Proxy-Authorization`.
        Proxy = "proxy" => Self::Proxy,
    }
}

choice! {
    /// What is required where no rule matches.
    pub enum Fallback {
        /// Every request is denied.
        Deny = "deny",
        /// Any valid credential.
        Authenticated = "authenticated",
        /// Nothing. A credential that is there must be valid.
        Optional = "optional",
        /// Nothing. The filter reads no credential.
        Public = "public",
    }
}

choice! {
    /// Whether the upstream distinguishes upper and lower case in paths.
    impl PathsCase for crate::request::path::Case {
        /// It does (RFC 9110 §4.2.3).
        Sensitive = "sensitive" => Self::Sensitive,
        /// It does not. The paths of rules match in any case.
        Insensitive = "insensitive" => Self::Insensitive,
    }
}

choice! {
    /// What an encoded slash (`%2F`) in a path is to the upstream.
    impl EncodedSlashes for crate::request::path::EncodedSlash {
        /// It may be a separator.
        Separator = "separator" => Self::Separator,
        /// In a segment that `{name}` binds it is not a separator, but a part of the value. Elsewhere it may be a separator.
        Segment = "segment" => Self::Segment,
    }
}

choice! {
    /// Where signatures of RS256, RS384, RS512, ES256 and similar algorithms are verified. Others are always verified in
    /// the filter.
    impl Crypto for crate::plan::Crypto {
        /// In the host if it verifies correctly, else in the filter.
        Auto = "auto" => Self::Auto,
        /// In the host. If it does not verify correctly, the configuration is rejected.
        Host = "host" => Self::Host,
        /// In the filter.
        Wasm = "wasm" => Self::Wasm,
    }
}

object! {
    /// How many tokens each worker remembers after it judged them. 0 remembers none.
    pub struct Cache {
        /// Accepted tokens. Default 10000.
        optional verified: u32,
        /// Rejected tokens. Default 1000.
        optional refused: u32,
    }
}

choice! {
    /// What happens to plain HTTP.
    pub enum Https {
        /// It is treated like HTTPS.
        Optional = "optional",
        /// It is denied.
        Require = "require",
        /// It is redirected to `origin`.
        Redirect = "redirect",
    }
}

object! {
    /// What is logged.
    pub struct Audit {
        /// Which decisions are logged. Default `denied`.
        optional log: Log,
    }
}

choice! {
    /// Which decisions are logged.
    impl AuditLog for crate::plan::Audit {
        /// Every denied request.
        Denied = "denied" => Self::Denied,
        /// Every decision.
        All = "all" => Self::All,
        /// None.
        None = "none" => Self::None,
    }
}
