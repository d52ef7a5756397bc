//! `RequestAuthentication` → providers. Tokens are optional, and must be valid.

use serde_json::{Map, Value, json};

use super::workload::Policy;
use crate::migrate::envoy::jwt::Authentication;
use crate::migrate::envoy::jwt::provider::{self, Source};
use crate::migrate::envoy::jwt::requirement::Requirement;
use crate::migrate::gate::Notes;
use crate::node::Node;

/// The key of the metadata that has the claims.
pub const PAYLOAD: &str = "payload";

/// The verification of tokens, if a policy verifies them.
pub fn authentication(policies: &[&Policy<'_>], notes: &mut Notes) -> Option<Authentication> {
    let mut sources: Vec<Source> = Vec::new();
    let own = policies
        .iter()
        .filter(|own| own.kind == "RequestAuthentication");
    for policy in own {
        let rules = policy
            .spec
            .as_ref()
            .and_then(|spec| spec.member("jwtRules"));
        for rule in rules.iter().flat_map(Node::items) {
            let name = unique(name_of(rule.text("issuer").unwrap_or_default()), &sources);
            sources.push(source(&name, &rule, policy, notes));
        }
    }
    if sources.is_empty() {
        return None;
    }
    notes.skips_preflights("RequestAuthentication", "");
    // istiod sorts the rules by issuer. The first provider that accepts a token ends the verification.
    sources.sort_by(|one, two| one.issuer.cmp(&two.issuer));
    let provider = |source: &Source| Requirement::Provider {
        name: source.name.clone(),
        audiences: None,
    };
    let optional = sources.iter().map(|source| {
        Requirement::Any(vec![
            provider(source),
            Requirement::AllowMissing(vec![source.name.clone()]),
        ])
    });
    let optional = Requirement::All(optional.collect());
    let each = sources.iter().map(provider).chain([optional]);
    let requirement = Requirement::Any(each.collect());
    Some(Authentication::of_all(sources, requirement, notes))
}

/// Reads a rule as the provider of `jwt_authn` that istiod makes of it.
fn source(name: &str, rule: &Node<'_>, policy: &Policy<'_>, notes: &mut Notes) -> Source {
    let mut provider = Map::new();
    let mut copy = |from: &str, to: &str| {
        if let Some(member) = rule.member(from) {
            provider.insert(to.to_owned(), member.value.clone());
        }
    };
    copy("issuer", "issuer");
    copy("audiences", "audiences");
    copy("fromParams", "from_params");
    copy("fromCookies", "from_cookies");
    copy("forwardOriginalToken", "forward");
    copy("outputPayloadToHeader", "forward_payload_header");
    let headers = rule.member("fromHeaders");
    let headers = headers.iter().flat_map(Node::items).map(|header| {
        let text = |key| header.text(key).unwrap_or_default();
        json!({"name": text("name"), "value_prefix": text("prefix")})
    });
    provider.insert("from_headers".to_owned(), headers.collect());
    let claims = rule.member("outputClaimToHeaders");
    let claims = claims.iter().flat_map(Node::items).map(|item| {
        let text = |key| item.text(key).unwrap_or_default();
        json!({"header_name": text("header"), "claim_name": text("claim")})
    });
    provider.insert("claim_to_headers".to_owned(), claims.collect());
    let words = rule.member("spaceDelimitedClaims");
    let words = words
        .iter()
        .flat_map(Node::items)
        .map(|item| item.value.clone());
    let words = words.chain([json!("permission"), json!("scope")]);
    provider.insert(
        "normalize_payload_in_metadata".to_owned(),
        json!({"space_delimited_claims": words.collect::<Vec<_>>()}),
    );
    let place = policy.place(rule);
    if let Some(keys) = rule.text("jwks") {
        provider.insert("local_jwks".to_owned(), json!({"inline_string": keys}));
    } else if let Some(uri) = rule.text("jwksUri") {
        provider.insert("remote_jwks".to_owned(), remote(uri, rule));
        notes.differs(
            "jwksUri",
            &place,
            "the proxy fetches the keys, not istiod: a `ServiceEntry` must name the host of `jwksUri`, and a \
             `DestinationRule` its TLS settings",
        );
    }
    if !provider.contains_key("local_jwks") && !provider.contains_key("remote_jwks") {
        let issuer = rule
            .text("issuer")
            .unwrap_or_default()
            .trim_end_matches('/');
        if issuer.starts_with("https://") || issuer.starts_with("http://") {
            let uri = format!("{issuer}/.well-known/openid-configuration");
            let discovery = json!({"uri": uri, "cluster": cluster(issuer)});
            provider.insert("discovery".to_owned(), discovery);
            notes.differs(
                "issuer",
                &place,
                "the proxy fetches the metadata and the keys of the issuer, not istiod: a `ServiceEntry` must name its host",
            );
        }
    }
    provider::of_policy(name, provider, PAYLOAD, &place, notes)
}

fn remote(uri: &str, rule: &Node<'_>) -> Value {
    let timeout = rule.text("timeout").unwrap_or("5s");
    json!({
        "http_uri": {"uri": uri, "cluster": cluster(uri), "timeout": timeout},
        "cache_duration": "300s",
    })
}

/// The name that Istio gives to the cluster of a URL.
fn cluster(uri: &str) -> String {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("https", uri));
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let default = if scheme == "http" { "80" } else { "443" };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (authority, default),
    };
    format!("outbound|{port}||{host}")
}

/// A name for the provider of an issuer: its host, or the whole issuer.
fn name_of(issuer: &str) -> String {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let host = rest.split(['/', ':']).next().unwrap_or(rest);
    let name: String = host
        .chars()
        .map(
            |character| match character.is_ascii_alphanumeric() || ".-_".contains(character) {
                true => character,
                false => '-',
            },
        )
        .collect();
    match name.is_empty() {
        true => "tokens".to_owned(),
        false => name,
    }
}

fn unique(name: String, sources: &[Source]) -> String {
    let is_used = |name: &str| sources.iter().any(|own| own.name == name);
    let mut unique = name.clone();
    let mut number = 2;
    while is_used(&unique) {
        unique = format!("{name}-{number}");
        number += 1;
    }
    unique
}
