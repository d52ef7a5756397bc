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
        /// The issuer. It must equal `iss`, and can contain one `{claim}`.
        #[schemars(extend("examples" = ["https://login.example.com"]))]
        required issuer: String,
        /// The audiences. One of them must be in `aud`, or in the claim that `claims.audience` names. `any` alone disables the
        /// check.
        #[schemars(extend("examples" = [["orders"]]))]
        required audiences: AudienceList,
        /// The keys of the issuer: a source, or a list of sources. The filter uses the keys of all sources.
        #[schemars(extend("examples" = [{"remote": {"uri": "https://login.example.com/jwks", "cluster": "login"}}]))]
        required jwks: JwksList,
        /// The accepted algorithms. HS256, HS384 and HS512 are accepted only if they are listed.
        #[schemars(extend("x-default" = "those of each key", "examples" = [["RS256", "ES256"]]))]
        narrowing algorithms: Vec<String>,
        /// The accepted type of token.
        #[schemars(extend("default" = "any", "examples" = ["at+jwt"]))]
        narrowing token_type: Kind,
        /// Claims that must be present.
        #[schemars(extend("default" = ["exp"], "examples" = [["exp", "sub"]]))]
        optional require: Vec<String>,
        /// Claims and their values: a value, or a list of which one must match. A token with another value is invalid.
        #[schemars(extend("minProperties" = 1, "x-default" = "none", "examples" = [{"token_use": "access"}]))]
        narrowing require_claims: BTreeMap<String, Value>,
        /// The tolerance for `exp`, `nbf` and `iat`.
        #[schemars(extend("default" = "60s", "examples" = ["30s"]))]
        optional clock_skew: Span,
        /// The longest accepted time from `iat` to `exp`.
        #[schemars(extend("x-default" = "any", "examples" = ["24h"]))]
        narrowing max_lifetime: Span,
        /// Where tokens can be.
        #[schemars(extend(
            "minItems" = 1,
            "default" = [{"header": "authorization", "scheme": "Bearer"}],
            "examples" = [[{"header": "authorization", "scheme": "Bearer"}, {"cookie": "session"}]]
        ))]
        optional from: Vec<From>,
        /// Which claims have the subject, the audience, scopes, roles and groups.
        #[schemars(extend("examples" = [{"roles": ["realm_access.roles"]}]))]
        optional claims: ClaimNames,
        /// Tokens and subjects that are no longer accepted.
        #[schemars(extend("x-default" = "none", "examples" = [{"jti": ["7d1e"]}]))]
        narrowing revoked: Revoked,
        /// Whether tokens must be bound to their sender. The filter always checks the binding of a bound token.
        #[schemars(extend("default" = "none", "examples" = ["bound"]))]
        narrowing sender: Binding,
        /// Accepts the scheme `DPoP`, and says how proofs are verified. `sender: dpop` and `sender: bound` accept it without this
        /// key.
        #[schemars(extend("x-default" = "the scheme `DPoP` is not accepted", "examples" = [{"window": "2m"}]))]
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
    /// A source of keys. Exactly one key is required.
    pub struct Jwks {
        /// A JSON Web Key Set in the configuration (RFC 7517 §5).
        #[schemars(extend(
            "x-default" = "none",
            "x-type" = "a key set",
            "examples" = [{"keys": [{"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}]
        ))]
        optional inline: Value,
        /// A JSON Web Key Set at a URL.
        #[schemars(extend(
            "x-default" = "none",
            "examples" = [{"uri": "https://login.example.com/jwks", "cluster": "login"}]
        ))]
        optional remote: RemoteJwks,
        /// A JSON Web Key Set at the URL that the issuer's metadata names.
        #[schemars(extend(
            "x-default" = "none",
            "examples" = [{"uri": "https://login.example.com/.well-known/openid-configuration", "cluster": "login"}]
        ))]
        optional discovery: Discovery,
    }
}

object! {
    /// A JSON Web Key Set at a URL.
    pub struct RemoteJwks {
        /// The absolute URL.
        #[schemars(extend("examples" = ["https://login.example.com/jwks"]))]
        required uri: String,
        /// The host's cluster for requests to it.
        #[schemars(extend("examples" = ["login"]))]
        required cluster: String,
        /// How long the filter waits for a response.
        #[schemars(extend("default" = "2s", "x-range" = ["1ms", "60s"], "examples" = ["5s"]))]
        optional timeout: Span,
        /// The age at which the filter fetches keys again.
        #[schemars(extend("default" = "10m", "x-range" = ["1ms", null], "examples" = ["1h"]))]
        optional refresh: Span,
    }
}

object! {
    /// Metadata of the issuer at a URL (OpenID Connect Discovery 1.0, RFC 8414).
    pub struct Discovery {
        /// The absolute URL of the metadata.
        #[schemars(extend("examples" = ["https://login.example.com/.well-known/openid-configuration"]))]
        required uri: String,
        /// The host's cluster for requests to it.
        #[schemars(extend("examples" = ["login"]))]
        required cluster: String,
        /// The cluster for the keys, if their URL has another origin.
        #[schemars(extend("x-default" = "the same as `cluster`", "examples" = ["login-keys"]))]
        optional jwks_cluster: String,
        /// How long the filter waits for each response.
        #[schemars(extend("default" = "2s", "x-range" = ["1ms", "60s"], "examples" = ["5s"]))]
        optional timeout: Span,
        /// The age at which the filter fetches keys again.
        #[schemars(extend("default" = "10m", "x-range" = ["1ms", null], "examples" = ["1h"]))]
        optional refresh: Span,
    }
}

object! {
    /// Tokens and subjects that are no longer accepted.
    pub struct Revoked {
        /// Tokens, by their `jti`.
        #[schemars(extend("x-default" = "none", "examples" = [["7d1e"]]))]
        narrowing jti: Vec<String>,
        /// Subjects. None of their tokens is accepted.
        #[schemars(extend("x-default" = "none", "examples" = [["mallory"]]))]
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
