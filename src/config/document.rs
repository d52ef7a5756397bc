//! The document as its author typed it. What is valid here may still be refused by [`super::compile`].
//!
//! Every key of the contract is known: one that this version does not serve is refused by name, never ignored.

use std::collections::BTreeMap;

use serde_json::Value;

use super::diagnostic::Faults;
use super::read::{At, Read, Span, choice, object, unexpected, unknown_choice};

object! {
    /// The configuration of the filter.
    pub struct Document {
        /// The realm of every challenge; default `api`. Never built from the request.
        optional realm: String,
        /// The public origin, as `https://orders.example.com`. Never taken from the request.
        optional origin: String,
        /// What a refusal does; default `enforce`.
        optional mode: Mode,
        /// Whom the filter speaks for; default `origin`.
        optional protect_as: ProtectAs,
        /// What is asked where no rule fits; default `deny` where there are rules, else `authenticated`.
        optional default: Fallback,
        /// Where signatures are verified; default `auto`.
        optional crypto: Crypto,
        /// How many tokens are remembered.
        optional cache: Cache,
        /// Scopes that stand for others too, and those again for theirs.
        optional scopes_imply: BTreeMap<String, Vec<String>>,
        /// From which addresses requests may come.
        narrowing networks: Networks,
        /// Who may vouch for a caller; their order is the order of the challenges.
        optional providers: Vec<Provider>,
        /// The rules, in order; the first whose match fits decides.
        optional rules: Vec<Rule>,
        /// Whether the upstream tells paths apart by case; default `sensitive`.
        narrowing paths_case: PathsCase,
        /// What becomes of what names another method, path or host than was judged; default `strip`.
        narrowing overrides: Overrides,
        /// What answers look like.
        optional responses: Responses,
        /// The metadata of the protected resource (RFC 9728).
        optional resource_metadata: ResourceMetadata,
        /// Which other origins may read answers; without it preflights pass, and nothing is added.
        optional cors: Cors,
        /// What the upstream is told of callers.
        optional identity: Identity,
        /// What plain HTTP gets; default `optional`.
        narrowing https: Https,
        /// Whether `x-forwarded-proto` says what is plain HTTP; default `false`: the connection does.
        optional trust_forwarded_proto: bool,
        /// What too many failures lead to: 429, whatever is shown. Default nothing.
        narrowing throttle: Throttle,
        /// What is logged.
        optional audit: Audit,
    }
}

choice! {
    /// What a refusal does.
    pub enum Mode {
        /// A refused request is answered by the filter.
        #[default]
        Enforce = "enforce",
        /// A refused request passes; it is counted and logged.
        Shadow = "shadow",
    }
}

choice! {
    /// Whom the filter speaks for.
    pub enum ProtectAs {
        /// An origin server: 401, `WWW-Authenticate`, `Authorization`.
        #[default]
        Origin = "origin",
        /// A proxy: 407, `Proxy-Authenticate`, `Proxy-Authorization`.
        Proxy = "proxy",
    }
}

choice! {
    /// What is asked where no rule fits.
    pub enum Fallback {
        /// Nobody passes.
        #[default]
        Deny = "deny",
        /// Any valid credential.
        Authenticated = "authenticated",
        /// Nothing, but who shows a credential must show a good one.
        Optional = "optional",
        /// Nothing.
        Public = "public",
    }
}

choice! {
    /// Whether the upstream tells paths apart by case.
    pub enum PathsCase {
        /// It does, as RFC 9110 §4.2.3 has it.
        #[default]
        Sensitive = "sensitive",
        /// It does not, so the paths of rules fit in any case.
        Insensitive = "insensitive",
    }
}

/// What becomes of header fields and query parameters by which some upstreams serve another method, path or host than the
/// one that the filter judged.
#[derive(Debug, Default)]
pub enum Overrides {
    /// They are removed, those of the method where a rule looks at methods, and so on.
    #[default]
    Strip,
    /// They go on to the upstream.
    Forward,
    /// These go on to the upstream, the others are removed.
    ForwardThese(Vec<String>),
}

object! {
    /// Overrides that go on to the upstream.
    pub struct ForwardedOverrides {
        /// Names of header fields in lower case, or of parameters of the query.
        #[cfg_attr(not(target_arch = "wasm32"), schemars(extend("minItems" = 1, "uniqueItems" = true)))]
        required forward: Vec<String>,
    }
}

/// `strip`, `forward`, or an object with the names that are forwarded.
impl Read for Overrides {
    const EXPECTED: &'static str = "`strip`, `forward`, or `{forward: [names]}`";

    fn read(value: &Value, at: &At<'_>, faults: &mut Faults) -> Self {
        match value {
            Value::Object(_) => {
                Self::ForwardThese(ForwardedOverrides::read(value, at, faults).forward)
            }
            Value::String(text) if text == "strip" => Self::Strip,
            Value::String(text) if text == "forward" => Self::Forward,
            Value::String(_) => {
                unknown_choice(value, &["strip", "forward"], at, faults);
                Self::default()
            }
            other => {
                unexpected(other, Self::EXPECTED, at, faults);
                Self::default()
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl schemars::JsonSchema for Overrides {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Overrides".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let these = generator.subschema_for::<ForwardedOverrides>();
        schemars::json_schema!({
            "description": "What becomes of header fields and query parameters by which some upstreams serve another \
                method, path or host than the one that the filter judged.",
            "oneOf": [
                {
                    "description": "They are removed: those of the method where a rule looks at methods, those of the \
                        path where one looks at paths, those of the host where one looks at hosts.",
                    "const": "strip",
                },
                { "description": "They go on to the upstream.", "const": "forward" },
                these,
            ],
        })
    }
}

choice! {
    /// Where signatures of RS256, ES256 and their kin are verified; others always within the filter.
    pub enum Crypto {
        /// By the host, where it does that right, else within the filter.
        #[default]
        Auto = "auto",
        /// By the host, or the document is refused.
        Host = "host",
        /// Within the filter.
        Wasm = "wasm",
    }
}

object! {
    /// How many judged tokens each worker remembers; 0 remembers none.
    pub struct Cache {
        /// Verified ones; default 10000.
        optional verified: u32,
        /// Refused ones; default 1000.
        optional refused: u32,
    }
}

choice! {
    /// What plain HTTP gets.
    pub enum Https {
        /// The same as HTTPS.
        #[default]
        Optional = "optional",
        /// It is refused.
        Require = "require",
        /// It is sent to the origin.
        Redirect = "redirect",
    }
}

object! {
    /// What too many failures lead to: 429, whatever is shown. A wrong signature is a failure; what is missing, expired or
    /// meant for others is none.
    pub struct Throttle {
        /// So many failures, from 1 to 100.
        #[cfg_attr(not(target_arch = "wasm32"), schemars(range(min = 1, max = 100)))]
        required failures: u32,
        /// Within this, from `1s` to `30d`.
        required window: Span,
        /// Block for so long, from `1s` to `30d`; what fails meanwhile does not lengthen it.
        required block: Span,
        /// Whose failures are counted together; default `address` alone.
        #[cfg_attr(not(target_arch = "wasm32"), schemars(extend("minItems" = 1, "uniqueItems" = true)))]
        narrowing by: Vec<ThrottleBy>,
        /// Networks whose requests are neither counted nor blocked.
        optional exempt: Vec<String>,
    }
}

choice! {
    /// Whose failures are counted together.
    pub enum ThrottleBy {
        /// Those of one client address, as the host's settings for forwarded addresses have it; of an IPv6 address its
        /// /64. Where the host knows no address, nothing is counted.
        #[default]
        Address = "address",
        /// Those with credentials of one user, as the credential itself says before it is verified. Whoever knows a
        /// user's name can have that user blocked.
        User = "user",
    }
}

object! {
    /// Someone who may vouch for a caller, by one method.
    pub struct Provider {
        /// Its name, for rules and logs.
        required name: String,
        /// It vouches by JSON Web Tokens.
        optional jwt: Jwt,
    }
    unsupported { introspection, api_key, basic, digest, mtls }
}

object! {
    /// A provider of JSON Web Tokens (RFC 7519).
    pub struct Jwt {
        /// Compared exactly with `iss`; may hold one `{claim}`.
        required issuer: String,
        /// One of them must be in `aud`; `any` alone switches the check off.
        required audiences: AudienceList,
        /// The issuer's keys.
        required jwks: Jwks,
        /// The algorithms that are accepted; default: each key's own. HS256 and its kin only where listed.
        narrowing algorithms: Vec<String>,
        /// What kind of token is accepted; default `any`.
        narrowing token_type: TokenType,
        /// Claims that must be there; default `exp`.
        optional require: Vec<String>,
        /// How far the issuer's clock may be off; default `60s`.
        optional clock_skew: Span,
        /// How long a token may be valid; default any time.
        narrowing max_lifetime: Span,
        /// Where tokens stand; default the `authorization` field with the scheme Bearer.
        #[cfg_attr(not(target_arch = "wasm32"), schemars(extend("minItems" = 1)))]
        optional from: Vec<From>,
        /// Where the claims stand that rules look at.
        optional claims: ClaimNames,
        /// What is not accepted any more.
        narrowing revoked: Revoked,
        /// Whether tokens must be bound to their sender; default `none`. A token that is bound is never taken unchecked.
        optional sender: Sender,
    }
    unsupported { dpop }
}

/// The audiences of a provider's tokens.
#[derive(Debug, Default)]
pub enum AudienceList {
    /// `any`.
    #[default]
    Any,
    /// A list of audiences.
    OneOf(Vec<String>),
}

/// Either `any`, alone or as the one item of a list, or a list.
impl Read for AudienceList {
    const EXPECTED: &'static str = "a list of audiences, or `any`";

    fn read(value: &Value, at: &At<'_>, faults: &mut Faults) -> Self {
        match value {
            Value::String(text) if text == "any" => Self::Any,
            Value::Array(items) if items.len() == 1 && items.iter().all(|item| item == "any") => {
                Self::Any
            }
            Value::Array(_) => Self::OneOf(Read::read(value, at, faults)),
            other => {
                unexpected(other, Self::EXPECTED, at, faults);
                Self::default()
            }
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
            "description": "A list of audiences, or `any`, which switches the check off.",
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

object! {
    /// Where an issuer's keys come from.
    pub struct Jwks {
        /// A JSON Web Key Set in place (RFC 7517 §5).
        optional inline: Value,
        /// A JSON Web Key Set at an address.
        optional remote: RemoteJwks,
        /// A JSON Web Key Set at the address that the issuer's metadata names.
        optional discovery: Discovery,
    }
}

object! {
    /// A key set at an address.
    pub struct RemoteJwks {
        /// The address: an absolute URL.
        required uri: String,
        /// The host's cluster that leads there.
        required cluster: String,
        /// How long to wait for an answer; default `2s`.
        optional timeout: Span,
        /// How old keys may grow before they are fetched again; default `10m`.
        optional refresh: Span,
    }
}

object! {
    /// Metadata at an address (OpenID Connect Discovery 1.0, RFC 8414).
    pub struct Discovery {
        /// The address of the metadata: an absolute URL.
        required uri: String,
        /// The host's cluster that leads there.
        required cluster: String,
        /// The cluster for the keys, where their address is of another origin.
        optional jwks_cluster: String,
        /// How long to wait for each answer; default `2s`.
        optional timeout: Span,
        /// How old keys may grow before they are fetched again; default `10m`.
        optional refresh: Span,
    }
}

object! {
    /// A place where a token may stand: a header field, a cookie or a parameter of the query.
    pub struct From {
        /// A header field.
        optional header: String,
        /// The scheme before the token in the field; without one, the token is the whole field.
        optional scheme: String,
        /// A cookie.
        optional cookie: String,
        /// A parameter of the query.
        optional query: String,
    }
}

object! {
    /// Tokens and subjects that are not accepted any more.
    pub struct Revoked {
        /// Tokens, by their `jti`.
        narrowing jti: Vec<String>,
        /// Subjects, all of whose tokens are refused.
        narrowing subjects: Vec<String>,
    }
}

choice! {
    /// What kind of token is accepted.
    pub enum TokenType {
        /// Any that is not of another known kind.
        #[default]
        Any = "any",
        /// An access token of RFC 9068: `at+jwt`, with the claims that it requires.
        AccessToken = "at+jwt",
        /// One that says `JWT`.
        Jwt = "JWT",
    }
}

choice! {
    /// Whether tokens must be bound to their sender.
    pub enum Sender {
        /// They need not be.
        #[default]
        None = "none",
    }
    unsupported { "dpop", "mtls", "bound" }
}

object! {
    /// Where the claims stand that rules look at; a dotted name looks inside.
    pub struct ClaimNames {
        /// The caller; default `sub`.
        optional subject: String,
        /// Scopes; default `scope` and `scp`.
        optional scopes: Vec<String>,
        /// Roles; default `roles` and `realm_access.roles`.
        optional roles: Vec<String>,
        /// Groups; default `groups`.
        optional groups: Vec<String>,
    }
}

object! {
    /// A rule.
    pub struct Rule {
        /// Its name, for logs.
        required name: String,
        /// Which requests it is for; default all.
        narrowing r#match: Match,
        /// Lets pass without asking.
        optional allow: Allow,
        /// The providers that it accepts, any of which suffices; default all.
        narrowing providers: Vec<String>,
        /// What the caller must have; default any valid credential.
        narrowing require: Require,
        /// What whoever may not pass is told; default that they may not.
        narrowing on_forbidden: OnForbidden,
        /// Answers by itself; nobody passes.
        narrowing respond: Respond,
        /// From which addresses requests may come, besides those of the document.
        narrowing networks: Networks,
    }
}

choice! {
    /// Lets pass without asking.
    pub enum Allow {
        /// Nobody is asked.
        #[default]
        Public = "public",
        /// Nobody is asked, but who shows a credential must show a good one.
        Optional = "optional",
    }
}

object! {
    /// Which requests a rule is for: the keys are ANDed, the entries of one ORed, a missing key fits all.
    pub struct Match {
        /// Path patterns: `{name}` for one segment, `/**` at the end for any rest.
        narrowing paths: Vec<String>,
        /// Methods; GET covers HEAD.
        narrowing methods: Vec<String>,
        /// Hosts; `*.` stands for one or more labels.
        narrowing hosts: Vec<String>,
        /// Header fields and their values.
        narrowing headers: BTreeMap<String, String>,
        /// Names of the host's routes, exactly.
        narrowing route: Vec<String>,
        /// What `filter_metadata.countersign.policy` of the host's route says, exactly: a text, or a list that holds it.
        narrowing policy: Vec<String>,
    }
}

object! {
    /// What a caller must have.
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
        /// One of these authentication context classes, the preferred first (RFC 9470).
        narrowing acr: Vec<String>,
        /// How long ago the caller may have been authenticated (RFC 9470).
        narrowing max_age: Span,
        /// Claims and what they must be: a value, one of a list, or `{name}` of the path.
        narrowing claims: BTreeMap<String, Value>,
        /// An expression in CEL that must be true.
        narrowing cel: String,
        /// Further requirements, of which one must hold.
        narrowing any_of: Vec<Require>,
    }
}

object! {
    /// Addresses, as networks: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`.
    pub struct Networks {
        /// These; default all but the denied ones.
        narrowing allow: Vec<String>,
        /// Not these, even where they are allowed.
        narrowing deny: Vec<String>,
    }
}

choice! {
    /// What whoever may not pass is told.
    pub enum OnForbidden {
        /// That there is nothing: exactly `responses.not_found`.
        #[default]
        NotFound = "not_found",
    }
}

object! {
    /// An answer that is sent as it is written.
    pub struct Respond {
        /// The status code, from 200 to 599.
        required status: u32,
        /// Header fields.
        optional headers: BTreeMap<String, String>,
        /// The content: a text, or any other JSON.
        optional body: Value,
    }
}

object! {
    /// The metadata of the protected resource (RFC 9728 §2).
    pub struct ResourceMetadata {
        /// The resource's identifier: an `https` URL without fragment.
        required resource: String,
        /// The issuers of its authorization servers.
        required authorization_servers: Vec<String>,
        /// The scopes that there are.
        optional scopes_supported: Vec<String>,
        /// The resource's name, for people.
        optional resource_name: String,
        /// Where developers read about it.
        optional resource_documentation: String,
        /// What clients must keep to.
        optional resource_policy_uri: String,
        /// Its terms of service.
        optional resource_tos_uri: String,
        /// The same, signed: a JWT, passed on as it is.
        optional signed_metadata: String,
    }
}

object! {
    /// What the upstream is told of callers. Fields that claim to be these are taken out of every request.
    pub struct Identity {
        /// Header fields, and templates of their values: `{subject}`, `{provider}`, `{scopes}`, `{roles}`, `{groups}`,
        /// `{claims.<path>}`.
        optional headers: BTreeMap<String, String>,
        /// The header field that gets the verified claims, in base64url.
        optional payload_header: String,
        /// The header field that says `true` where an optional rule let pass without a credential.
        optional anonymous_header: String,
        /// Further header fields that are taken out of every request; `*` at the end for any rest.
        narrowing remove: Vec<String>,
        /// Whether credentials end here; default `false`.
        optional strip_credential: bool,
    }
}

object! {
    /// Which other origins may read answers (WHATWG Fetch).
    pub struct Cors {
        /// The origins, as browsers write them; `*` alone for any.
        required allow_origins: Vec<String>,
        /// What becomes of preflights; default `pass`.
        optional preflight: Preflight,
        /// The methods that an answered preflight allows; default the one that is asked for.
        optional allow_methods: Vec<String>,
        /// The header fields that it allows; default those that are asked for.
        optional allow_headers: Vec<String>,
        /// Whether requests may carry cookies; default `true`, `false` is needed for any origin.
        optional allow_credentials: bool,
        /// How long a browser may remember it; default `10m`.
        optional max_age: Span,
    }
}

choice! {
    /// What becomes of preflights.
    pub enum Preflight {
        /// They go on to the upstream, without credentials.
        #[default]
        Pass = "pass",
        /// The filter answers them.
        Answer = "answer",
        /// They need a credential like any other request.
        Authenticate = "authenticate",
    }
}

object! {
    /// What answers look like.
    pub struct Responses {
        /// The form of what explains a refusal; default `negotiate`.
        optional body: BodyForm,
        /// Where errors are explained; `#<error>` leads to each.
        optional documentation: String,
        /// Where a caller asks for what they lack.
        optional request_access: String,
        /// Whether a 403 for scope carries a challenge (RFC 6750 §3.1); default `false`.
        optional forbidden_challenge: bool,
        /// Whether the challenges of a 401 name the scopes of the rule; default `false`.
        optional challenge_scope: bool,
        /// Whether a 403 says in `x-permission-required` what is missing; default `true`.
        optional hints: bool,
        /// Whether challenges say in words what is wrong, and contents what is wrong with a token; default `true`.
        optional error_description: bool,
        /// Where browsers are sent to sign in.
        optional login: Login,
        /// HTML pages, by status.
        optional pages: BTreeMap<String, String>,
        /// What hides that something is there.
        optional not_found: Respond,
    }
}

choice! {
    /// The form of what explains a refusal.
    pub enum BodyForm {
        /// As the request's `Accept` has it, JSON where it does not say.
        #[default]
        Negotiate = "negotiate",
        /// JSON.
        Json = "json",
        /// Problem details (RFC 9457).
        Problem = "problem",
        /// A sentence.
        Text = "text",
        /// A page.
        Html = "html",
        /// Nothing.
        None = "none",
    }
}

object! {
    /// Where browsers are sent to sign in.
    pub struct Login {
        /// The address; `{url}` in its query stands for the way back.
        required uri: String,
    }
}

object! {
    /// What is logged.
    pub struct Audit {
        /// Which decisions have a line in the log; default `denied`.
        optional log: AuditLog,
    }
}

choice! {
    /// Which decisions have a line in the log.
    pub enum AuditLog {
        /// Every refusal.
        #[default]
        Denied = "denied",
        /// Every decision.
        All = "all",
        /// None.
        None = "none",
    }
}
