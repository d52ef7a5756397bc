//! A bootstrap with `jwt_authn` and `rbac`.

mod routes;

use serde_json::{Map, Value, json};

use super::super::filter::{named, typed};
use super::words::{
    AUDIENCES, CLAIMS, HEADERS, HOSTS, ISSUERS, METHODS, NETWORKS, PATHS, REGEXES, TEMPLATES,
    VALUES,
};
use super::{Draw, public_keys};

/// One listener.
pub fn bootstrap(draw: &mut Draw) -> Value {
    let (mut filters, mut requirements) = (Vec::new(), Vec::new());
    if draw.chance(85) {
        let filter = jwt_authn(draw);
        let map = filter["typed_config"]["requirement_map"].as_object();
        requirements.extend(map.into_iter().flatten().map(|(name, _)| name.clone()));
        filters.push(filter);
    }
    for _ in 0..draw.below(3) {
        filters.push(rbac(draw));
    }
    if filters.is_empty() {
        filters.push(rbac(draw));
    }
    if draw.chance(6) {
        let second = jwt_authn(draw);
        filters.push(second);
    }
    for filter in &mut filters {
        if draw.chance(3) {
            filter["disabled"] = json!(true);
        }
    }
    let router = "envoy.extensions.filters.http.router.v3.Router";
    filters.push(named("envoy.filters.http.router", router, json!({})));
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "ingress",
        "use_remote_address": draw.chance(70),
        "normalize_path": draw.chance(70),
        "merge_slashes": draw.chance(50),
        "path_with_escaped_slashes_action": draw.one(&[
            "KEEP_UNCHANGED",
            "KEEP_UNCHANGED",
            "REJECT_REQUEST",
            "UNESCAPE_AND_REDIRECT",
            "UNESCAPE_AND_FORWARD",
        ]),
        "strip_any_host_port": draw.chance(20),
        "http_filters": filters,
        "route_config": routes::configuration(draw, &requirements),
    });
    let bootstrap = json!({"static_resources": {
        "listeners": [{
            "name": "ingress",
            "address": {"socket_address": {"address": "0.0.0.0", "port_value": 10000}},
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": manager,
            }]}],
        }],
        "clusters": [{"name": "orders", "connect_timeout": "1s"}],
    }});
    if draw.chance(20) {
        in_camel_case(bootstrap)
    } else {
        bootstrap
    }
}

/// The same with the names that JSON has for fields of protobuf, such as `httpFilters`.
fn in_camel_case(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(in_camel_case).collect(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| {
                // Names of filters, and types, are no fields.
                let is_field = !name.contains(['.', '@']);
                let name = if is_field { camel_case(&name) } else { name };
                (name, in_camel_case(value))
            });
            Value::Object(members.collect())
        }
        other => other,
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(1);
        text.push_str(&first.to_ascii_uppercase());
        text.push_str(rest);
    }
    text
}

fn jwt_authn(draw: &mut Draw) -> Value {
    let mut providers = Map::new();
    for (at, (issuer, key)) in ISSUERS.iter().enumerate() {
        if at == 0 || draw.chance(70) {
            providers.insert(format!("p{at}"), provider(draw, issuer, key));
        }
    }
    let names: Vec<String> = providers.keys().cloned().collect();
    let rules = draw.times(0, 4, |draw| {
        let mut rule = json!({"match": route_match(draw)});
        if draw.chance(85) {
            rule["requires"] = requirement(draw, &names, 2);
        } else if draw.chance(30) {
            rule["requires"] = json!({});
        }
        rule
    });
    let mut configuration = json!({
        "providers": providers,
        "rules": rules,
        "bypass_cors_preflight": draw.chance(40),
    });
    if draw.chance(25) {
        let requirements = draw.times(1, 2, |draw| requirement(draw, &names, 1));
        let requirements = (0..)
            .map(|at| format!("requirement-{at}"))
            .zip(requirements);
        configuration["requirement_map"] = Value::Object(requirements.collect());
    }
    named(
        "envoy.filters.http.jwt_authn",
        "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        configuration,
    )
}

fn provider(draw: &mut Draw, issuer: &str, key: &str) -> Value {
    let mut provider = json!({"local_jwks": {"inline_string": public_keys(key)}});
    if draw.chance(85) {
        provider["issuer"] = json!(issuer);
    }
    if draw.chance(60) {
        provider["audiences"] = json!(draw.some(2, &AUDIENCES));
    }
    if draw.chance(30) {
        let header = if draw.chance(50) {
            json!({"name": "authorization", "value_prefix": draw.one(&["Bearer ", "Token ", ""])})
        } else {
            json!({"name": "x-token"})
        };
        provider["from_headers"] = json!([header]);
    }
    if draw.chance(20) {
        provider["from_params"] = json!(["token"]);
    }
    if draw.chance(20) {
        provider["from_cookies"] = json!(["session"]);
    }
    provider["forward"] = json!(draw.chance(40));
    if draw.chance(85) {
        provider["payload_in_metadata"] = json!(draw.one(&["jwt", "jwt", "payload"]));
    }
    if draw.chance(20) {
        provider["forward_payload_header"] = json!("x-payload");
    }
    if draw.chance(20) {
        provider["claim_to_headers"] = json!([{"header_name": "x-user", "claim_name": "sub"}]);
    }
    if draw.chance(20) {
        provider["clock_skew_seconds"] = json!(10);
    }
    if draw.chance(15) {
        provider["require_expiration"] = json!(true);
    }
    if draw.chance(15) {
        provider["max_lifetime"] = json!("3600s");
    }
    if draw.chance(15) {
        provider["subjects"] = string(draw, &VALUES);
    }
    if draw.chance(15) {
        provider["normalize_payload_in_metadata"] = json!({"space_delimited_claims": ["scope"]});
    }
    provider
}

fn route_match(draw: &mut Draw) -> Value {
    let mut found = match draw.below(10) {
        0..=3 => json!({"prefix": draw.one(&PATHS)}),
        4 | 5 => json!({"path": draw.one(&PATHS)}),
        6 | 7 => json!({"safe_regex": {"regex": draw.one(&REGEXES)}}),
        8 => {
            let templates = TEMPLATES;
            json!({"path_match_policy": {"name": "template", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
                "path_template": draw.one(&templates),
            }}})
        }
        _ => json!({"path_separated_prefix": draw.one(&["/api", "/api/v1", "/admin"])}),
    };
    let is_template = found.get("path_match_policy").is_some();
    if draw.chance(15) && found.get("safe_regex").is_none() && !is_template {
        found["case_sensitive"] = json!(false);
    }
    if draw.chance(25) {
        found["headers"] = json!(draw.times(1, 2, header));
    }
    if draw.chance(8) {
        found["query_parameters"] = json!([{"name": "x", "string_match": string(draw, &VALUES)}]);
    }
    found
}

fn requirement(draw: &mut Draw, names: &[String], depth: usize) -> Value {
    let name = names[draw.below(names.len())].clone();
    match draw.below(if depth == 0 { 4 } else { 9 }) {
        0 | 1 => json!({"provider_name": name}),
        2 => json!({"provider_and_audiences": {
            "provider_name": name, "audiences": draw.some(2, &AUDIENCES),
        }}),
        3 => match draw.below(3) {
            0 => json!({"allow_missing_or_failed": {}}),
            _ => json!({"allow_missing": {}}),
        },
        4..=6 => {
            let list = draw.times(2, 3, |draw| requirement(draw, names, depth - 1));
            json!({"requires_any": {"requirements": list}})
        }
        7 => {
            let list = draw.times(2, 2, |draw| requirement(draw, names, depth - 1));
            json!({"requires_all": {"requirements": list}})
        }
        _ => json!({"provider_name": name}),
    }
}

fn rbac(draw: &mut Draw) -> Value {
    let mut configuration = json!({});
    if draw.chance(95) {
        configuration["rules"] = rules(draw);
    }
    if draw.chance(10) {
        configuration["shadow_rules"] = rules(draw);
    }
    if draw.chance(4) {
        let action = json!({"name": "all", "action": draw.one(&["ALLOW", "DENY"])});
        let action = typed("envoy.config.rbac.v3.Action", action);
        let matched = json!({"action": {"name": "all", "typed_config": action}});
        configuration = json!({"matcher": {"on_no_match": matched}});
    }
    named(
        "envoy.filters.http.rbac",
        "envoy.extensions.filters.http.rbac.v3.RBAC",
        configuration,
    )
}

/// The rules of an `rbac` filter.
fn rules(draw: &mut Draw) -> Value {
    let policies = draw.times(0, 3, |draw| {
        let permissions = draw.times(1, 2, |draw| permission(draw, 2));
        let principals = draw.times(1, 2, |draw| principal(draw, 2));
        let mut policy = json!({"permissions": permissions, "principals": principals});
        if draw.chance(4) {
            // `request.method == 'GET'`
            policy["condition"] = json!({"call_expr": {"function": "_==_", "args": [
                {"select_expr": {"operand": {"ident_expr": {"name": "request"}}, "field": "method"}},
                {"const_expr": {"string_value": "GET"}},
            ]}});
        }
        policy
    });
    let names = (0..).map(|at| format!("policy-{at}"));
    let policies: Map<String, Value> = names.zip(policies).collect();
    let action = draw.one(&["ALLOW", "ALLOW", "ALLOW", "DENY", "DENY", "LOG"]);
    let action = match (action, draw.below(8)) {
        // Enumerations can be numbers, and ALLOW is the default.
        ("DENY", 0) => json!(1),
        ("LOG", 0) => json!(2),
        ("ALLOW", 0) => return json!({"policies": policies}),
        _ => json!(action),
    };
    json!({"action": action, "policies": policies})
}

fn permission(draw: &mut Draw, depth: usize) -> Value {
    match draw.below(if depth == 0 { 9 } else { 14 }) {
        0 | 1 => json!({"any": true}),
        2 => json!({"header": header(draw)}),
        3..=6 => json!({"url_path": {"path": path(draw)}}),
        7 => json!({"header": {"name": ":method", "string_match": {"exact": draw.one(&METHODS)}}}),
        8 => match draw.below(4) {
            0 => json!({"destination_port": 443}),
            1 => json!({"metadata": metadata(draw)}),
            2 => json!({"uri_template": {"name": "template", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
                "path_template": draw.one(&TEMPLATES),
            }}}),
            _ => json!({"header": {"name": ":path", "string_match": path(draw)}}),
        },
        9 | 10 => {
            json!({"and_rules": {"rules": draw.times(1, 3, |draw| permission(draw, depth - 1))}})
        }
        11 | 12 => {
            json!({"or_rules": {"rules": draw.times(1, 3, |draw| permission(draw, depth - 1))}})
        }
        _ => json!({"not_rule": permission(draw, depth - 1)}),
    }
}

fn principal(draw: &mut Draw, depth: usize) -> Value {
    match draw.below(if depth == 0 { 11 } else { 16 }) {
        0 | 1 => json!({"any": true}),
        2..=5 => json!({"metadata": metadata(draw)}),
        6 => json!({"header": header(draw)}),
        7 => json!({"remote_ip": network(draw)}),
        8 => json!({"direct_remote_ip": network(draw)}),
        9 => match draw.below(3) {
            0 => json!({"source_ip": network(draw)}),
            1 => json!({"authenticated": {}}),
            _ => json!({"authenticated": {"principal_name": {"exact": "spiffe://a/ns/b/sa/c"}}}),
        },
        10 => json!({"url_path": {"path": path(draw)}}),
        11 | 12 => json!({"and_ids": {"ids": draw.times(1, 3, |draw| principal(draw, depth - 1))}}),
        13 | 14 => json!({"or_ids": {"ids": draw.times(1, 3, |draw| principal(draw, depth - 1))}}),
        _ => json!({"not_id": principal(draw, depth - 1)}),
    }
}

fn network(draw: &mut Draw) -> Value {
    let (address, length) = NETWORKS[draw.below(NETWORKS.len())];
    json!({"address_prefix": address, "prefix_len": length})
}

fn path(draw: &mut Draw) -> Value {
    if draw.chance(20) {
        return json!({"safe_regex": {"regex": draw.one(&REGEXES)}});
    }
    string(draw, &PATHS)
}

fn header(draw: &mut Draw) -> Value {
    let mut header = match draw.below(10) {
        0 => json!({"name": ":authority", "string_match": string(draw, &HOSTS)}),
        1 => json!({"name": ":method", "string_match": string(draw, &METHODS)}),
        2 | 3 => json!({"name": draw.one(&HEADERS), "present_match": draw.chance(80)}),
        4 => match draw.below(4) {
            // Older names.
            0 => json!({"name": draw.one(&HEADERS), "exact_match": draw.one(&VALUES)}),
            1 => json!({"name": draw.one(&HEADERS), "prefix_match": draw.one(&VALUES)}),
            2 => json!({"name": draw.one(&HEADERS), "contains_match": draw.one(&VALUES)}),
            _ => json!({"name": draw.one(&HEADERS), "range_match": {"start": 1, "end": 9}}),
        },
        _ => json!({"name": draw.one(&HEADERS), "string_match": string(draw, &VALUES)}),
    };
    if draw.chance(25) {
        header["invert_match"] = json!(true);
    }
    if draw.chance(8) {
        header["treat_missing_header_as_empty"] = json!(true);
    }
    header
}

fn string(draw: &mut Draw, words: &[&str]) -> Value {
    let word = draw.one(words);
    let mut matcher = match draw.below(10) {
        0..=3 => json!({"exact": word}),
        4..=6 => json!({"prefix": word}),
        7 => json!({"suffix": word}),
        8 => json!({"contains": word}),
        _ => return json!({"safe_regex": {"regex": format!("{}.*", regex_lite::escape(word))}}),
    };
    if draw.chance(15) {
        matcher["ignore_case"] = json!(true);
    }
    matcher
}

fn metadata(draw: &mut Draw) -> Value {
    let filter = draw.one(&[
        "envoy.filters.http.jwt_authn",
        "envoy.filters.http.jwt_authn",
        "envoy.filters.http.jwt_authn",
        "envoy.filters.http.jwt_authn",
        "envoy.filters.http.jwt_authn",
        "other",
    ]);
    let key = draw.one(&["jwt", "jwt", "jwt", "payload"]);
    let (path, value) = match draw.below(10) {
        0..=5 => (vec![draw.one(&CLAIMS)], value(draw, 1)),
        6 => (vec!["org", "unit"], value(draw, 1)),
        7 => (vec!["scope"], value(draw, 1)),
        8 => (vec!["flag"], json!({"bool_match": draw.chance(70)})),
        _ => match draw.below(3) {
            0 => (vec!["level"], json!({"double_match": {"exact": 3.0}})),
            1 => (
                vec!["iss"],
                json!({"string_match": {"exact": draw.one(&[ISSUERS[0].0, ISSUERS[1].0])}}),
            ),
            _ => (vec!["sub"], json!({"present_match": true})),
        },
    };
    let path = std::iter::once(key).chain(path);
    let path: Vec<Value> = path.map(|key| json!({"key": key})).collect();
    let mut matcher = json!({"filter": filter, "path": path, "value": value});
    if draw.chance(15) {
        matcher["invert"] = json!(true);
    }
    matcher
}

fn value(draw: &mut Draw, depth: usize) -> Value {
    match draw.below(if depth == 0 { 4 } else { 8 }) {
        0..=2 => json!({"string_match": string(draw, &VALUES)}),
        3 => json!({"present_match": draw.chance(80)}),
        4..=6 => json!({"list_match": {"one_of": value(draw, depth - 1)}}),
        _ => {
            let both = draw.times(2, 2, |draw| value(draw, depth - 1));
            json!({"or_match": {"value_matchers": both}})
        }
    }
}
