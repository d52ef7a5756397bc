//! `cors`, `apiKeyAuth` and `basicAuth` of a SecurityPolicy.

use regex_lite::escape;
use serde_json::{Value, json};

use super::super::filter::{self, typed};
use super::Manifests;

const CORS: &str = "envoy.filters.http.cors";
const API_KEY: &str = "envoy.filters.http.api_key_auth";

pub fn cors_filter(policies: &[&Value]) -> Option<Value> {
    let mut policies = policies.iter();
    let is_used = policies.any(|policy| policy["spec"]["cors"].is_object());
    is_used.then(|| {
        filter::named(
            CORS,
            "envoy.extensions.filters.http.cors.v3.Cors",
            json!({}),
        )
    })
}

pub fn cors_on_route(policy: &Value) -> Option<(String, Value)> {
    let cors = policy["spec"].get("cors")?;
    let origins: Vec<Value> = texts(&cors["allowOrigins"])
        .map(|origin| match origin.contains('*') {
            true => json!({"safe_regex": {"regex": escape(origin).replace(r"\*", ".*")}}),
            false => json!({"exact": origin}),
        })
        .collect();
    let joined = |list: &Value| {
        let listed: Vec<&str> = texts(list).collect();
        if listed.contains(&"*") {
            "*".to_owned()
        } else {
            listed.join(", ")
        }
    };
    let policy = json!({
        "allow_origin_string_match": origins,
        "allow_methods": joined(&cors["allowMethods"]),
        "allow_headers": joined(&cors["allowHeaders"]),
        "expose_headers": joined(&cors["exposeHeaders"]),
        "allow_credentials": cors["allowCredentials"] == true,
        "forward_not_matching_preflights": false,
    });
    let kind = "envoy.extensions.filters.http.cors.v3.CorsPolicy";
    Some((CORS.to_owned(), typed(kind, policy)))
}

/// The filter has the keys of the first route; each route has its own.
pub fn api_key_filter(manifests: Manifests<'_>, policies: &[&Value]) -> Option<Value> {
    let mut policies = policies.iter();
    let configuration = policies.find_map(|policy| api_keys(manifests, policy))?;
    let kind = "envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth";
    let mut filter = filter::named(API_KEY, kind, configuration);
    filter["disabled"] = json!(true);
    Some(filter)
}

pub fn api_key_on_route(manifests: Manifests<'_>, policy: &Value) -> Option<(String, Value)> {
    let configuration = api_keys(manifests, policy)?;
    let kind = "envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuthPerRoute";
    Some((API_KEY.to_owned(), typed(kind, configuration)))
}

fn api_keys(manifests: Manifests<'_>, policy: &Value) -> Option<Value> {
    let keys = policy["spec"].get("apiKeyAuth")?;
    let secrets = keys["credentialRefs"].as_array().into_iter().flatten();
    let credentials: Vec<Value> = secrets
        .flat_map(|secret| manifests.secret(&secret["name"]))
        .map(|(client, key)| json!({"client": client, "key": key}))
        .collect();
    let mut sources = Vec::new();
    for from in keys["extractFrom"].as_array().into_iter().flatten() {
        for (list, member) in [
            ("headers", "header"),
            ("params", "query"),
            ("cookies", "cookie"),
        ] {
            sources.extend(texts(&from[list]).map(|name| json!({member: name})));
        }
    }
    let mut configuration = json!({"credentials": credentials, "key_sources": sources});
    let client = keys["forwardClientIDHeader"].as_str().unwrap_or_default();
    let is_hidden = keys["sanitize"] == true;
    if !client.is_empty() || is_hidden {
        configuration["forwarding"] = json!({"header": client, "hide_credentials": is_hidden});
    }
    Some(configuration)
}

/// A filter for each policy with users, off until a route turns it on.
pub fn basic_filters(manifests: Manifests<'_>, policies: &[&Value]) -> Vec<Value> {
    let mut filters: Vec<Value> = Vec::new();
    for policy in policies {
        let Some(users) = users(manifests, policy) else {
            continue;
        };
        if filters
            .iter()
            .any(|filter| filter["name"] == basic_name(policy))
        {
            continue;
        }
        let mut configuration = json!({"users": {"inline_string": users}});
        if let Some(header) = policy["spec"]["basicAuth"]["forwardUsernameHeader"].as_str() {
            configuration["forward_username_header"] = json!(header);
        }
        let kind = "envoy.extensions.filters.http.basic_auth.v3.BasicAuth";
        let mut filter = filter::named(&basic_name(policy), kind, configuration);
        filter["disabled"] = json!(true);
        filters.push(filter);
    }
    filters
}

pub fn basic_on_route(manifests: Manifests<'_>, policy: &Value) -> Option<(String, Value)> {
    let users = users(manifests, policy)?;
    let kind = "envoy.extensions.filters.http.basic_auth.v3.BasicAuthPerRoute";
    let configuration = typed(kind, json!({"users": {"inline_string": users}}));
    Some((basic_name(policy), configuration))
}

fn basic_name(policy: &Value) -> String {
    let name = policy["metadata"]["name"].as_str().unwrap_or_default();
    format!("envoy.filters.http.basic_auth/{name}")
}

fn users(manifests: Manifests<'_>, policy: &Value) -> Option<String> {
    let secret = policy["spec"]["basicAuth"].get("users")?;
    let members = manifests.secret(&secret["name"]);
    let file = members.into_iter().find(|(name, _)| name == ".htpasswd");
    Some(file.expect("a Secret with `.htpasswd`").1)
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}
