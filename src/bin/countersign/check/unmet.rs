//! Rules that deny every request, because no credential that they accept can have what they require.
//!
//! API keys and the users of Basic and Digest have the scopes and the roles that the configuration gives them, and neither
//! groups nor claims.

use serde_json::Value;

use crate::finding::Finding;
use crate::locate::Located;
use crate::node::Node;

/// The requirements that only tokens can meet, and what they are called.
const OF_TOKENS: [(&str, &str); 5] = [
    ("groups", "groups"),
    ("any_groups", "groups"),
    ("claims", "claims"),
    ("acr", "a claim `acr`"),
    ("max_age", "a claim `auth_time`"),
];

/// The findings in every configuration of a file.
pub fn findings(located: &Located<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for configuration in &located.configurations {
        let value = configuration.value().unwrap_or_default();
        let root = Node {
            path: configuration.path.clone(),
            value: &value,
        };
        let providers = root.member("providers");
        let providers: Vec<_> = providers.iter().flat_map(Node::items).collect();
        let implies = root.member("scopes_imply").is_some();
        for rule in root.member("rules").iter().flat_map(Node::items) {
            findings.extend(unmet(&rule, &providers, implies));
        }
    }
    findings
}

fn unmet(rule: &Node<'_>, providers: &[Node<'_>], implies: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(require) = rule.member("require") else {
        return findings;
    };
    let listed = ["providers", "require_all"]
        .iter()
        .find_map(|key| rule.member(key));
    let is_accepted = |provider: &&Node<'_>| match &listed {
        Some(listed) => listed
            .items()
            .any(|name| Some(name.value) == provider.value.get("name")),
        None => true,
    };
    let accepted: Vec<_> = providers.iter().filter(is_accepted).collect();
    let entries: Vec<_> = accepted
        .iter()
        .filter_map(|provider| entries(provider))
        .collect();
    if accepted.is_empty() || entries.len() < accepted.len() {
        return findings;
    }
    for (key, what) in OF_TOKENS {
        if let Some(required) = require.member(key) {
            let text = format!(
                "no credential that this rule accepts has {what}: API keys and users of `basic` and `digest` have only \
                 scopes and roles, so every request is denied"
            );
            findings.push(Finding::warning("unmet-requirement", required.path, text).at_key());
        }
    }
    // A list that is fetched is not in the file.
    let inline: Option<Vec<_>> = entries.into_iter().collect();
    for (key, what) in [("roles", "role"), ("scopes", "scope")] {
        let (Some(required), Some(inline)) = (require.member(key), &inline) else {
            continue;
        };
        let has = |name: &Value| {
            let mut entries = inline.iter().flatten();
            entries.any(|entry| {
                entry
                    .value
                    .get(key)
                    .and_then(Value::as_array)
                    .is_some_and(|has| has.contains(name))
            })
        };
        for name in required
            .items()
            .filter(|name| name.value.is_string() && !has(name.value))
        {
            if key == "scopes" && implies {
                continue;
            }
            let text = format!(
                "no credential that this rule accepts has this {what}, so every request is denied"
            );
            findings.push(Finding::warning("unmet-requirement", name.path, text));
        }
    }
    findings
}

/// The keys or users of a provider: none if it verifies other credentials, and `Some(None)` if they are fetched.
fn entries<'v>(provider: &Node<'v>) -> Option<Option<Vec<Node<'v>>>> {
    let list = provider
        .at(&["api_key", "keys"])
        .or_else(|| provider.at(&["basic", "users"]))
        .or_else(|| provider.at(&["digest", "users"]))?;
    Some(list.value.is_array().then(|| list.items().collect()))
}
