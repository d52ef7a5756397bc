//! `jwt`: a provider of JSON Web Tokens.

pub mod claims;

use std::collections::BTreeMap;

use serde_json::Value;

use self::claims::ClaimNames;
use super::From;
use super::sender::Dpop;
use crate::authenticate::jwt::Kind;
use crate::authenticate::sender::Binding;
use crate::config::at::At;
use crate::config::diagnostic::Diagnostics;
use crate::config::read::{List, Read, Span, Typed, choice, object, unexpected};

object! {
    /// A provider of JSON Web Tokens (RFC 7519).
    pub struct Jwt {
        /// The issuer. It must equal `iss`, and may contain one `{claim}`.
        required issuer: String,
        /// The audiences, of which one must be in `aud`, or in the claim that `claims.audience` names. `any` alone disables the
        /// check.
        required audiences: AudienceList,
        /// The keys of the issuer: a source, or a list of sources, of which all keys are used.
        required jwks: JwksList,
        /// The accepted algorithms. Default: those of each key. HS256, HS384 and HS512 must be listed.
        narrowing algorithms: Vec<String>,
        /// The accepted kind of token. Default `any`.
        narrowing token_type: Kind,
        /// Claims that must be present. Default `exp`.
        optional require: Vec<String>,
        /// Claims and their values, as in a rule's `require`: a value, or a list of which one must match. Tokens that differ are
        /// invalid.
        #[schemars(extend("minProperties" = 1))]
        narrowing require_claims: BTreeMap<String, Value>,
        /// How far the issuer's clock may be off. Default `60s`.
        optional clock_skew: Span,
        /// The longest accepted lifetime of a token. Default: any.
        narrowing max_lifetime: Span,
        /// Where tokens may be. Default: the header `authorization` with the scheme Bearer.
        #[schemars(extend("minItems" = 1))]
        optional from: Vec<From>,
        /// Where the claims are that the filter looks at.
        optional claims: ClaimNames,
        /// Tokens and subjects that are no longer accepted.
        narrowing revoked: Revoked,
        /// Whether tokens must be bound to their sender. Default `none`. A token that is bound is never accepted without
        /// the check.
        narrowing sender: Binding,
        /// Accepts the scheme `DPoP`, and says how proofs are verified. With `sender: dpop` or `sender: bound`, its defaults apply
        /// without it.
        optional dpop: Dpop,
    }
}

/// The audiences of a provider's tokens.
#[derive(Debug)]
pub enum AudienceList {
    /// `any`.
    Any,
    /// A list of audiences.
    OneOf(List<String>),
}

/// Either `any`, alone or as the only item of a list, or a list.
impl Read for AudienceList {
    const EXPECTED: &'static str = "a list of audiences, or `any`";

    type Value = Self;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self> {
        match value {
            Value::String(text) if text == "any" => Ok(Self::Any),
            Value::Array(items) if items.len() == 1 && items.iter().all(|item| item == "any") => {
                Ok(Self::Any)
            }
            Value::Array(_) => Vec::<String>::read(value, at, diagnostics).map(Self::OneOf),
            other => Err(unexpected(other, Self::EXPECTED, at, diagnostics)),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl schemars::JsonSchema for AudienceList {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AudienceList".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A list of audiences, or `any`, which disables the check.",
            "oneOf": [
                { "enum": ["any", ["any"]] },
                {
                    "type": "array",
                    "items": { "type": "string", "minLength": 1, "not": { "const": "any" } },
                    "minItems": 1,
                },
            ],
        })
    }
}

/// Where an issuer's keys come from: a source, or a list of sources.
#[derive(Debug)]
pub struct JwksList {
    /// The sources.
    pub sources: List<Jwks>,
    /// Whether they are in a list.
    pub is_list: bool,
}

impl Read for JwksList {
    const EXPECTED: &'static str = "an object, or a list of objects";

    type Value = Self;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self> {
        let (sources, is_list) = match value {
            Value::Object(_) => (vec![Ok(Jwks::read(value, at, diagnostics)?)], false),
            Value::Array(_) => (Vec::<Jwks>::read(value, at, diagnostics)?, true),
            other => return Err(unexpected(other, Self::EXPECTED, at, diagnostics)),
        };
        Ok(Self { sources, is_list })
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl schemars::JsonSchema for JwksList {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "JwksList".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let source = generator.subschema_for::<Jwks>();
        schemars::json_schema!({
            "description": "Where an issuer's keys come from: a source, or a list of sources, of which all keys are used.",
            "oneOf": [source, { "type": "array", "items": source, "minItems": 1 }],
        })
    }
}

object! {
    /// A source of keys. Exactly one key is given.
    pub struct Jwks {
        /// A JSON Web Key Set in the configuration (RFC 7517 §5).
        optional inline: Value,
        /// A JSON Web Key Set at a URL.
        optional remote: RemoteJwks,
        /// A JSON Web Key Set at the URL that the issuer's metadata names.
        optional discovery: Discovery,
    }
}

object! {
    /// A JSON Web Key Set at a URL.
    pub struct RemoteJwks {
        /// The absolute URL.
        required uri: String,
        /// The host's cluster for requests to it.
        required cluster: String,
        /// How long the filter waits for a response. Default `2s`.
        optional timeout: Span,
        /// The age at which keys are fetched again. Default `10m`.
        optional refresh: Span,
    }
}

object! {
    /// Metadata of the issuer at a URL (OpenID Connect Discovery 1.0, RFC 8414).
    pub struct Discovery {
        /// The absolute URL of the metadata.
        required uri: String,
        /// The host's cluster for requests to it.
        required cluster: String,
        /// The cluster for the keys, if their URL has another origin.
        optional jwks_cluster: String,
        /// How long the filter waits for each response. Default `2s`.
        optional timeout: Span,
        /// The age at which keys are fetched again. Default `10m`.
        optional refresh: Span,
    }
}

object! {
    /// Tokens and subjects that are no longer accepted.
    pub struct Revoked {
        /// Tokens, by their `jti`.
        narrowing jti: Vec<String>,
        /// Subjects. None of their tokens is accepted.
        narrowing subjects: Vec<String>,
    }
}

choice! {
    /// The accepted kind of token.
    impl TokenType for crate::authenticate::jwt::Kind {
        /// Any token that does not have another known type.
        Any = "any" => Self::Any,
        /// An access token of RFC 9068: type `at+jwt`, with the claims that it requires.
        AccessToken = "at+jwt" => Self::AccessToken,
        /// A token with the type `JWT`.
        Jwt = "JWT" => Self::Jwt,
    }
}
