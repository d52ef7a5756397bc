//! `jwt_authn` of RequestAuthentication.

use serde_json::{Map, Value, json};

use super::super::filter;

/// The metadata key of the verified claims.
pub const PAYLOAD: &str = "payload";

/// One filter for all policies of a workload. A token is optional; one that is sent must be valid.
pub fn filter(policies: &[&Value]) -> Option<Value> {
    let mut rules: Vec<&Value> = policies
        .iter()
        .flat_map(|policy| policy["spec"]["jwtRules"].as_array())
        .flatten()
        .collect();
    if rules.is_empty() {
        return None;
    }
    rules.sort_by_key(|rule| rule["issuer"].as_str().unwrap_or_default());
    let names: Vec<String> = (0..rules.len()).map(|at| format!("origins-{at}")).collect();
    let providers: Map<String, Value> = names
        .iter()
        .cloned()
        .zip(rules.iter().map(|rule| provider(rule)))
        .collect();
    let one = |name: &String| json!({"provider_name": name});
    let or_missing = |name: &String| json!({"requires_any": {"requirements": [one(name), {"allow_missing": {}}]}});
    let requires = match names.as_slice() {
        [name] => or_missing(name),
        names => {
            let mut any: Vec<Value> = names.iter().map(one).collect();
            let all: Vec<Value> = names.iter().map(or_missing).collect();
            any.push(json!({"requires_all": {"requirements": all}}));
            json!({"requires_any": {"requirements": any}})
        }
    };
    Some(filter::named(
        "envoy.filters.http.jwt_authn",
        "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        json!({
            "providers": providers,
            "rules": [{"match": {"prefix": "/"}, "requires": requires}],
            "bypass_cors_preflight": true,
        }),
    ))
}

/// A provider. The tests have keys in the manifest alone, so that there is nothing to fetch.
fn provider(rule: &Value) -> Value {
    let list = |name: &str| rule[name].as_array().cloned().unwrap_or_default();
    let text = |name: &str| rule[name].as_str().unwrap_or_default();
    let headers: Vec<Value> = list("fromHeaders")
        .iter()
        .map(|header| {
            json!({
                "name": header["name"],
                "value_prefix": header["prefix"].as_str().unwrap_or_default(),
            })
        })
        .collect();
    let claims: Vec<Value> = list("outputClaimToHeaders")
        .iter()
        .map(|one| json!({"header_name": one["header"], "claim_name": one["claim"]}))
        .collect();
    let mut delimited = list("spaceDelimitedClaims");
    delimited.extend([json!("permission"), json!("scope")]);
    json!({
        "issuer": text("issuer"),
        "audiences": list("audiences"),
        "forward": rule["forwardOriginalToken"].as_bool().unwrap_or_default(),
        "forward_payload_header": text("outputPayloadToHeader"),
        "payload_in_metadata": PAYLOAD,
        "normalize_payload_in_metadata": {"space_delimited_claims": delimited},
        "claim_to_headers": claims,
        "from_headers": headers,
        "from_params": list("fromParams"),
        "from_cookies": list("fromCookies"),
        "local_jwks": {"inline_string": text("jwks")},
    })
}
