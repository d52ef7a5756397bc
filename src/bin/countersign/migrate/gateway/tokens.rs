//! `jwt` of a `SecurityPolicy` → providers.

use serde_json::{Map, json};

use super::{Policy, resource};
use crate::file::File;
use crate::migrate::envoy::jwt::Authentication;
use crate::migrate::envoy::jwt::provider::{self, Source};
use crate::migrate::envoy::jwt::requirement::Requirement;
use crate::migrate::gate::Notes;
use crate::node::Node;

/// The verification of tokens, if the policy verifies them.
pub fn authentication(
    policy: &Policy<'_>,
    files: &[File],
    notes: &mut Notes,
) -> Option<Authentication> {
    let jwt = policy.spec.member("jwt")?;
    // Without providers, no token is verified, and Envoy Gateway rejects the policy.
    let providers = jwt.member("providers");
    let sources = providers
        .iter()
        .flat_map(Node::items)
        .map(|node| source(&node, policy, files, notes));
    let sources: Vec<Source> = sources.collect();
    let names: Vec<String> = sources.iter().map(|own| own.name.clone()).collect();
    let mut requirements: Vec<Requirement> = names
        .iter()
        .map(|name| Requirement::Provider {
            name: name.clone(),
            audiences: None,
        })
        .collect();
    if jwt.is_true("failOpen") {
        requirements.push(Requirement::AllowMissingOrFailed(names));
    } else if jwt.is_true("optional") {
        requirements.push(Requirement::AllowMissing(names));
    }
    Some(Authentication::of_all(
        sources,
        Requirement::Any(requirements),
        notes,
    ))
}

/// Reads a provider as the one of `jwt_authn` that Envoy Gateway makes of it.
fn source(node: &Node<'_>, policy: &Policy<'_>, files: &[File], notes: &mut Notes) -> Source {
    let name = node.text("name").unwrap_or_default();
    let place = policy.place(node);
    let mut provider = Map::new();
    for key in ["issuer", "audiences"] {
        if let Some(member) = node.member(key) {
            provider.insert(key.to_owned(), member.value.clone());
        }
    }
    provider.insert("forward".to_owned(), json!(true));
    provider.insert(
        "normalize_payload_in_metadata".to_owned(),
        json!({"space_delimited_claims": ["scope", "scp"]}),
    );
    let claims = node.member("claimToHeaders");
    let claims = claims.iter().flat_map(Node::items).map(|item| {
        let text = |key| item.text(key).unwrap_or_default();
        json!({"header_name": text("header"), "claim_name": text("claim")})
    });
    provider.insert("claim_to_headers".to_owned(), claims.collect());
    if let Some(from) = node.member("extractFrom") {
        let headers = from.member("headers");
        let headers = headers.iter().flat_map(Node::items).map(|header| {
            let text = |key| header.text(key).unwrap_or_default();
            json!({"name": text("name"), "value_prefix": text("valuePrefix")})
        });
        provider.insert("from_headers".to_owned(), headers.collect());
        for (key, own) in [("cookies", "from_cookies"), ("params", "from_params")] {
            if let Some(list) = from.member(key) {
                provider.insert(own.to_owned(), list.value.clone());
            }
        }
    }
    if let Some(keys) = local(node, policy, files) {
        provider.insert("local_jwks".to_owned(), json!({"inline_string": keys}));
    } else if let Some(remote) = node.member("remoteJWKS") {
        let uri = remote.text("uri").unwrap_or_default();
        let refresh = remote
            .text("cacheDuration")
            .and_then(seconds)
            .unwrap_or(300);
        provider.insert(
            "remote_jwks".to_owned(),
            json!({
                "http_uri": {"uri": uri, "cluster": cluster(uri), "timeout": "10s"},
                "cache_duration": format!("{refresh}s"),
            }),
        );
        notes.differs(
            "remoteJWKS",
            &place,
            "Envoy needs a cluster for the keys: that of Envoy Gateway exists as long as a policy with this `remoteJWKS` \
             does; `backendRefs` are not read",
        );
    }
    provider::of_policy(name, provider, name, &place, notes)
}

/// The keys in the policy, or in a `ConfigMap`.
fn local(node: &Node<'_>, policy: &Policy<'_>, files: &[File]) -> Option<String> {
    let local = node.member("localJWKS")?;
    if let Some(inline) = local.text("inline") {
        return Some(inline.to_owned());
    }
    let name = local.member("valueRef")?;
    let mut members = resource("ConfigMap", name.text("name")?, policy.namespace(), files)?;
    let named = members.iter().position(|(key, _)| key == "jwks");
    match (named, members.len()) {
        (Some(index), _) => Some(members.swap_remove(index).1),
        (None, 1) => Some(members.swap_remove(0).1),
        // Envoy Gateway takes the first of several.
        (None, _) => None,
    }
}

/// The name that Envoy Gateway gives to the cluster of a URL.
fn cluster(uri: &str) -> String {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("https", uri));
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let default = if scheme == "http" { "80" } else { "443" };
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, default));
    format!("{}_{port}", host.replace('.', "_"))
}

/// The seconds of a duration of the Gateway API (GEP-2257), such as `1h30m`.
fn seconds(text: &str) -> Option<u64> {
    let mut total = 0;
    let mut number = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let factor = match character {
            '0'..='9' => {
                number.push(character);
                continue;
            }
            'h' => 3600,
            'm' if characters.peek() == Some(&'s') => return None,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total += number.parse::<u64>().ok()? * factor;
        number.clear();
    }
    (total > 0 && number.is_empty()).then_some(total)
}
