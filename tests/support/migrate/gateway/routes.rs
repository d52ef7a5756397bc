//! The routes of HTTPRoutes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Manifests;

/// A virtual host for each host, and a route for each match, in the order in which Envoy tries them.
pub fn configuration(manifests: Manifests<'_>) -> Value {
    let mut hosts: BTreeMap<String, Vec<(Rank, Value)>> = BTreeMap::new();
    for http_route in manifests.of_kind("HTTPRoute") {
        let (filters, target) = match manifests.policy_of(http_route) {
            Some((policy, target)) => (super::on_route(manifests, policy), json!(target)),
            None => (json!({}), Value::Null),
        };
        let names = http_route["spec"]["hostnames"].as_array().cloned();
        for host in names.unwrap_or_else(|| vec![json!("*")]) {
            let routes = hosts.entry(host.as_str().expect("a host").to_owned());
            let routes = routes.or_default();
            for matched in matches(http_route) {
                let route = json!({
                    "match": route_match(&matched),
                    "route": {"cluster": "upstream"},
                    "metadata": {"filter_metadata": {"countersign.test": {"target": target}}},
                    "typed_per_filter_config": filters,
                });
                routes.push((Rank::of(&matched), route));
            }
        }
    }
    let hosts = hosts
        .into_iter()
        .enumerate()
        .map(|(at, (host, mut routes))| {
            routes.sort_by(|(one, _), (other, _)| one.cmp(other));
            let routes: Vec<Value> = routes.into_iter().map(|(_, route)| route).collect();
            json!({"name": format!("host-{at}"), "domains": [host], "routes": routes})
        });
    json!({
        "name": "gateway",
        "ignore_port_in_host_matching": true,
        "virtual_hosts": hosts.collect::<Vec<Value>>(),
    })
}

/// Every match of an HTTPRoute; a rule without one matches every path.
fn matches(http_route: &Value) -> Vec<Value> {
    let rules = http_route["spec"]["rules"].as_array().into_iter().flatten();
    rules
        .flat_map(|rule| {
            let listed = rule["matches"].as_array().cloned();
            listed.unwrap_or_else(|| vec![json!({})])
        })
        .collect()
}

/// Where a route is among those of its host: exact paths first, then regular expressions, then prefixes; longer ones first;
/// more headers first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank(u8, Reverse<usize>, Reverse<usize>);

impl Rank {
    fn of(matched: &Value) -> Self {
        let (kind, path) = path(matched);
        let kind = match kind {
            "Exact" => 0,
            "RegularExpression" => 1,
            _ => 2,
        };
        // A method is matched as a header.
        let headers = matched["headers"].as_array().map_or(0, Vec::len);
        let headers = headers + usize::from(matched["method"].is_string());
        Self(kind, Reverse(path.len()), Reverse(headers))
    }
}

fn path(matched: &Value) -> (&str, &str) {
    let path = &matched["path"];
    (
        path["type"].as_str().unwrap_or("PathPrefix"),
        path["value"].as_str().unwrap_or("/"),
    )
}

fn route_match(matched: &Value) -> Value {
    let mut found = match path(matched) {
        ("Exact", path) => json!({"path": path}),
        ("RegularExpression", path) => json!({"safe_regex": {"regex": path}}),
        (_, "/") => json!({"prefix": "/"}),
        (_, path) => json!({"path_separated_prefix": path.strip_suffix('/').unwrap_or(path)}),
    };
    let headers = matched["headers"].as_array().into_iter().flatten();
    let mut headers: Vec<Value> = headers
        .map(|one| json!({"name": one["name"], "string_match": {"exact": one["value"]}}))
        .collect();
    if let Some(method) = matched["method"].as_str() {
        headers.push(json!({"name": ":method", "string_match": {"exact": method}}));
    }
    found["headers"] = json!(headers);
    found
}
