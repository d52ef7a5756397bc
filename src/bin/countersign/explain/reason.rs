//! The finding of a denial that no step explains: it follows from the request and the configuration.

use countersign::authenticate::Method;
use countersign::authorize::{Access, Gate};
use countersign::plan::{Policy, Rule};
use countersign::reject::{
    CredentialFault, Invalid, LoginFault, MalformedCredential, ProofFault, Reject,
};
use countersign::request::{Field, RequestView};
use serde_json::{Value, json};

use super::credential::{replayed, stale, unavailable};
use super::finding::{Finding, names, one_of, plain};
use super::rules;
use super::token::fact;
use super::upstream::REDACTED;

/// Why a request is denied, if the steps do not say it.
pub fn finding(
    reject: Reject,
    policy: &Policy,
    rule: Option<&str>,
    provider: Option<&str>,
    request: &RequestView<'_>,
) -> Option<Finding> {
    let rule = policy
        .rules
        .iter()
        .find(|own| Some(own.name.as_str()) == rule);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(match reject {
        Reject::Trace => fact("method", "the method TRACE is always denied"),
        Reject::MethodCase => {
            let found = text(request.method());
            let message = format!(
                "requires the method in upper case: found `{}`",
                plain(&found)
            );
            Finding::new("method", found.to_uppercase(), found, message)
        }
        Reject::Authority => {
            let found = without_login(&text(request.authority()));
            let message = format!("requires one host: found `{}`", plain(&found));
            Finding::new("host", Value::Null, found, message)
        }
        Reject::Path(fault) => fact(
            "path",
            format!("upstreams could read the path differently: {fault}"),
        ),
        Reject::RouteAtRisk => {
            let claims = request
                .names()
                .filter(|name| policy.stripped.claims.have(name));
            let claims: Vec<String> = claims.map(text).collect();
            let what = match claims.is_empty() {
                true => "a credential or a parameter".to_owned(),
                false => format!("the header {}", names(claims.iter().map(String::as_str))),
            };
            let message = format!(
                "{what} would be removed, and rules look at routes: Envoy could then select another route"
            );
            Finding::new("header", Value::Null, json!(claims), message)
        }
        Reject::RepeatedField => repeated(policy, request),
        Reject::PlainHttp => fact("https", "requires HTTPS: the request came over plain HTTP"),
        Reject::Address => return Some(address(policy, rule, request)),
        Reject::ForeignOrigin => {
            let origin = request.values(b"origin").next().map(text);
            let shown = origin.as_deref().unwrap_or_default();
            let message = format!("requires an origin of `cors`: found `{}`", plain(shown));
            Finding::new("origin", Value::Null, json!(origin), message)
        }
        Reject::Malformed(MalformedCredential { fault, .. }) => fact(
            "credential",
            match fault {
                CredentialFault::Several => {
                    "requires one credential for each provider: the request has several"
                }
                CredentialFault::Empty => "the credential is empty",
                CredentialFault::Syntax => {
                    "the credential has characters that no credential of its scheme has, or a parameter is missing, repeated or malformed"
                }
                CredentialFault::Unsupported => {
                    "the credential uses `qop=auth-int` or a hashed user name, which the filter does not support"
                }
                CredentialFault::Target => "the credential is for another request target (`uri`)",
            },
        ),
        Reject::NoCredential => without_credential(gate(policy, rule), policy, request),
        Reject::Unavailable(what) => unavailable(what),
        Reject::ProviderNotAccepted => {
            let accepted = providers(gate(policy, rule), policy);
            let listed = one_of(accepted.len(), &names(accepted.iter().copied()));
            let found = provider.unwrap_or_default();
            let message = format!(
                "requires a credential of provider {listed}: this one is of `{}`",
                plain(found)
            );
            Finding::new("provider", json!(accepted), found, message)
        }
        Reject::NoRule => fact(
            "rule",
            "no rule matches, and the default denies every caller",
        ),
        Reject::TooManyFailures { retry_after } => fact(
            "throttle",
            format!("too many failures (`throttle`): blocked for {retry_after} s"),
        ),
        Reject::NoSuchMetadata => fact("metadata", "the metadata of another resource is requested"),
        Reject::MetadataMethod => {
            let found = text(request.method());
            let message = format!(
                "requires `GET` or `HEAD` for metadata: found `{}`",
                plain(&found)
            );
            Finding::new("method", json!(["GET", "HEAD"]), found, message)
        }
        Reject::Fixed => fact("rule", "the rule has a fixed response (`respond`)"),
        // A step explains the others.
        Reject::Proof(ProofFault::Replayed) => replayed(),
        Reject::Invalid(Invalid::Login(LoginFault::Stale)) => stale(),
        Reject::NoDocument
        | Reject::Invalid(_)
        | Reject::Proof(_)
        | Reject::MissingCredential { .. }
        | Reject::Authentication(_)
        | Reject::Scope
        | Reject::Requirement(_) => return None,
    })
}

/// A host without the user name and the password that RFC 3986 §3.2.1 allows before it.
fn without_login(authority: &str) -> String {
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{REDACTED}@{host}"),
        None => authority.to_owned(),
    }
}

fn gate<'p>(policy: &'p Policy, rule: Option<&'p Rule>) -> Option<&'p Gate> {
    let access = rule.map_or(&policy.default, |rule| &rule.access);
    match access {
        Access::Public | Access::Respond(_) => Some(&policy.strangers),
        Access::Optional(gate) | Access::Required(gate) | Access::Closed(gate) => Some(gate),
    }
}

fn providers<'p>(gate: Option<&'p Gate>, policy: &'p Policy) -> Vec<&'p str> {
    let ids = gate.map_or(&[][..], |gate| &gate.providers);
    let providers = ids.iter().filter_map(|id| policy.providers.get(id.0));
    providers.map(|own| own.name.as_str()).collect()
}

fn address(policy: &Policy, rule: Option<&Rule>, request: &RequestView<'_>) -> Finding {
    let client = request.client();
    let everywhere = policy.networks.as_ref();
    let own = policy.terms(rule).networks;
    let matched = rule.and_then(|rule| rule.matches.networks.as_ref());
    let all = [everywhere, own, matched.filter(|_| client.is_none())];
    let denies = all.into_iter().flatten().find(|own| !own.admit(client));
    match denies {
        Some(networks) => rules::network(networks, client),
        None => fact("network", "the client address is not allowed"),
    }
}

fn repeated(policy: &Policy, request: &RequestView<'_>) -> Finding {
    let headers = policy.rules.iter().flat_map(|rule| &rule.matches.headers);
    let by_rules = headers.map(|(name, _)| name.as_str());
    let locations = policy.locations.iter();
    let names = by_rules.chain(locations.filter_map(|own| own.carrier.own_field()));
    let names: Vec<&str> = names.collect();
    let is_repeated = |name: &&&str| matches!(request.field(name.as_bytes()), Field::Many);
    match names.iter().find(is_repeated) {
        Some(name) => fact(
            "header",
            format!("the header `{name}` occurs several times"),
        )
        .about(*name),
        None => fact(
            "header",
            "a header that a rule looks at is a list, or can be decoded: servers read it differently",
        ),
    }
}

/// What a request without a credential must have, and why the certificate of the client is not one.
fn without_credential(gate: Option<&Gate>, policy: &Policy, request: &RequestView<'_>) -> Finding {
    let accepted = providers(gate, policy);
    let listed = one_of(accepted.len(), &names(accepted.iter().copied()));
    let mut message = format!("requires a credential of provider {listed}: the request has none");
    let ids = gate.map_or(&[][..], |gate| &gate.providers);
    let subjects = ids
        .iter()
        .filter_map(|id| match &policy.providers.get(id.0)?.method {
            Method::Mtls(own) => Some(own.subjects.iter().map(ToString::to_string)),
            _ => None,
        });
    let subjects: Vec<String> = subjects.flatten().collect();
    let peer = request.peer();
    let name = peer.and_then(|peer| peer.uri().or_else(|| peer.dns()));
    if subjects.is_empty() {
        return Finding::new("credential", json!(accepted), Value::Null, message);
    }
    let patterns = one_of(subjects.len(), &names(subjects.iter().map(String::as_str)));
    let found = match &name {
        Some(name) => format!("the client certificate has `{}`", plain(name)),
        None => "the client has no certificate with a URI or a DNS name".to_owned(),
    };
    message += &format!("; requires a certificate name {patterns}: {found}");
    Finding::new("certificate", json!(subjects), json!(name), message)
}
