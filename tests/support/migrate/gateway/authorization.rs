//! `authorization` of a SecurityPolicy.

use regex_lite::escape;
use serde_json::{Value, json};

use super::super::filter::{self, typed};

const NAME: &str = "envoy.filters.http.rbac";

pub fn filter(policies: &[&Value]) -> Option<Value> {
    let mut policies = policies.iter();
    let is_used = policies.any(|policy| policy["spec"]["authorization"].is_object());
    let kind = "envoy.extensions.filters.http.rbac.v3.RBAC";
    is_used.then(|| filter::named(NAME, kind, json!({})))
}

pub fn on_route(policy: &Value) -> Option<(String, Value)> {
    let authorization = &policy["spec"]["authorization"];
    authorization.is_object().then(|| {
        let kind = "envoy.extensions.filters.http.rbac.v3.RBACPerRoute";
        let rbac = json!({"rbac": {"matcher": matcher(authorization)}});
        (NAME.to_owned(), typed(kind, rbac))
    })
}

/// The first rule that matches decides, else the default action.
fn matcher(authorization: &Value) -> Value {
    let rules = items(&authorization["rules"]);
    let rules: Vec<Value> = rules
        .map(|rule| json!({"predicate": predicate(rule), "on_match": action(&rule["action"])}))
        .collect();
    let default = match &authorization["defaultAction"] {
        Value::Null => json!("Deny"),
        written => written.clone(),
    };
    let mut matcher = json!({"on_no_match": action(&default)});
    if !rules.is_empty() {
        matcher["matcher_list"] = json!({"matchers": rules});
    }
    matcher
}

fn action(action: &Value) -> Value {
    let name = if action == "Allow" { "ALLOW" } else { "DENY" };
    let action = json!({"name": name, "action": name});
    json!({"action": {"name": name, "typed_config": typed("envoy.config.rbac.v3.Action", action)}})
}

fn predicate(rule: &Value) -> Value {
    let (principal, operation) = (&rule["principal"], &rule["operation"]);
    let mut all = Vec::new();
    all.extend(any(items(&operation["methods"]).map(|method| {
        header(":method", &json!({"exact": method, "ignore_case": true}))
    })));
    if let Some(value) = operation["path"]["value"].as_str() {
        let path = header(":path", &path(&operation["path"]["type"], value));
        all.push(match operation["path"]["invert"] == true {
            true => json!({"not_matcher": path}),
            false => path,
        });
    }
    if let Some(networks) = principal["clientCIDRs"].as_array() {
        all.push(addresses(networks));
    }
    for scope in items(&principal["jwt"]["scopes"]) {
        let claims = ["scope", "scp"].into_iter();
        all.extend(any(claims.map(|claim| {
            self::claim(&principal["jwt"]["provider"], claim, scope, true)
        })));
    }
    for claim in items(&principal["jwt"]["claims"]) {
        let is_list = claim["valueType"] == "StringArray";
        let name = claim["name"].as_str().expect("a claim has a name");
        all.extend(any(items(&claim["values"]).map(|value| {
            self::claim(&principal["jwt"]["provider"], name, value, is_list)
        })));
    }
    for one in items(&principal["headers"]) {
        let name = one["name"].as_str().expect("a header has a name");
        all.extend(any(
            items(&one["values"]).map(|value| header(name, &json!({"exact": value})))
        ));
    }
    match all.len() {
        1 => all.remove(0),
        _ => json!({"and_matcher": {"predicate": all}}),
    }
}

/// Any of some predicates, if there are any.
fn any(predicates: impl Iterator<Item = Value>) -> Option<Value> {
    let mut all: Vec<Value> = predicates.collect();
    match all.len() {
        0 => None,
        1 => Some(all.remove(0)),
        _ => Some(json!({"or_matcher": {"predicate": all}})),
    }
}

fn header(name: &str, matcher: &Value) -> Value {
    let kind = "envoy.type.matcher.v3.HttpRequestHeaderMatchInput";
    let input = typed(kind, json!({"header_name": name}));
    json!({"single_predicate": {
        "input": {"name": "http_header", "typed_config": input},
        "value_match": matcher,
    }})
}

/// A path, with a query behind it.
fn path(kind: &Value, value: &str) -> Value {
    let regex = match kind.as_str().unwrap_or("PathPrefix") {
        "PathPrefix" if value == "/" => return json!({"prefix": "/"}),
        "PathPrefix" => {
            let prefix = value.strip_suffix('/').unwrap_or(value);
            format!(r"^{}(/.*|\?.*|#.*|;.*|$)", escape(prefix))
        }
        "Exact" => format!(r"^{}(\?.*|#.*|;.*|$)", escape(value)),
        _ => value.to_owned(),
    };
    json!({"safe_regex": {"google_re2": {}, "regex": regex}})
}

fn addresses(networks: &[Value]) -> Value {
    let ranges = networks.iter().map(|network| {
        let (address, length) = network
            .as_str()
            .and_then(|text| text.split_once('/'))
            .expect("a network");
        let length: u8 = length.parse().expect("a length");
        json!({"address_prefix": address, "prefix_len": length})
    });
    let ranges: Vec<Value> = ranges.collect();
    let kind = "envoy.extensions.matching.input_matchers.ip.v3.Ip";
    let matcher = typed(
        kind,
        json!({"stat_prefix": "client_ip", "cidr_ranges": ranges}),
    );
    let kind = "envoy.extensions.matching.common_inputs.network.v3.SourceIPInput";
    json!({"single_predicate": {
        "input": {"name": "client_ip", "typed_config": typed(kind, json!({}))},
        "custom_match": {"name": "ip_matcher", "typed_config": matcher},
    }})
}

/// A claim that is a value, or a list that contains it.
fn claim(provider: &Value, name: &str, value: &Value, is_list: bool) -> Value {
    let segments = std::iter::once(provider.clone()).chain(name.split('.').map(|part| json!(part)));
    let path: Vec<Value> = segments.map(|key| json!({"key": key})).collect();
    let kind = "envoy.extensions.matching.common_inputs.network.v3.DynamicMetadataInput";
    let input = typed(
        kind,
        json!({"filter": "envoy.filters.http.jwt_authn", "path": path}),
    );
    let exact = json!({"string_match": {"exact": value}});
    let value = match is_list {
        true => json!({"list_match": {"one_of": exact}}),
        false => exact,
    };
    let kind = "envoy.extensions.matching.input_matchers.metadata.v3.Metadata";
    json!({"single_predicate": {
        "input": {"name": "claim", "typed_config": input},
        "custom_match": {"name": "claim_matcher", "typed_config": typed(kind, json!({"value": value}))},
    }})
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
