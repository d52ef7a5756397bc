//! Where each key belongs: a key in the wrong place is often one with the wrong indentation.

use super::at::At;

/// The location of each object, and its keys. Left out are keys such as `networks` that belong to several objects, where
/// none is the likely one. The top level comes last.
const HOMES: [(&str, &[&str]); 14] = [
    (
        "rules[].match",
        &["paths", "methods", "hosts", "headers", "route", "policy"],
    ),
    (
        "rules[].require",
        &[
            "scopes",
            "any_scopes",
            "roles",
            "any_roles",
            "groups",
            "any_groups",
            "claims",
            "acr",
            "max_age",
            "cel",
            "any_of",
        ],
    ),
    (
        "rules[]",
        &[
            "match",
            "allow",
            "require_all",
            "other_credentials",
            "on_forbidden",
            "respond",
            "require",
        ],
    ),
    (
        "providers[].jwt",
        &[
            "issuer",
            "audiences",
            "jwks",
            "algorithms",
            "token_type",
            "require",
            "require_claims",
            "clock_skew",
            "max_lifetime",
            "from",
            "claims",
            "revoked",
        ],
    ),
    (
        "providers[].introspection",
        &["client_id", "client_secret", "accept_jwt"],
    ),
    ("providers[].digest", &["nonce_ttl"]),
    ("providers[].mtls", &["subjects"]),
    (
        "providers[]",
        &["jwt", "introspection", "basic", "digest", "mtls"],
    ),
    ("providers[].jwt.jwks", &["inline", "remote", "discovery"]),
    (
        "providers[].jwt.jwks.remote",
        &["uri", "cluster", "timeout", "refresh"],
    ),
    (
        "identity",
        &["strip_credential", "payload_header", "anonymous_header"],
    ),
    (
        "responses",
        &[
            "documentation",
            "request_access",
            "forbidden_challenge",
            "challenge_scope",
            "hints",
            "error_description",
            "login",
            "pages",
            "not_found",
        ],
    ),
    (
        "cors",
        &[
            "allow_origins",
            "allow_methods",
            "allow_headers",
            "allow_credentials",
        ],
    ),
    (
        "",
        &[
            "realm",
            "origin",
            "mode",
            "protect_as",
            "default",
            "crypto",
            "cache",
            "hash_budget",
            "scopes_imply",
            "networks",
            "providers",
            "rules",
            "paths_case",
            "encoded_slash",
            "overrides",
            "responses",
            "resource_metadata",
            "cors",
            "identity",
            "https",
            "trust_forwarded_proto",
            "throttle",
            "audit",
            "filter_state",
        ],
    ),
];

/// The location of the object that has a key; empty for the top level. Of several, the one in the same part of the
/// configuration as `at`.
pub fn home_of(key: &str, at: &At<'_>) -> Option<&'static str> {
    let is_near = |home: &str| at.first().is_some_and(|part| home.starts_with(part));
    let mut found = None;
    for (home, keys) in HOMES {
        if keys.contains(&key) && (found.is_none() || is_near(home)) {
            found = Some(home);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::HOMES;
    use crate::config::document::Document;
    use serde_json::Value;

    #[test]
    fn every_key_is_a_key_of_its_home() {
        let schema = Value::from(schemars::schema_for!(Document));
        for (home, keys) in HOMES {
            let steps = home.split(['.', '[']).filter(|step| !step.is_empty());
            let object = steps.fold(resolved(&schema, &schema), |object, step| match step {
                "]" => resolved(&schema, &object["items"]),
                step => resolved(&schema, &object["properties"][step]),
            });
            for key in keys {
                assert!(object["properties"].get(key).is_some(), "{home}: {key}");
            }
        }
    }

    fn resolved<'s>(schema: &'s Value, part: &'s Value) -> &'s Value {
        let choices = ["anyOf", "oneOf"].into_iter();
        let choices = choices.filter_map(|key| part[key].as_array()).flatten();
        let mut choices = choices.chain([part]);
        let reference = choices.find_map(|part| part["$ref"].as_str());
        reference.map_or(part, |reference| {
            let part = schema.pointer(reference.trim_start_matches('#')).unwrap();
            resolved(schema, part)
        })
    }
}
