//! Configurations that are not the filter's own. One message about the whole helps more than one about each key.

use serde_json::Value;

use super::fault::Fault;

/// The keys of a provider of `jwt_authn`, in both spellings that Envoy reads.
const KEY_SOURCES: [&str; 4] = ["remote_jwks", "local_jwks", "remoteJwks", "localJwks"];

/// The keys of `requires`.
const REQUIREMENTS: [&str; 8] = [
    "provider_name",
    "provider_and_audiences",
    "requires_any",
    "requires_all",
    "allow_missing",
    "allow_missing_or_failed",
    "providerName",
    "requiresAny",
];

/// Why a value is not a configuration of this filter at all.
pub fn recognise(value: &Value) -> Option<Fault> {
    if value.is_string() {
        return Some(Fault::TextBlock);
    }
    is_jwt_authn(value).then_some(Fault::JwtAuthn)
}

/// Whether a value is the configuration of Envoy's filter `jwt_authn`: providers by name, and rules whose `requires` names
/// providers. A rule with `requires` alone may mean `require`.
fn is_jwt_authn(value: &Value) -> bool {
    if let Some(Value::Object(providers)) = value.get("providers") {
        for (_, provider) in providers {
            if has_one_of(provider, &KEY_SOURCES) {
                return true;
            }
        }
    }
    if let Some(Value::Array(rules)) = value.get("rules") {
        for rule in rules {
            let requires = rule.get("requires").unwrap_or(&Value::Null);
            if has_one_of(rule, &["requirement_name"]) || has_one_of(requires, &REQUIREMENTS) {
                return true;
            }
        }
    }
    false
}

#[inline(never)]
fn has_one_of(value: &Value, names: &[&str]) -> bool {
    let Value::Object(members) = value else {
        return false;
    };
    members.keys().any(|name| names.contains(&name.as_str()))
}
