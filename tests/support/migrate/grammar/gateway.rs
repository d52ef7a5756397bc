//! An HTTPRoute and its SecurityPolicy.

use serde_json::{Value, json};

use super::words::{AUDIENCES, CLAIMS, HEADERS, ISSUERS, METHODS, NETWORKS, PATHS, VALUES};
use super::{Draw, public_keys};

/// A route to everything, and its policy.
pub fn manifests(draw: &mut Draw) -> Vec<Value> {
    let route = json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {
            "parentRefs": [{"name": "edge"}],
            "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}],
        },
    });
    let mut spec = json!({
        "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "orders"}],
    });
    let mut names = Vec::new();
    if draw.chance(85) {
        let mut providers = Vec::new();
        for (at, (issuer, key)) in ISSUERS.iter().enumerate() {
            if at == 0 || draw.chance(60) {
                let name = format!("p{at}");
                providers.push(provider(draw, &name, issuer, key));
                names.push(name);
            }
        }
        spec["jwt"] = json!({"providers": providers});
        if draw.chance(30) {
            spec["jwt"]["optional"] = json!(true);
        }
    }
    if draw.chance(85) || names.is_empty() {
        spec["authorization"] = authorization(draw, &names);
    }
    if draw.chance(20) {
        spec["cors"] = json!({
            "allowOrigins": draw.some(2, &["https://app.example.com", "https://*.app.example.com", "*"]),
            "allowMethods": draw.some(2, &METHODS),
        });
    }
    let policy = json!({
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "SecurityPolicy",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": spec,
    });
    vec![route, policy]
}

fn provider(draw: &mut Draw, name: &str, issuer: &str, key: &str) -> Value {
    let mut provider = json!({
        "name": name,
        "localJWKS": {"type": "Inline", "inline": public_keys(key)},
    });
    if draw.chance(85) {
        provider["issuer"] = json!(issuer);
    }
    if draw.chance(50) {
        provider["audiences"] = json!(draw.some(2, &AUDIENCES));
    }
    if draw.chance(30) {
        provider["extractFrom"] = match draw.below(4) {
            0 => json!({"headers": [{"name": "x-token"}]}),
            1 => json!({"params": ["token"]}),
            2 => json!({"cookies": ["session"]}),
            _ => {
                json!({"headers": [{"name": "authorization", "valuePrefix": "Bearer "}], "params": ["token"]})
            }
        };
    }
    if draw.chance(30) {
        provider["claimToHeaders"] = json!([{"header": "x-user", "claim": "sub"}]);
    }
    provider
}

fn authorization(draw: &mut Draw, names: &[String]) -> Value {
    let mut authorization = json!({"rules": draw.times(0, 4, |draw| rule(draw, names))});
    if draw.chance(70) {
        authorization["defaultAction"] = json!(draw.one(&["Allow", "Deny", "Deny"]));
    }
    authorization
}

fn rule(draw: &mut Draw, names: &[String]) -> Value {
    let mut rule = json!({"action": draw.one(&["Allow", "Allow", "Deny"])});
    if draw.chance(50) {
        rule["operation"] = operation(draw);
    }
    let mut principal = json!({});
    if !names.is_empty() && draw.chance(60) {
        principal["jwt"] = jwt(draw, names);
    }
    if draw.chance(30) {
        let networks = draw.times(1, 2, |draw| {
            let (address, length) = NETWORKS[draw.below(NETWORKS.len())];
            json!(format!("{address}/{length}"))
        });
        principal["clientCIDRs"] = json!(networks);
    }
    if draw.chance(30) || principal.as_object().is_some_and(serde_json::Map::is_empty) {
        let values = draw.some(2, &VALUES);
        principal["headers"] = json!([{"name": draw.one(&HEADERS), "values": values}]);
    }
    rule["principal"] = principal;
    rule
}

fn operation(draw: &mut Draw) -> Value {
    let mut operation = json!({});
    if draw.chance(60) {
        operation["methods"] = json!(draw.some(2, &METHODS));
    }
    if draw.chance(60) || operation["methods"].is_null() {
        operation["path"] = match draw.below(4) {
            0 => json!({"type": "Exact", "value": draw.one(&PATHS)}),
            1 => {
                json!({"type": "RegularExpression", "value": draw.one(&["/api/.*", "^/(open|admin)$"])})
            }
            _ => json!({"type": "PathPrefix", "value": draw.one(&PATHS)}),
        };
        if draw.chance(15) {
            operation["path"]["invert"] = json!(true);
        }
    }
    operation
}

fn jwt(draw: &mut Draw, names: &[String]) -> Value {
    let mut jwt = json!({"provider": names[draw.below(names.len())]});
    let which = draw.below(4);
    if which != 0 {
        jwt["claims"] = json!(draw.times(1, 2, |draw| {
            let name = match draw.below(5) {
                0 => "org.unit",
                _ => draw.one(&CLAIMS),
            };
            let mut claim = json!({"name": name, "values": draw.some(2, &VALUES)});
            if draw.chance(50) {
                claim["valueType"] = json!(draw.one(&["String", "StringArray", "StringArray"]));
            }
            claim
        }));
    }
    if which <= 1 {
        jwt["scopes"] = json!(draw.some(2, &["one", "two"]));
    }
    jwt
}
