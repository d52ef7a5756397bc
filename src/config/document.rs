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
use crate::plan::{Audit as Log, Crypto, Mode, StateName};
use crate::presentation::Protects;
use crate::request::path::{Case, EncodedSlash};

object! {
    /// The configuration of the filter.
    pub struct Document {
        /// The realm of every challenge: printable ASCII. The filter never takes it from the request.
        #[schemars(extend("default" = "api", "examples" = ["orders"]))]
        optional realm: String,
        /// The public origin. Redirects, `login` and DPoP use it. The filter never takes it from the request.
        #[schemars(extend("x-default" = "none", "examples" = ["https://orders.example.com"]))]
        optional origin: String,
        /// What happens to a request that the filter denies.
        #[schemars(extend("default" = "enforce", "examples" = ["shadow"]))]
        optional mode: Mode,
        /// Whether the filter protects an origin server or a proxy.
        #[schemars(extend("default" = "origin", "examples" = ["proxy"]))]
        optional protect_as: Protects,
        /// What is required if no rule matches.
        #[schemars(extend("x-default" = "`deny` if there are rules, else `authenticated`", "examples" = ["authenticated"]))]
        optional default: Fallback,
        /// Where signatures of RS256, RS384, RS512, ES256, ES384 and ES512 are verified. The filter itself verifies all others.
        #[schemars(extend("default" = "auto", "examples" = ["host"]))]
        optional crypto: Crypto,
        /// How many tokens each worker caches.
        #[schemars(extend("examples" = [{"verified": 20000}]))]
        optional cache: Cache,
        /// How much of each second a worker spends on bcrypt and argon2id hashes. Other requests of the worker wait meanwhile.
        /// Beyond it, requests with a password that is not cached receive 503.
        #[schemars(extend("default" = "50ms", "x-range" = ["1ms", "900ms"], "examples" = ["100ms"]))]
        narrowing hash_budget: Span,
        /// For each scope, the scopes that it implies. These imply theirs in turn.
        #[schemars(extend("x-default" = "none", "examples" = [{"orders:admin": ["orders:read", "orders:write"]}]))]
        optional scopes_imply: BTreeMap<String, Vec<String>>,
        /// The networks from which the filter accepts requests.
        #[schemars(extend("x-default" = "all", "examples" = [{"allow": ["10.0.0.0/8"], "deny": ["10.9.0.0/16"]}]))]
        narrowing networks: Networks,
        /// Who can verify credentials. Their order is the order of the challenges.
        #[schemars(extend(
            "x-default" = "none",
            "examples" = [[{"name": "mesh", "mtls": {"subjects": ["spiffe://cluster.local/ns/shop/*"]}}]]
        ))]
        optional providers: Vec<Provider>,
        /// What every caller must have, in addition to what the rule requires.
        #[schemars(extend("x-default" = "nothing", "examples" = [{"any_scopes": ["orders:read", "orders:write"]}]))]
        narrowing require: Require,
        /// The rules, in order. The first rule that matches a request decides.
        #[schemars(extend(
            "x-default" = "none",
            "examples" = [[{"name": "health", "match": {"paths": ["/healthz"]}, "allow": "public"}]]
        ))]
        optional rules: Vec<Rule>,
        /// Whether the upstream distinguishes upper and lower case in paths.
        #[schemars(extend("default" = "sensitive", "examples" = ["insensitive"]))]
        narrowing paths_case: Case,
        /// What an encoded slash (`%2F`) in a path is to the upstream.
        #[schemars(extend("default" = "separator", "examples" = ["segment"]))]
        optional encoded_slash: EncodedSlash,
        /// What happens to headers and query parameters that name another method, path or host than the request.
        #[schemars(extend("default" = "strip", "examples" = [{"forward": ["x-forwarded-host"]}]))]
        narrowing overrides: Overrides,
        /// What responses look like.
        #[schemars(extend("examples" = [{"body": "problem"}]))]
        optional responses: Responses,
        /// The metadata of the protected resource (RFC 9728). The filter serves it, and challenges link to it.
        #[schemars(extend(
            "x-default" = "none",
            "examples" = [{"resource": "https://orders.example.com", "authorization_servers": ["https://login.example.com"]}]
        ))]
        optional resource_metadata: ResourceMetadata,
        /// Which other origins can read responses.
        #[schemars(extend(
            "x-default" = "preflight requests pass, and no header is added",
            "examples" = [{"allow_origins": ["https://app.example.com"]}]
        ))]
        optional cors: Cors,
        /// What the upstream learns about callers.
        #[schemars(extend("x-default" = "nothing", "examples" = [{"headers": {"x-auth-subject": "{subject}"}}]))]
        optional identity: Identity,
        /// What happens to plain HTTP.
        #[schemars(extend("default" = "optional", "examples" = ["require"]))]
        narrowing https: Https,
        /// Whether `x-forwarded-proto` says if a request came over plain HTTP. If `false`, the connection says it.
        #[schemars(extend("default" = false, "examples" = [true]))]
        optional trust_forwarded_proto: bool,
        /// How many failures block a caller with 429.
        #[schemars(extend("x-default" = "no limit", "examples" = [{"failures": 10, "window": "1m", "block": "5m"}]))]
        narrowing throttle: Throttle,
        /// What is logged.
        #[schemars(extend("examples" = [{"log": "all"}]))]
        optional audit: Audit,
        /// What the filter writes as filter state, for access logs and for the filters behind it. Each name costs time for each
        /// request. An empty list writes nothing.
        #[schemars(extend(
            "uniqueItems" = true,
            "default" = ["reason", "rule", "provider", "subject"],
            "examples" = [["reason", "subject"]]
        ))]
        narrowing filter_state: Vec<StateName>,
    }
}

choice! {
    /// What happens to a request that the filter denies.
    impl Mode for crate::plan::Mode {
        /// The filter denies it.
        Enforce = "enforce" => Self::Enforce,
        /// The request passes. The filter counts and logs what it would do.
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
        /// Nothing. A credential that is present must be valid.
        Optional = "optional",
        /// Nothing. The filter reads no credential.
        Public = "public",
    }
}

choice! {
    /// Whether the upstream distinguishes upper and lower case in paths.
    impl PathsCase for crate::request::path::Case {
        /// Paths differ by case (RFC 9110 §4.2.3).
        Sensitive = "sensitive" => Self::Sensitive,
        /// Paths do not differ by case. The paths of rules match in any case.
        Insensitive = "insensitive" => Self::Insensitive,
    }
}

choice! {
    /// What an encoded slash (`%2F`) in a path is to the upstream.
    impl EncodedSlashes for crate::request::path::EncodedSlash {
        /// It can be a separator.
        Separator = "separator" => Self::Separator,
        /// In a segment that `{name}` binds, it is a part of the value. Elsewhere it can be a separator.
        Segment = "segment" => Self::Segment,
    }
}

choice! {
    /// Where signatures of RS256, RS384, RS512, ES256 and similar algorithms are verified. Others are always verified in
    /// the filter.
    impl Crypto for crate::plan::Crypto {
        /// Envoy verifies them if it does so correctly, else the filter.
        Auto = "auto" => Self::Auto,
        /// Envoy verifies them. If it does not do so correctly, the configuration is rejected.
        Host = "host" => Self::Host,
        /// The filter verifies them.
        Wasm = "wasm" => Self::Wasm,
    }
}

object! {
    /// How many tokens each worker caches after it has verified them.
    pub struct Cache {
        /// Accepted tokens. `0` caches none.
        #[schemars(extend("default" = 10000, "examples" = [20000]))]
        optional verified: u32,
        /// Rejected tokens. `0` caches none.
        #[schemars(extend("default" = 1000, "examples" = [500]))]
        optional refused: u32,
    }
}

choice! {
    /// What happens to plain HTTP.
    pub enum Https {
        /// The filter treats it like HTTPS.
        Optional = "optional",
        /// The filter denies it.
        Require = "require",
        /// The filter redirects it to `origin`.
        Redirect = "redirect",
    }
}

object! {
    /// What is logged.
    pub struct Audit {
        /// Which decisions are logged.
        #[schemars(extend("default" = "denied", "examples" = ["all"]))]
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

choice! {
    /// What the filter writes as filter state.
    impl FilterState for crate::plan::StateName {
        /// Why a request is denied.
        Reason = "reason" => Self::Reason,
        /// The name of the rule.
        Rule = "rule" => Self::Rule,
        /// The provider that verified the first caller.
        Provider = "provider" => Self::Provider,
        /// The subject of the first caller.
        Subject = "subject" => Self::Subject,
    }
}
