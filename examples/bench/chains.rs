//! The compared filter chains, as Envoy configures them.

mod envoys;
mod ours;

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::credentials::Credentials;
use crate::support::envoy::wasm_filter;
use crate::support::in_repository;

pub use envoys::{jwt_authn, jwt_authn_with, rbac, rbac_with};
pub use ours::{countersign, document};

/// A filter chain. Each is a separate Envoy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chain {
    NoFilter,
    /// `examples/bench/empty`.
    Empty,
    JwtAuthn,
    JwtAuthnWithCache,
    /// With the default configuration.
    Countersign,
    /// With `filter_state: [reason, subject]`.
    WithLessState,
    /// With `audit: {log: none}`.
    WithoutAudit,
    CountersignApiKey,
    CountersignBasic,
    CountersignDpop,
    CountersignDigest,
    ApiKeyAuth,
    BasicAuth,
}

impl Chain {
    pub const ALL: [Self; 13] = [
        Self::NoFilter,
        Self::Empty,
        Self::JwtAuthn,
        Self::JwtAuthnWithCache,
        Self::Countersign,
        Self::WithLessState,
        Self::WithoutAudit,
        Self::CountersignApiKey,
        Self::CountersignBasic,
        Self::CountersignDpop,
        Self::CountersignDigest,
        Self::ApiKeyAuth,
        Self::BasicAuth,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::NoFilter => "no filter",
            Self::Empty => "empty filter in WebAssembly",
            Self::JwtAuthn => "`jwt_authn`, `rbac`",
            Self::JwtAuthnWithCache => "`jwt_authn` with cache, `rbac`",
            Self::Countersign
            | Self::CountersignApiKey
            | Self::CountersignBasic
            | Self::CountersignDpop
            | Self::CountersignDigest => "Countersign",
            Self::WithLessState => "Countersign, `filter_state: [reason, subject]`",
            Self::WithoutAudit => "Countersign, `audit: {log: none}`",
            Self::ApiKeyAuth => "`api_key_auth`",
            Self::BasicAuth => "`basic_auth`",
        }
    }

    /// Whether the filter of this repository is in it.
    pub fn is_ours(self) -> bool {
        self.name().starts_with("Countersign")
    }

    /// The filters before the router.
    pub fn filters(self, credentials: &Credentials) -> Vec<Value> {
        let ours = |changes: Value| vec![countersign(&document(&credentials.jwks, &changes))];
        match self {
            Self::NoFilter => vec![],
            Self::Empty => vec![wasm_filter("empty", &empty_path(), &json!({}))],
            Self::JwtAuthn => vec![jwt_authn(&credentials.jwks, None), rbac()],
            Self::JwtAuthnWithCache => vec![jwt_authn(&credentials.jwks, Some(10_000)), rbac()],
            Self::Countersign => ours(json!({})),
            Self::WithLessState => ours(ours::less_state()),
            Self::WithoutAudit => ours(json!({"audit": {"log": "none"}})),
            Self::CountersignApiKey => ours(json!({"providers": [ours::api_key()]})),
            Self::CountersignBasic => ours(json!({"providers": [ours::basic()]})),
            Self::CountersignDpop => ours(json!({"providers": [ours::dpop(credentials)]})),
            Self::CountersignDigest => ours(json!({"providers": [ours::digest()]})),
            Self::ApiKeyAuth => vec![envoys::api_key_auth()],
            Self::BasicAuth => vec![envoys::basic_auth()],
        }
    }
}

/// The empty filter, as `scripts/build-empty` builds it.
fn empty_path() -> PathBuf {
    let path = std::env::var_os("EMPTY_WASM");
    let path = path.map_or_else(|| in_repository("target/modules/empty.wasm"), PathBuf::from);
    assert!(
        path.exists(),
        "{} is not there: run `make bench`",
        path.display()
    );
    path
}

/// An Envoy with one listener, `bench`. It responds to every request that its filters forward, without an access log.
pub fn bootstrap(filters: &[Value]) -> Value {
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    });
    let filters = [filters, &[router]].concat();
    let any_port = json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}});
    let answer = json!({"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok\n"}}});
    json!({
        "admin": {"address": any_port},
        "static_resources": {"listeners": [{
            "name": "bench",
            "address": any_port,
            // Each worker has half of the connections.
            "connection_balance_config": {"exact_balance": {}},
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": "bench",
                    "use_remote_address": true,
                    "http_filters": filters,
                    "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [answer]}]}
                }
            }]}]
        }]}
    })
}
