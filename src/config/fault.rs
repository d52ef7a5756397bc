//! What can be wrong with a configuration: every fault and every warning, each with its message.
//!
//! A message says what is wrong, in the form *expected X, found Y*, and how to fix it. It is rendered only when it is
//! printed. Its location precedes it, so it names no path.
#![allow(
    missing_docs,
    reason = "the message of each variant is its documentation"
)]

mod expected;
mod warning;

use std::fmt;

use ipnet::IpNet;

use self::expected::Hint;
pub use self::expected::{Expected, Found};
pub use self::warning::{Difference, Elsewhere, NotHidden, Warning};
use super::diagnostic::nearest;
use super::literal::has_star;
use crate::authenticate::digest::DigestAlgorithm;
use crate::authenticate::jose::claims::ClaimPath;
use crate::authenticate::jose::jwk::{JwkFault, JwkSetFault, RefusedJwk};
use crate::authenticate::listed::EntryFault;
use crate::authenticate::mtls::subject::InvalidSubject;
use crate::authorize::condition::{self, FaultKind, Position};
use crate::plan::Limits;
use crate::request::path::PatternFault;
use crate::scheme::Scheme;

/// What is wrong with a value, or with a key, of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("neither JSON nor a `google.protobuf.Struct`: {0}")]
    Syntax(String),
    #[error(
        "expected JSON, found other text: a `google.protobuf.StringValue` holds JSON, and YAML needs a `google.protobuf.Struct`"
    )]
    NotJson,
    #[error("expected an object, found a text: in YAML, remove the `|` or `>` before it")]
    TextBlock,
    #[error(
        "this is a configuration of Envoy's `jwt_authn`: here `providers` is a list of `{{name, jwt}}`, `remote_jwks` is \
         `jwks: {{remote: {{uri, cluster}}}}`, `match: {{prefix: /a}}` is `match: {{paths: [/a/**]}}`, and `requires` is \
         `providers: [name]`"
    )]
    JwtAuthn,
    #[error("unknown key{}", Suggestion(.nearest))]
    UnknownKey { nearest: Option<String> },
    /// A key of another object; empty for the top level.
    #[error("unknown key: it belongs {}", Home(.0))]
    MisplacedKey(&'static str),
    #[error("quotes such as `“` are part of the text: use `\"`")]
    CurlyQuotes,
    #[error("expected a URL without user name and password: the filter does not send them")]
    UserInformation,
    #[error("missing: expected {0}")]
    Missing(&'static str),
    #[error("expected {expected}, found {found}{}", Hint(*.expected, .found))]
    Unexpected { expected: Expected, found: Found },
    /// A provider has no method, or several.
    #[error(
        "expected exactly one of `jwt`, `introspection`, `api_key`, `basic`, `digest` and `mtls`"
    )]
    Method,
    /// A kind of credentials, by its key and by the feature of Cargo that builds it.
    #[error("this build does not verify `{key}`: build the module with the feature `{feature}`")]
    NotBuilt {
        key: &'static str,
        feature: &'static str,
    },
    #[error("expected at least one {0}")]
    Empty(&'static str),
    #[error("expected {0}, found an empty string")]
    EmptyString(&'static str),
    #[error("expected 1 to {} names in the path of a claim", ClaimPath::NAMES_MAX)]
    ClaimPath,
    #[error("duplicate entry")]
    DuplicateEntry,
    #[error("expected a name of printable ASCII characters, not empty")]
    Name,
    #[error("duplicate name `{name}`: `{first}` has it already")]
    DuplicateName { name: String, first: String },
    #[error("unknown {kind} `{name}`{}", Suggestion(.nearest))]
    UnknownName {
        kind: &'static str,
        name: String,
        nearest: Option<String>,
    },
    /// A `*` that stands for every text, and what to write instead.
    #[error("`*` is not a wildcard here: {0}")]
    Wildcard(&'static str),
    /// The same in the list of this key.
    #[error("`{found}` is not a wildcard here: remove `{key}` to match any")]
    WildcardInList { found: String, key: String },
    #[error("expected a status from {least} to 599{}", FoundNumber(.found))]
    Status { least: u16, found: Option<u32> },
    #[error("expected one or more visible ASCII characters other than `\"` and `\\`")]
    OAuthText,
    #[error("expected an absolute `http` or `https` URL")]
    WebUrl,
    #[error("expected a duration from `1ms` to `900ms`")]
    HashBudget,
    /// A placeholder of an identity header.
    #[error("unknown placeholder `{name}`{}", PlaceholderHint(.name, .nearest))]
    Placeholder {
        name: String,
        nearest: Option<String>,
    },
    #[error(transparent)]
    Header(#[from] InvalidHeader),
    #[error(transparent)]
    Jwt(#[from] InvalidJwt),
    #[error(transparent)]
    Endpoint(#[from] InvalidEndpoint),
    #[error(transparent)]
    Secret(#[from] InvalidSecret),
    #[error(transparent)]
    Entry(#[from] EntryFault),
    #[error(transparent)]
    Remote(#[from] InvalidRemote),
    #[error(transparent)]
    Location(#[from] InvalidLocation),
    #[error(transparent)]
    Sender(#[from] InvalidSender),
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
    #[error(transparent)]
    Subject(#[from] InvalidSubject),
    #[error(transparent)]
    Rule(#[from] InvalidRule),
    #[error(transparent)]
    Match(#[from] InvalidMatch),
    #[error(transparent)]
    Requirement(#[from] InvalidRequirement),
    #[error(transparent)]
    Networks(#[from] InvalidNetworks),
    #[error(transparent)]
    Identity(#[from] InvalidIdentity),
    #[error(transparent)]
    Response(#[from] InvalidResponse),
    #[error(transparent)]
    Cors(#[from] InvalidCors),
    #[error(transparent)]
    Metadata(#[from] InvalidMetadata),
    #[error(transparent)]
    Throttle(#[from] InvalidThrottle),
}

/// What is wrong with the name or the value of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeader {
    #[error("not a valid header name")]
    Name,
    #[error(
        "a key is not a valid header name: in YAML, write a space after the colon of `name: value`"
    )]
    NameInObject,
    #[error("expected a header name, or a prefix of one followed by `*`")]
    NameOrPrefix,
    #[error("expected the name of a header in lower case, or of a query parameter")]
    Override,
    #[error("duplicate header: header names are case-insensitive")]
    Duplicate,
    #[error(
        "not a valid header value: it has leading or trailing whitespace, or a control character"
    )]
    Value,
    #[error(
        "not a valid header value: it has leading or trailing whitespace, or a character that is not printable ASCII"
    )]
    ValueToSend,
    #[error("expected printable ASCII characters only: a header cannot carry others")]
    Text,
    #[error("the host sets this header")]
    OfTheHost,
    #[error("the filter or the host sets this header")]
    SetAlready,
    #[error("use `hosts` to match the host")]
    Host,
    #[error("not a header: use `paths` and `methods` to match the path and the method")]
    Pseudo,
    #[error("`*` is not a wildcard here: write each value")]
    Wildcard,
    #[error("{}{}", if *.in_cel { "in `cel`: " } else { "" }, .why)]
    NeverMatches { in_cel: bool, why: NeverMatches },
}

/// Why a rule can never match a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NeverMatches {
    #[error(
        "this header is removed from every request, because it tells the upstream who the caller is: a rule cannot \
         match it"
    )]
    Identity,
    #[error(
        "this header names another method, path or host and is stripped from every request: no rule can look at it \
         unless `overrides` forwards it"
    )]
    Override,
}

/// What is wrong with a provider of JSON Web Tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJwt {
    #[error("expected at most one `{{claim}}` in the issuer")]
    IssuerTemplate,
    #[error("`{{claim}}` must not be in the host of the issuer: a token could choose the host")]
    IssuerHost,
    #[error(
        "whitespace or an invisible character: values are compared exactly, so no token has this one"
    )]
    StrayCharacter,
    #[error("expected at least one audience, and no empty one")]
    Audiences,
    #[error("`any` must be the only entry: it disables the check")]
    AnyAudience,
    #[error("expected exactly one of `inline`, `remote` and `discovery`")]
    KeySource,
    #[error("a shared secret is never fetched: use `inline`")]
    FetchedSecret,
    #[error("expected a `refresh` of at least `1ms`")]
    Refresh,
    #[error(transparent)]
    KeySet(#[from] JwkSetFault),
    #[error("{0}")]
    KeyIssuer(JwkFault),
    #[error(
        "this is a private key: everyone who can read it can sign tokens, so replace it, and keep only public members \
         such as `kty`, `n`, `e`, `crv`, `x` and `y`"
    )]
    PrivateKey,
    #[error(
        "a shared secret (`oct`) is used only with algorithms that are listed: add `algorithms: [HS256]`"
    )]
    UnlistedSecret,
    #[error(
        "no key can verify a token with the accepted algorithms{}",
        RefusedKeys(.0)
    )]
    NoKey(Vec<RefusedJwk>),
}

/// What is wrong with a server to which the filter sends requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    #[error("expected an absolute `https` or `http` URL")]
    Url,
    #[error(
        "expected an `https` URL: without TLS, anyone on the network path can read and replace what is sent; `http` is \
         accepted for a loopback address"
    )]
    WithoutTls,
    #[error("expected a `timeout` from `1ms` to `60s`")]
    Timeout,
    #[error("expected a duration from `0s` to `1h`")]
    Cache,
    #[error("expected one or more visible ASCII characters")]
    ClientId,
}

/// What is wrong with a secret. No message contains it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    #[error(
        "expected a string or `{{env: NAME}}`; in YAML, quote a secret that looks like a number"
    )]
    Form,
    #[error(
        "expected the name of an environment variable in upper case, such as `{{env: GATE_SECRET}}`"
    )]
    Variable,
    #[error(
        "environment variable `{name}` is not set: declare it in `vm_config.environment_variables`"
    )]
    Unset { name: String },
    #[error(
        "expected printable ASCII characters without whitespace at an end: a header cannot carry others"
    )]
    Characters,
}

/// What is wrong with a list that is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRemote {
    #[error("expected a `refresh` from `1s` to `24h`")]
    Refresh,
    #[error("expected a `max_stale` of at least `refresh`")]
    MaxStale,
}

/// What is wrong with the location of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLocation {
    #[error("expected exactly one of `header`, `cookie` and `query`")]
    OneOf,
    #[error("not a valid name of a header, a cookie or a query parameter")]
    Name,
    #[error("expected a scheme such as `Bearer`")]
    Scheme,
    #[error("expected at most {} different schemes", Scheme::MOST)]
    ManySchemes,
    #[error("only a header can have a `scheme`")]
    StrayScheme,
    #[error("duplicate token location")]
    Duplicate,
    #[error("another provider reads credentials of another kind here")]
    OtherKind,
    #[error("this scheme has credentials of another kind")]
    OtherScheme,
}

/// What is wrong with who may send tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSender {
    #[error(
        "DPoP needs `origin` at the top level: a proof names the URL of the request, and the filter never takes it from Host"
    )]
    NoOrigin,
    #[error("DPoP is not for proxies: remove it, or `protect_as: proxy` (RFC 9449 §7.1)")]
    Proxy,
    #[error("expected a `window` from `1s` to `10m`")]
    Window,
    #[error(
        "expected an algorithm of public keys: ES256, ES384, ES512, EdDSA, Ed25519, PS256, PS384, PS512, RS256, RS384 or RS512"
    )]
    Algorithm,
    #[error(
        "with `sender: dpop`, tokens are only after `DPoP` in `authorization`: remove `from`, or use `sender: bound`"
    )]
    From,
    #[error("expected at most {} different schemes", Scheme::MOST)]
    ManySchemes,
}

/// What is wrong with a provider of Digest credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDigest {
    #[error("unknown algorithm `{0}`: expected `SHA-256` or `MD5`")]
    Algorithm(String),
    #[error("`{0}` is not supported: clients that support it also support `SHA-256`")]
    UnsupportedAlgorithm(String),
    #[error("expected a `nonce_ttl` from `1s` to `1h`")]
    NonceTtl,
    #[error("expected at least 16 bytes: a nonce could be forged")]
    ShortSecret,
    #[error("expected a user name, without invisible characters and without whitespace at an end")]
    UserName,
    #[error("expected the {} hexadecimal digits that `countersign hash digest` prints", .0.digits())]
    Ha1(DigestAlgorithm),
    #[error("expected a hash for one of the provider's `algorithms`")]
    NoHash,
}

/// The fault of a name that is not an algorithm of Digest that the filter supports.
pub fn unknown_algorithm(name: &str) -> InvalidDigest {
    let known = ["-sess", "SHA-512-256"];
    let is_registered = known.iter().any(|known| {
        let end = name.len().checked_sub(known.len());
        let end = end.and_then(|start| name.get(start..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(known))
    });
    match is_registered {
        true => InvalidDigest::UnsupportedAlgorithm(name.to_owned()),
        false => InvalidDigest::Algorithm(name.to_owned()),
    }
}

/// What is wrong with a rule, or with the default.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRule {
    #[error("`require` cannot be combined with `allow`")]
    RequireWithAllow,
    #[error("`providers` cannot be combined with `allow: public`: the filter reads no credential")]
    ProvidersWithPublic,
    #[error(
        "`other_credentials` requires `providers` or `require_all`: the others are those that it does not list"
    )]
    OthersOfNone,
    #[error(
        "`require_all` cannot be combined with `{0}`: each of its providers must verify a credential"
    )]
    RequireAllWith(&'static str),
    #[error("expected at least two providers: use `providers` for one")]
    FewerThanTwo,
    #[error(
        "no request can have a credential of `{one}` and one of `{two}`: configure another `from` for one of them"
    )]
    NeverTogether { one: String, two: String },
    #[error("`on_forbidden` cannot be combined with `allow: public`: no request receives 403")]
    HiddenPublic,
    #[error(
        "`on_forbidden` cannot be combined with `allow: optional`: requests without a credential pass, which shows \
         that the rule exists"
    )]
    HiddenOptional,
    #[error("`{0}` cannot be combined with `respond`: every request receives the response")]
    WithRespond(&'static str),
    #[error("a credential is required, but no provider is configured")]
    NoProvider,
    #[error(
        "the providers `{one}` and `{two}` accept the same tokens: for several key sets of one issuer, give one provider a \
         list of `jwks`"
    )]
    SameTokens { one: String, two: String },
    #[error(
        "the providers `{one}` and `{two}` accept the same credentials: put their entries into one provider, or give each its \
         own `from`"
    )]
    SameCredentials { one: String, two: String },
    #[error("no request can reach this rule: `{earlier}` matches every request that it matches")]
    Unreachable { earlier: String },
    #[error(
        "this removes credentials from requests, and Envoy then selects the route again: it cannot be combined with \
         `match.route` or `match.policy`"
    )]
    ChangesRoute,
}

/// What is wrong with the requests that a rule matches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMatch {
    #[error("an empty list matches no request: remove the key to match all")]
    EmptyList,
    #[error(transparent)]
    Path(#[from] PatternFault),
    #[error(
        "expected a method in upper case, such as `GET`: methods are case-sensitive{}",
        Suggestion(.meant)
    )]
    Method { meant: Option<String> },
    #[error("`TRACE` is always denied")]
    Trace,
    #[error(
        "expected a host name without scheme, port and path, such as `api.example.com` or `*.example.com`"
    )]
    Host,
    #[error("`*` is only allowed as the first label, such as in `*.example.com`")]
    HostWildcard,
    #[error("expected a name without control characters, not empty")]
    Route,
}

/// What is wrong with the requirements of a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequirement {
    #[error(
        "expected at least one requirement: without `require`, any valid credential is accepted"
    )]
    Nothing,
    #[error("a scope always implies itself")]
    ImpliesItself,
    #[error("`null` never matches")]
    Null,
    #[error("expected a value, found an object without values: in YAML, quote text that has `{{`")]
    Unquoted,
    #[error("a path parameter cannot be an item of a list")]
    ParameterInList,
    #[error("`{{{name}}}` must be the whole value: within a longer text it is compared as written")]
    ParameterInText { name: String },
    #[error("a path parameter has a value only in a rule, which has paths")]
    NoPath,
    #[error("no class is also in `acr` of the top-level `require`, so no caller can have both")]
    NoCommonClass,
    #[error("not every path of this rule binds `{{{name}}}`")]
    UnboundParameter { name: String },
    #[error("{}", Conditions(.0))]
    Condition(Vec<condition::Fault>),
    #[error("{position}: unknown path parameter `{name}`{}", Suggestion(.nearest))]
    UnknownParameter {
        position: Position,
        name: String,
        nearest: Option<String>,
    },
    #[error("{position}: unknown provider `{name}`{}", Suggestion(.nearest))]
    UnknownProvider {
        position: Position,
        name: String,
        nearest: Option<String>,
    },
    #[error(
        "an expression compares paths case-sensitively, but `paths_case` is `insensitive`: use `match.paths` instead"
    )]
    PathsCase,
}

/// What is wrong with networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetworks {
    #[error("expected `allow`, `deny` or both")]
    Neither,
    #[error("expected a network such as `10.0.0.0/8` or `2001:db8::/32`")]
    Network,
    #[error("every address is `0.0.0.0/0` and `::/0`")]
    Any,
    #[error("the address has bits after the prefix; did you mean `{meant}`?")]
    BitsAfterPrefix { meant: IpNet },
    #[error(
        "the prefix length counts from the first bit of the IPv6 address; did you mean `{meant}`?"
    )]
    MappedPrefix { meant: IpNet },
    #[error("every allowed network is also denied")]
    AllDenied,
    #[error("no address is allowed by both these networks and {with}")]
    AllDeniedTogether { with: &'static str },
}

/// What is wrong with what the upstream learns about callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentity {
    #[error("expected the name of a placeholder between one `{{` and one `}}`")]
    Brace,
    #[error("this header has another meaning: it cannot carry an identity")]
    OtherMeaning,
    #[error("some upstreams cannot tell this header from another identity header")]
    Indistinguishable,
    #[error("a provider reads credentials from this header")]
    ReadByProvider,
    #[error("this removes `{header}`, which has another meaning")]
    RemovesOther { header: &'static str },
}

/// What is wrong with responses, and with the origin that some of them need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidResponse {
    #[error("expected printable ASCII characters only: a challenge cannot carry others")]
    Realm,
    #[error("expected an origin such as `https://orders.example.com`, without a path")]
    Origin,
    #[error("`https: redirect` requires an `https` origin")]
    RedirectToHttp,
    #[error("`redirect` requires `origin`: the filter never takes it from the `Host` header")]
    RedirectWithoutOrigin,
    #[error("a response with status {0} has no body")]
    Body(u16),
    #[error("a response with status {status} must have the header `{header}` (RFC 9110 §15.5)")]
    NoChallenge { status: u16, header: &'static str },
    #[error("expected a URL without `#`: the filter appends `#<error>`")]
    Fragment,
    #[error(
        "expected an absolute `http` or `https` URL, with at most one `{{url}}`, which is in its query"
    )]
    Login,
    #[error("`{{url}}` requires `origin`: the filter never takes it from the `Host` header")]
    LoginWithoutOrigin,
}

/// What is wrong with the rules for other origins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCors {
    #[error("`*` must be the only origin")]
    AnyAndOthers,
    #[error(
        "expected `false`: with the origin `*`, any page could read what cookies give access to"
    )]
    AnyWithCredentials,
    #[error(
        "expected an origin as browsers send it, such as `https://app.example.com`: in lower case, without a path and \
         without the default port"
    )]
    Origin,
    #[error(
        "`*` is only allowed in place of the labels before a domain, such as `https://*.example.com`: in lower case, \
         without a path and without the default port"
    )]
    Wildcard,
    #[error("not a valid HTTP token")]
    Token,
}

/// What is wrong with the metadata of the protected resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMetadata {
    #[error(
        "expected an absolute URL, which the issuer of an authorization server is (RFC 8414 §2)"
    )]
    Issuer,
    #[error(
        "expected an `https` URL without a fragment (RFC 9728 §1.2), with a path that a request can have"
    )]
    Resource,
}

/// What is wrong with the limits on failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidThrottle {
    #[error("expected at least one of `address` and `user`")]
    NoKind,
    #[error(
        "expected a number from 1 to {}, found `{found}`",
        Limits::MOST_FAILURES
    )]
    Failures { found: u32 },
    #[error("expected a duration from `1s` to `30d`")]
    Duration,
}

/// The placeholder that was meant: a near one, or the claim of that name.
struct PlaceholderHint<'a>(&'a str, &'a Option<String>);

impl fmt::Display for PlaceholderHint<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self("sub", _) => formatter.write_str("; did you mean `subject` or `claims.sub`?"),
            Self(_, Some(_)) => Suggestion(self.1).fmt(formatter),
            Self(name, None) => write!(
                formatter,
                ": expected `subject`, `provider`, `scopes`, `roles`, `groups` or a claim, such as `claims.{}`",
                if has_star(name) { "email" } else { name }
            ),
        }
    }
}

/// The object to which a key belongs.
struct Home<'a>(&'a &'static str);

impl fmt::Display for Home<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self.0 {
            "" => formatter.write_str("at the top level: check its indentation"),
            home => write!(formatter, "in `{home}`"),
        }
    }
}

/// The fix where one name is near: ``; did you mean `audiences`?``
struct Suggestion<'a>(&'a Option<String>);

impl fmt::Display for Suggestion<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(formatter, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

struct FoundNumber<'a>(&'a Option<u32>);

impl fmt::Display for FoundNumber<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => write!(formatter, ", found `{number}`"),
            None => Ok(()),
        }
    }
}

/// Why each key of a set is not used: ` (keys[0]: …; keys[1]: …)`.
struct RefusedKeys<'a>(&'a [RefusedJwk]);

impl fmt::Display for RefusedKeys<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, refused) in self.0.iter().enumerate() {
            let before = if number == 0 { " (" } else { "; " };
            write!(
                formatter,
                "{before}keys[{}]: {}",
                refused.index, refused.fault
            )?;
        }
        formatter.write_str(if self.0.is_empty() { "" } else { ")" })
    }
}

/// What is wrong with an expression, and where in it.
struct Conditions<'a>(&'a [condition::Fault]);

impl fmt::Display for Conditions<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.0.iter().enumerate() {
            let before = if number == 0 { "" } else { "; " };
            write!(formatter, "{before}{}: ", fault.position)?;
            match &fault.kind {
                FaultKind::Unknown { what, name, known } => {
                    let nearest = nearest(name, known.iter().copied());
                    write!(formatter, "unknown {what} `{name}`{}", Suggestion(&nearest))?;
                }
                kind => write!(formatter, "{kind}")?,
            }
        }
        Ok(())
    }
}
