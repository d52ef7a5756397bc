//! Manifests of Istio for one workload.

use serde_json::{Value, json};

use super::words::{AUDIENCES, CLAIMS, HEADERS, HOSTS, ISSUERS, METHODS, NETWORKS, PATHS, VALUES};
use super::{Draw, public_keys};

/// RequestAuthentications and AuthorizationPolicies.
pub fn manifests(draw: &mut Draw) -> Vec<Value> {
    let mut manifests = Vec::new();
    for at in 0..draw.below(3) {
        manifests.push(manifest(
            draw,
            "RequestAuthentication",
            at,
            |draw| json!({"jwtRules": draw.times(1, 2, jwt_rule)}),
        ));
    }
    for at in 0..1 + draw.below(4) {
        manifests.push(manifest(draw, "AuthorizationPolicy", at, policy));
    }
    manifests
}

fn manifest(
    draw: &mut Draw,
    kind: &str,
    at: usize,
    spec: impl FnOnce(&mut Draw) -> Value,
) -> Value {
    let mut spec = spec(draw);
    match draw.below(8) {
        0 => spec["selector"] = json!({"matchLabels": {"app": "billing"}}),
        1..=3 => {}
        _ => spec["selector"] = json!({"matchLabels": {"app": "orders"}}),
    }
    let namespace = draw.one(&["shop", "shop", "shop", "istio-system", "bank"]);
    let name = format!("{}-{at}", kind.to_ascii_lowercase());
    let mut manifest = json!({
        "apiVersion": "security.istio.io/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    });
    if kind == "AuthorizationPolicy" && draw.chance(8) {
        manifest["metadata"]["annotations"] = json!({"istio.io/dry-run": "true"});
    }
    manifest
}

fn jwt_rule(draw: &mut Draw) -> Value {
    let (issuer, key) = ISSUERS[draw.below(ISSUERS.len())];
    let mut rule = json!({"issuer": issuer, "jwks": public_keys(key)});
    if draw.chance(50) {
        rule["audiences"] = json!(draw.some(2, &AUDIENCES));
    }
    if draw.chance(30) {
        rule["fromHeaders"] = match draw.below(3) {
            0 => json!([{"name": "x-token"}]),
            _ => json!([{"name": "authorization", "prefix": "Bearer "}]),
        };
    }
    if draw.chance(20) {
        rule["fromParams"] = json!(["token"]);
    }
    if draw.chance(15) {
        rule["fromCookies"] = json!(["session"]);
    }
    if draw.chance(40) {
        rule["forwardOriginalToken"] = json!(draw.chance(50));
    }
    if draw.chance(20) {
        rule["outputPayloadToHeader"] = json!("x-payload");
    }
    if draw.chance(20) {
        rule["outputClaimToHeaders"] = json!([{"header": "x-user", "claim": "sub"}]);
    }
    rule
}

fn policy(draw: &mut Draw) -> Value {
    let action = draw.one(&["ALLOW", "ALLOW", "ALLOW", "DENY", "DENY", "AUDIT"]);
    let mut policy = json!({});
    if action != "ALLOW" || draw.chance(50) {
        policy["action"] = json!(action);
    }
    if draw.chance(92) {
        policy["rules"] = json!(draw.times(0, 3, rule));
    }
    // Istio accepts no DENY and no AUDIT without rules.
    if action != "ALLOW" && policy["rules"].as_array().is_none_or(Vec::is_empty) {
        policy["rules"] = json!([rule(draw)]);
    }
    policy
}

fn rule(draw: &mut Draw) -> Value {
    let mut rule = json!({});
    if draw.chance(60) {
        rule["to"] = json!(draw.times(1, 2, |draw| json!({"operation": operation(draw)})));
    }
    if draw.chance(55) {
        rule["from"] = json!(draw.times(1, 2, |draw| json!({"source": source(draw)})));
    }
    if draw.chance(45) {
        rule["when"] = json!(draw.times(1, 2, condition));
    }
    rule
}

/// Words, some with a star at the beginning or the end.
fn starred(draw: &mut Draw, words: &[&str]) -> Vec<Value> {
    draw.times(1, 2, |draw| {
        let word = draw.one(words);
        match draw.below(10) {
            0 => json!("*"),
            1 | 2 => json!(format!("{word}*")),
            3 => json!(format!("*{word}")),
            _ => json!(word),
        }
    })
}

fn operation(draw: &mut Draw) -> Value {
    let mut operation = json!({});
    for (name, not, words, percent) in [
        ("hosts", "notHosts", &HOSTS[..], 15),
        ("methods", "notMethods", &METHODS[..], 30),
        ("paths", "notPaths", &PATHS[..], 70),
    ] {
        if draw.chance(percent) {
            operation[name] = json!(starred(draw, words));
        }
        if draw.chance(percent / 3) {
            operation[not] = json!(starred(draw, words));
        }
    }
    if draw.chance(12) {
        operation["paths"] = json!(["/api/{*}/orders", "/admin/{**}"]);
    }
    if draw.chance(4) {
        operation["ports"] = json!(["8080"]);
    }
    if operation.as_object().is_some_and(serde_json::Map::is_empty) {
        operation["paths"] = json!(["/open"]);
    }
    operation
}

fn source(draw: &mut Draw) -> Value {
    let mut source = json!({});
    let principals = [
        "*",
        "https://one.example.com/*",
        "https://one.example.com/one",
        "https://two.example.com/t*",
        "*/north",
        "*.example.com/two",
        "https://*",
        "*one",
    ];
    if draw.chance(60) {
        source["requestPrincipals"] = json!(draw.some(2, &principals));
    }
    if draw.chance(20) {
        source["notRequestPrincipals"] = json!(draw.some(2, &principals));
    }
    let networks: Vec<String> = NETWORKS
        .iter()
        .map(|(address, length)| format!("{address}/{length}"))
        .chain(["127.0.0.77".to_owned(), "::1".to_owned()])
        .collect();
    let networks: Vec<&str> = networks.iter().map(String::as_str).collect();
    for (name, percent) in [
        ("ipBlocks", 12),
        ("notIpBlocks", 8),
        ("remoteIpBlocks", 18),
        ("notRemoteIpBlocks", 10),
    ] {
        if draw.chance(percent) {
            source[name] = json!(draw.some(2, &networks));
        }
    }
    if draw.chance(5) {
        source["principals"] = json!(["cluster.local/ns/shop/sa/web", "*"]);
    }
    if draw.chance(5) {
        source["notNamespaces"] = json!(["bank"]);
    }
    if source.as_object().is_some_and(serde_json::Map::is_empty) {
        source["requestPrincipals"] = json!(["*"]);
    }
    source
}

fn condition(draw: &mut Draw) -> Value {
    let (key, words): (String, &[&str]) = match draw.below(10) {
        0..=3 => (
            format!("request.auth.claims[{}]", draw.one(&CLAIMS)),
            &VALUES,
        ),
        4 => ("request.auth.claims[org][unit]".to_owned(), &VALUES),
        5 => ("request.auth.claims[scope]".to_owned(), &VALUES),
        6 => ("request.auth.audiences".to_owned(), &AUDIENCES),
        7 | 8 => (format!("request.headers[{}]", draw.one(&HEADERS)), &VALUES),
        _ => ("remote.ip".to_owned(), &["10.0.0.0/8", "127.0.0.1"]),
    };
    let values = |draw: &mut Draw| match key.as_str() {
        "remote.ip" => draw.some(2, words),
        _ => starred(draw, words),
    };
    let mut condition = json!({"key": key});
    let which = draw.below(4);
    if which != 0 {
        condition["values"] = json!(values(draw));
    }
    if which <= 1 {
        condition["notValues"] = json!(values(draw));
    }
    condition
}
