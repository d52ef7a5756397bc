//! Configurations that are not the filter's own. One message about the whole helps more than one about each key.

use serde_json::Value;

use super::fault::Fault;

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
    let providers = value.get("providers").and_then(Value::as_object);
    let mut providers = providers.into_iter().flat_map(|map| map.values());
    let rules = value.get("rules").and_then(Value::as_array);
    let mut rules = rules.into_iter().flatten();
    providers.any(|provider| {
        has_one_of(
            provider,
            &["remote_jwks", "local_jwks", "remoteJwks", "localJwks"],
        )
    }) || rules.any(|rule| {
        has_one_of(rule, &["requirement_name", "requirementName"])
            || rule.get("requires").is_some_and(names_providers)
    })
}

fn names_providers(requires: &Value) -> bool {
    let keys = [
        "provider_name",
        "provider_and_audiences",
        "requires_any",
        "requires_all",
        "allow_missing",
        "allow_missing_or_failed",
        "providerName",
        "providerAndAudiences",
        "requiresAny",
        "requiresAll",
        "allowMissing",
        "allowMissingOrFailed",
    ];
    has_one_of(requires, &keys)
}

fn has_one_of(value: &Value, names: &[&str]) -> bool {
    names.iter().any(|name| value.get(name).is_some())
}
