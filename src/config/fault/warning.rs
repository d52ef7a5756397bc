//! What the user should know about a configuration that is accepted: every warning, with its message.

use std::fmt;

use super::InvalidJwt;
use crate::authenticate::jose::jwk::{JwkFault, Lenience};
use crate::authenticate::jose::keys::{MOST_BY_HOST, MOST_IN_WASM};
use crate::authenticate::jose::signature::AlgorithmSet;

/// What the user should know about a configuration that is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    #[error("clients that reach this proxy directly can claim that they use HTTPS")]
    ForwardedProto,
    #[error("without `exp`, tokens that never expire are accepted")]
    NoExpiry,
    #[error("`any` accepts tokens that were issued for other services")]
    AnyAudience,
    #[error(
        "numbers from 2^53 on lose their last digits here, so this is not compared as written: use a claim that is a \
         string, or a configuration in a JSON string (`google.protobuf.StringValue`)"
    )]
    InexactNumber,
    /// Only the command knows how Envoy reads a file.
    #[error(
        "Envoy reads this number in YAML as a string, since it is no integer of 32 bits, so it never equals a number: use a \
         configuration in a JSON string (`google.protobuf.StringValue`)"
    )]
    NumberInYaml,
    #[error("no rule and no default accepts a credential, so this applies to no request")]
    UnusedRequire,
    #[error(
        "`{{{claim}}}` can have any value, which accepts every tenant of the issuer: restrict it in `require_claims`, or in \
         `claims` of `require` or of a rule"
    )]
    OpenIssuer { claim: String },
    #[error("this key is not used: {0}")]
    UnusedKey(JwkFault),
    #[error("{0}")]
    InlineKey(InvalidJwt),
    #[error("{0}: the key is used, but other gates may refuse it")]
    LenientKey(Lenience),
    #[error(
        "no token of this provider can be verified: every key has the `issuer` of other tokens"
    )]
    KeysOfOtherIssuers,
    #[error("MD5 is broken: use `SHA-256`, unless a client supports only MD5")]
    Md5,
    #[error("this user cannot authenticate with {0}: add its hash")]
    MissingHash(&'static str),
    #[error(
        "`digest` and `basic` together are as weak as `basic`: a client on the network path can remove the stronger challenge"
    )]
    DigestAndBasic,
    #[error("an inline secret is visible in Envoy's `/config_dump`")]
    InlineSecret,
    #[error("a secret in place is visible in Envoy's `/config_dump`: use `{{env: NAME}}`")]
    SecretInPlace,
    #[error("this secret is not random: it has few different bytes")]
    WeakSecret,
    #[error(
        "too many keys have the same `kid` or none ({0}): for a token, {MOST_BY_HOST} keys are tried if the host verifies \
         the algorithm, otherwise {MOST_IN_WASM}"
    )]
    UntriedKeys(AlgorithmSet),
    #[error(
        "this hash has no salt and is fast to compute, so that the password can be guessed from it: use bcrypt or argon2id"
    )]
    FastHash,
    #[error(
        "a verification of this hash stops the worker for more than 100 ms: use bcrypt with cost 10, or argon2id with less \
         memory"
    )]
    CostlyHash,
    #[error(
        "`cache.verified` is 0, so that each request with a password is hashed, and most receive 503 by `hash_budget`"
    )]
    UncachedPasswords,
    #[error("keys fetched without TLS can be replaced by anyone on the network path")]
    KeysWithoutTls,
    #[error("`offline_access` is not a scope of a resource: challenges omit it")]
    OfflineAccessInChallenge,
    #[error("`offline_access` is not a scope of a resource: the metadata omits it")]
    OfflineAccessInMetadata,
    #[error(
        "`null` is the origin of every sandboxed frame: with `allow_credentials`, any page can read what cookies give \
         access to"
    )]
    NullOrigin,
    #[error("`*` is not a wildcard here: the text is compared as written")]
    LiteralStar,
    #[error("this is not a pattern: the text is compared as written")]
    LiteralPattern,
    #[error("whitespace at an end, or an invisible character: the text is compared as written")]
    LiteralStray,
    #[error("not a standard method; did you mean `{meant}`?")]
    UnknownMethod { meant: &'static str },
    #[error("this is one address: a network has a prefix length, such as `10.0.0.0/8`")]
    OneAddress,
    #[error(
        "for requests with cookies, browsers read `*` as a name (WHATWG Fetch): set `allow_credentials: false`, or write \
         each name"
    )]
    AnyWithCookies,
    #[error("this allows every host below a top-level domain")]
    TopLevelOrigin,
    #[error("`*` does not include `authorization` (WHATWG Fetch): the filter adds it")]
    AnyHeader,
    #[error(
        "a request with a token in the query receives 400: the filter would have to remove the token, but rules match \
         routes"
    )]
    QueryToken,
    #[error(
        "a request with a credential in `{header}` receives 400: the filter would have to remove the header, but rules \
         match routes"
    )]
    RemovedCredential { header: String },
    #[error("{0}")]
    NotHidden(NotHidden),
}

/// Why clients can tell that a rule exists although it hides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotHidden {
    /// What decides where the rule does not match.
    pub elsewhere: Elsewhere,
    /// What requests receive there that they do not receive here.
    pub difference: Difference,
}

/// What decides about the requests of a rule that hides, where the rule does not match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elsewhere {
    /// A later rule, by its name.
    Rule(String),
    /// The default, by its value.
    Default(&'static str),
}

/// What requests receive that shows a rule that hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    Public,
    Optional,
    Response,
    Providers,
    Several,
}

impl fmt::Display for NotHidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fix = match &self.elsewhere {
            Elsewhere::Rule(name) => {
                write!(formatter, "under the rule `{name}` ")?;
                "require a credential there"
            }
            Elsewhere::Default(value) => {
                write!(formatter, "with `default: {value}` ")?;
                "use `default: deny` or `authenticated`"
            }
        };
        let (difference, fix) = match self.difference {
            Difference::Public => (
                "requests pass without a valid credential, and receive 401 here",
                fix,
            ),
            Difference::Optional => (
                "requests pass without a credential, and receive 401 here",
                fix,
            ),
            Difference::Response => (
                "every request receives the response of `respond`, and requests with a valid credential receive \
                 `responses.not_found` here",
                "configure the same response in both",
            ),
            Difference::Providers => (
                "callers of some providers receive 403, and `responses.not_found` here",
                "accept every provider there",
            ),
            Difference::Several => (
                "callers of only some providers of `require_all` receive 401, and `responses.not_found` here",
                "use `providers` there",
            ),
        };
        write!(
            formatter,
            "{difference}, which shows that this rule exists: {fix}"
        )
    }
}
