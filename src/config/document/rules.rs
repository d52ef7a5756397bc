//! `rules`: which requests a rule matches, and what it requires.

use std::collections::BTreeMap;

use serde_json::Value;

use super::networks::Networks;
use super::responses::Respond;
use crate::config::at::At;
use crate::config::diagnostic::Diagnostics;
use crate::config::read::{List, Read, Span, Typed, choice, object, unexpected};

object! {
    /// A rule.
    pub struct Rule {
        /// The name, for logs.
        required name: String,
        /// Which requests the rule matches. Default: all.
        narrowing r#match: Match,
        /// Requests pass without a credential.
        optional allow: Allow,
        /// The providers whose credentials the rule accepts. Default: all.
        narrowing providers: Vec<String>,
        /// The providers of which each must verify a credential of the request. The caller is the one of the first.
        narrowing require_all: Vec<String>,
        /// What happens to the credentials of the other providers. Default `judge`. Requires `providers` or
        /// `require_all`.
        optional other_credentials: OtherCredentials,
        /// What the caller must have. Default: any valid credential.
        narrowing require: Require,
        /// What a caller receives in place of 403.
        narrowing on_forbidden: OnForbidden,
        /// The response to every request. No request passes.
        narrowing respond: Respond,
        /// The networks from which requests may come, in addition to the top-level `networks`.
        narrowing networks: Networks,
    }
}

choice! {
    /// Requests pass without a credential.
    pub enum Allow {
        /// The filter reads no credential.
        Public = "public",
        /// A credential that is there must be valid.
        Optional = "optional",
    }
}

choice! {
    /// What happens to the credentials of providers that the rule does not list.
    pub enum OtherCredentials {
        /// They must be valid.
        Judge = "judge",
        /// The filter does not look at locations that only these providers read. It still removes tokens from the query.
        Ignore = "ignore",
    }
}

object! {
    /// Which requests a rule matches. A request must match every key, and one entry of each. A key that is absent matches
    /// every request.
    pub struct Match {
        /// Path patterns: `{name}` matches one segment, `/**` at the end any rest.
        narrowing paths: Vec<String>,
        /// Methods. GET includes HEAD.
        narrowing methods: Vec<String>,
        /// Hosts. `*.` stands for one or more labels.
        narrowing hosts: Vec<String>,
        /// Headers, each with a value, a list of values of which one must match, or `absent`.
        narrowing headers: BTreeMap<String, Header>,
        /// Names of the host's routes, compared exactly.
        narrowing route: Vec<String>,
        /// Values of `filter_metadata.countersign.policy` of the host's route, compared exactly. The metadata is a string,
        /// or a list of strings of which one must match.
        narrowing policy: Vec<String>,
        /// The networks from which the request comes. Other requests are compared with the next rule. A request whose
        /// address is unknown is denied.
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
    /// What a caller must have. Every key must be satisfied.
    pub struct Require {
        /// All of these scopes.
        narrowing scopes: Vec<String>,
        /// One of these scopes.
        narrowing any_scopes: Vec<String>,
        /// All of these roles.
        narrowing roles: Vec<String>,
        /// One of these roles.
        narrowing any_roles: Vec<String>,
        /// All of these groups.
        narrowing groups: Vec<String>,
        /// One of these groups.
        narrowing any_groups: Vec<String>,
        /// One of these authentication context classes, the preferred one first (RFC 9470).
        narrowing acr: Vec<String>,
        /// The longest time since the caller signed in (RFC 9470).
        narrowing max_age: Span,
        /// Claims and their values: a value, a list of which one must match, or `{name}` for a parameter of the path.
        narrowing claims: BTreeMap<String, Value>,
        /// An expression in CEL that must be true.
        narrowing cel: String,
        /// Requirements of which one must be satisfied.
        narrowing any_of: Vec<Require>,
    }
}

choice! {
    /// What a caller receives in place of 403.
    pub enum OnForbidden {
        /// The response `responses.not_found`, as if the rule did not exist.
        NotFound = "not_found",
    }
}
