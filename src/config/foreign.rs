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

/// Whether a value is the configuration of Envoy's filter `jwt_authn`: providers by name, and rules with `requires`.
fn is_jwt_authn(value: &Value) -> bool {
    let has_one_of =
        |value: &Value, names: &[&str]| names.iter().any(|name| value.get(name).is_some());
    let providers = value.get("providers").and_then(Value::as_object);
    let mut providers = providers.into_iter().flat_map(|map| map.values());
    let rules = value.get("rules").and_then(Value::as_array);
    let mut rules = rules.into_iter().flatten();
    let keys = [
        "remote_jwks",
        "local_jwks",
        "remoteJwks",
        "localJwks",
        "issuer",
    ];
    let requirements = ["requires", "requirement_name", "requirementName"];
    providers.any(|provider| has_one_of(provider, &keys))
        || rules.any(|rule| has_one_of(rule, &requirements))
        || has_one_of(value, &["requirement_map", "requirementMap"])
}
