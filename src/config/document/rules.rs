//! `rules`: which requests a rule matches, and what it requires.

use std::collections::BTreeMap;

use serde_json::Value;

use super::networks::Networks;
use super::responses::Respond;
use crate::config::at::At;
use crate::config::diagnostic::Diagnostics;
use crate::config::read::{List, Read, Span, Typed, choice, object, unexpected};

object! {
    /// A rule: which requests it matches, and what these need to pass.
    pub struct Rule {
        /// The name, for logs.
        #[schemars(extend("examples" = ["orders"]))]
        required name: String,
        /// Which requests the rule matches.
        #[schemars(extend("x-default" = "all", "examples" = [{"paths": ["/orders/**"], "methods": ["GET"]}]))]
        narrowing r#match: Match,
        /// Requests pass without a credential.
        #[schemars(extend("x-default" = "a credential is required", "examples" = ["public"]))]
        optional allow: Allow,
        /// The providers whose credentials the rule accepts.
        #[schemars(extend("x-default" = "all", "examples" = [["corp"]]))]
        narrowing providers: Vec<String>,
        /// Providers of which each must verify a credential of the request. The caller is the one of the first provider.
        #[schemars(extend("x-default" = "one credential is enough", "examples" = [["corp", "mesh"]]))]
        narrowing require_all: Vec<String>,
        /// What happens to the credentials of the other providers. It requires `providers` or `require_all`.
        #[schemars(extend("default" = "judge", "examples" = ["ignore"]))]
        optional other_credentials: OtherCredentials,
        /// What the caller must have.
        #[schemars(extend("x-default" = "any valid credential", "examples" = [{"scopes": ["orders:read"]}]))]
        narrowing require: Require,
        /// What a caller receives in place of 403.
        #[schemars(extend("x-default" = "403", "examples" = ["not_found"]))]
        narrowing on_forbidden: OnForbidden,
        /// The response to every request. No request passes.
        #[schemars(extend(
            "x-default" = "requests are evaluated",
            "examples" = [{"status": 403, "body": {"error": "closed"}}]
        ))]
        narrowing respond: Respond,
        /// The networks from which requests are accepted, in addition to the top-level `networks`.
        #[schemars(extend("x-default" = "all", "examples" = [{"allow": ["10.1.0.0/16"]}]))]
        narrowing networks: Networks,
    }
}

choice! {
    /// Requests pass without a credential.
    pub enum Allow {
        /// The filter reads no credential.
        Public = "public",
        /// A credential that is present must be valid.
        Optional = "optional",
    }
}

choice! {
    /// What happens to the credentials of providers that the rule does not list.
    pub enum OtherCredentials {
        /// They must be valid.
        Judge = "judge",
        /// The filter ignores token locations that only these providers have. It still removes tokens from the query.
        Ignore = "ignore",
    }
}

object! {
    /// Which requests a rule matches. A request must match every key, and one entry of each key. A key that is absent matches
    /// every request.
    pub struct Match {
        /// Path patterns. `{name}` matches one segment. `/**` at the end matches any rest.
        #[schemars(extend("x-default" = "all", "examples" = [["/users/{id}/orders/**"]]))]
        narrowing paths: Vec<String>,
        /// Methods, in upper case. `GET` includes HEAD.
        #[schemars(extend("x-default" = "all", "examples" = [["GET", "PUT"]]))]
        narrowing methods: Vec<String>,
        /// Hosts, without a port. `*.` stands for one or more labels.
        #[schemars(extend("x-default" = "all", "examples" = [["orders.example.com", "*.shop.example.com"]]))]
        narrowing hosts: Vec<String>,
        /// Headers, each with a value, a list of values of which one must match, or `absent`.
        #[schemars(extend("x-default" = "all", "examples" = [{"x-api-version": ["2", "3"], "x-debug": "absent"}]))]
        narrowing headers: BTreeMap<String, Header>,
        /// Names of the host's routes, compared exactly.
        #[schemars(extend("x-default" = "all", "examples" = [["legacy-route"]]))]
        narrowing route: Vec<String>,
        /// Values of `filter_metadata.countersign.policy` of the host's route, compared exactly. The metadata is a string, or a
        /// list of strings of which one must match.
        #[schemars(extend("x-default" = "all", "examples" = [["frozen"]]))]
        narrowing policy: Vec<String>,
        /// The networks from which the request comes. Other requests are compared with the next rule. A request with an unknown
        /// address is denied.
        #[schemars(extend("x-default" = "all", "examples" = [{"allow": ["10.0.0.0/8"]}]))]
        narrowing networks: Networks,
    }
}

/// What a rule requires of a header.
#[derive(Debug)]
pub enum Header {
    /// The request does not have it.
    Absent,
    /// It has this value.
    Value(String),
    /// It has one of these values.
    OneOf(List<String>),
}

/// `absent`, a value, or a list of values.
impl Read for Header {
    const EXPECTED: &'static str = "a string, a list of strings, or `absent`";

    type Value = Self;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self> {
        match value {
            Value::String(text) if text == "absent" => Ok(Self::Absent),
            Value::String(_) => String::read(value, at, diagnostics).map(Self::Value),
            Value::Array(_) => Vec::<String>::read(value, at, diagnostics).map(Self::OneOf),
            other => Err(unexpected(other, Self::EXPECTED, at, diagnostics)),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl schemars::JsonSchema for Header {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Header".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "What a rule requires of a header: its value, a list of values of which one must match, or \
                `absent`. The text `absent` is written as the list `[absent]`.",
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            ],
        })
    }
}

object! {
    /// What a caller must have. Every key must be met.
    pub struct Require {
        /// All of these scopes.
        #[schemars(extend("x-default" = "none", "examples" = [["orders:read"]]))]
        narrowing scopes: Vec<String>,
        /// One of these scopes.
        #[schemars(extend("x-default" = "none", "examples" = [["orders:read", "orders:write"]]))]
        narrowing any_scopes: Vec<String>,
        /// All of these roles.
        #[schemars(extend("x-default" = "none", "examples" = [["clerk"]]))]
        narrowing roles: Vec<String>,
        /// One of these roles.
        #[schemars(extend("x-default" = "none", "examples" = [["clerk", "manager"]]))]
        narrowing any_roles: Vec<String>,
        /// All of these groups.
        #[schemars(extend("x-default" = "none", "examples" = [["emea"]]))]
        narrowing groups: Vec<String>,
        /// One of these groups.
        #[schemars(extend("x-default" = "none", "examples" = [["emea", "apac"]]))]
        narrowing any_groups: Vec<String>,
        /// One of these authentication context classes, the preferred one first (RFC 9470).
        #[schemars(extend("x-default" = "any", "examples" = [["urn:example:mfa"]]))]
        narrowing acr: Vec<String>,
        /// The longest time since the caller signed in (RFC 9470).
        #[schemars(extend("x-default" = "any", "examples" = ["5m"]))]
        narrowing max_age: Span,
        /// Claims and their values: a value, a list of which one must match, or `{name}` for a parameter of the path.
        #[schemars(extend("x-default" = "none", "examples" = [{"tenant": ["red", "blue"], "org.unit": 7}]))]
        narrowing claims: BTreeMap<String, Value>,
        /// An expression in CEL that must be true.
        #[schemars(extend("x-default" = "none", "examples" = ["claims.level >= 3 || 'admin' in roles"]))]
        narrowing cel: String,
        /// Requirements of which one must be met.
        #[schemars(extend("x-default" = "none", "examples" = [[{"roles": ["admin"]}, {"scopes": ["orders:all"]}]]))]
        narrowing any_of: Vec<Require>,
    }
}

choice! {
    /// What a caller receives in place of 403.
    pub enum OnForbidden {
        /// The response `responses.not_found`, which hides the rule.
        NotFound = "not_found",
    }
}
