//! `jwt` of a SecurityPolicy.

use serde_json::{Map, Value, json};

use super::super::filter::{self, typed};

const NAME: &str = "envoy.filters.http.jwt_authn";

/// One filter with the providers of all policies; each route names its requirement.
pub fn filter(policies: &[&Value]) -> Option<Value> {
    let (mut providers, mut requirements) = (Map::new(), Map::new());
    for policy in policies
        .iter()
        .filter(|policy| policy["spec"]["jwt"].is_object())
    {
        let jwt = &policy["spec"]["jwt"];
        let mut any = Vec::new();
        for provider in jwt["providers"].as_array().into_iter().flatten() {
            let key = key(policy, &provider["name"]);
            any.push(json!({"provider_name": key}));
            providers.insert(key, self::provider(provider));
        }
        if jwt["failOpen"] == true {
            any.push(json!({"allow_missing_or_failed": {}}));
        } else if jwt["optional"] == true {
            any.push(json!({"allow_missing": {}}));
        }
        let requirement = match any.len() {
            1 => any.remove(0),
            _ => json!({"requires_any": {"requirements": any}}),
        };
        requirements.insert(requirement_name(policy), requirement);
    }
    if requirements.is_empty() {
        return None;
    }
    Some(filter::named(
        NAME,
        "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        json!({"providers": providers, "requirement_map": requirements}),
    ))
}

pub fn on_route(policy: &Value) -> Option<(String, Value)> {
    policy["spec"]["jwt"].is_object().then(|| {
        let kind = "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig";
        let requirement = json!({"requirement_name": requirement_name(policy)});
        (NAME.to_owned(), typed(kind, requirement))
    })
}

/// A name for each provider of each policy. Envoy Gateway makes one of the name and a hash of the configuration.
fn key(policy: &Value, provider: &Value) -> String {
    let texts =
        [&policy["metadata"]["name"], provider].map(|text| text.as_str().unwrap_or_default());
    texts.join("_")
}

fn requirement_name(policy: &Value) -> String {
    key(policy, &json!("requirement"))
}

/// A provider. The tests have keys in the manifest alone, so that there is nothing to fetch.
fn provider(provider: &Value) -> Value {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let claims = list(&provider["claimToHeaders"]);
    let claims = claims
        .iter()
        .map(|one| json!({"header_name": one["header"], "claim_name": one["claim"]}));
    let from = &provider["extractFrom"];
    let headers = list(&from["headers"]);
    let headers = headers.iter().map(|header| {
        json!({
            "name": header["name"],
            "value_prefix": header["valuePrefix"].as_str().unwrap_or_default(),
        })
    });
    json!({
        "issuer": provider["issuer"].as_str().unwrap_or_default(),
        "audiences": list(&provider["audiences"]),
        "payload_in_metadata": provider["name"],
        "claim_to_headers": claims.collect::<Vec<Value>>(),
        "forward": true,
        "normalize_payload_in_metadata": {"space_delimited_claims": ["scope", "scp"]},
        "clear_route_cache": provider["recomputeRoute"].as_bool().unwrap_or_default(),
        "from_headers": headers.collect::<Vec<Value>>(),
        "from_cookies": list(&from["cookies"]),
        "from_params": list(&from["params"]),
        "local_jwks": {"inline_string": provider["localJWKS"]["inline"]},
    })
}
