//! The matchers of one condition of an AuthorizationPolicy.

use regex_lite::escape;
use serde_json::{Value, json};

use super::jwt::PAYLOAD;

/// istiod cannot generate a matcher.
#[derive(Debug, Clone, Copy)]
pub struct Unusable;

/// Whether a key of `when` is an attribute of Istio.
pub fn is_known(key: &str) -> bool {
    is_permission(key)
        || is_extended(key)
        || key.starts_with("request.headers")
        || matches!(
            key,
            "source.ip"
                | "remote.ip"
                | "source.namespace"
                | "source.trustDomain"
                | "source.serviceAccount"
                | "source.principal"
        )
}

/// Whether a condition is part of the permissions. Others are part of the principals.
pub fn is_permission(key: &str) -> bool {
    key.starts_with("experimental.envoy.filters.")
        || matches!(
            key,
            ":authority"
                | ":method"
                | "path-matcher"
                | "destination.port"
                | "destination.ip"
                | "connection.sni"
        )
}

/// Whether one matcher has all values of a condition.
pub fn is_extended(key: &str) -> bool {
    matches!(
        key,
        "request.auth.principal" | "request.auth.audiences" | "request.auth.presenter"
    ) || key.starts_with("request.auth.claims")
}

/// The matcher of one value.
pub fn single(key: &str, value: &str) -> Result<Value, Unusable> {
    let authenticated = |name: Value| json!({"authenticated": {"principal_name": name}});
    let regex = |regex: String| json!({"safe_regex": {"regex": regex}});
    Ok(match key {
        ":authority" => json!({"header": header(key, value, true)}),
        ":method" => json!({"header": header(key, value, false)}),
        "path-matcher" if value.contains("{*}") || value.contains("{**}") => {
            let template = value.replace("{*}", "*").replace("{**}", "**");
            json!({"uri_template": {"name": "uri-template", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
                "path_template": template,
            }}})
        }
        "path-matcher" => json!({"url_path": {"path": string(value)}}),
        "destination.port" => {
            json!({"destination_port": value.parse::<u16>().map_err(|_| Unusable)?})
        }
        "destination.ip" => json!({"destination_ip": range(value)?}),
        "connection.sni" => json!({"requested_server_name": string(value)}),
        "source.ip" => json!({"direct_remote_ip": range(value)?}),
        "remote.ip" => json!({"remote_ip": range(value)?}),
        "source.namespace" => {
            let parts: Vec<String> = value.split('*').map(escape).collect();
            authenticated(regex(format!(".*/ns/{}/.*", parts.join(".*"))))
        }
        "source.principal" => authenticated(match value {
            "*" => regex(".+".to_owned()),
            _ => match (value.strip_prefix('*'), value.strip_suffix('*')) {
                (Some(rest), _) => regex(format!("spiffe://.*{}", escape(rest))),
                (_, Some(rest)) => json!({"prefix": format!("spiffe://{rest}")}),
                _ => json!({"exact": format!("spiffe://{value}")}),
            },
        }),
        _ => {
            let name = key.strip_prefix("request.headers").ok_or(Unusable)?;
            let name = name
                .strip_prefix('[')
                .and_then(|name| name.strip_suffix(']'));
            json!({"header": header(name.ok_or(Unusable)?, value, false)})
        }
    })
}

/// The matcher of all values.
pub fn extended(key: &str, values: &[String]) -> Result<Value, Unusable> {
    match key {
        "request.auth.principal" => {
            let any: Vec<Value> = values
                .iter()
                .map(|value| request_principal(value))
                .collect();
            Ok(json!({"or_ids": {"ids": any}}))
        }
        "request.auth.audiences" => Ok(claim(&["aud"], values)),
        "request.auth.presenter" => Ok(claim(&["azp"], values)),
        _ => {
            let brackets = key.strip_prefix("request.auth.claims").ok_or(Unusable)?;
            let inner = brackets
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'));
            let path: Vec<&str> = inner.ok_or(Unusable)?.split("][").collect();
            Ok(claim(&path, values))
        }
    }
}

/// `iss/sub`, with a star at the beginning or the end.
fn request_principal(value: &str) -> Value {
    let any = || json!({"safe_regex": {"regex": ".+"}});
    let exact = |text: &str| json!({"exact": text});
    let slash = value.rsplit_once('/');
    let (issuer, subject) = match (slash, value) {
        (_, "*") => (any(), any()),
        (Some((issuer, subject)), _) if value.starts_with('*') => {
            let issuer = match issuer {
                "*" => any(),
                _ => json!({"suffix": issuer.strip_prefix('*')}),
            };
            (issuer, exact(subject))
        }
        (None, _) if value.starts_with('*') => (any(), json!({"suffix": value.strip_prefix('*')})),
        (Some((issuer, "*")), _) => (exact(issuer), any()),
        (Some((issuer, subject)), _) => match subject.strip_suffix('*') {
            Some(prefix) => (exact(issuer), json!({"prefix": prefix})),
            None => (exact(issuer), exact(subject)),
        },
        (None, _) => match value.strip_suffix('*') {
            Some(prefix) => (json!({"prefix": prefix}), any()),
            None => (exact(value), exact("")),
        },
    };
    let is = |claim: &str, matcher: Value| metadata(&[claim], &json!({"string_match": matcher}));
    json!({"and_ids": {"ids": [is("iss", issuer), is("sub", subject)]}})
}

/// A claim that is one of the values, or a list that contains one.
fn claim(path: &[&str], values: &[String]) -> Value {
    let mut values: Vec<Value> = values
        .iter()
        .map(|value| json!({"string_match": string(value)}))
        .collect();
    let value = match values.len() {
        1 => values.remove(0),
        _ => json!({"or_match": {"value_matchers": values}}),
    };
    let list = json!({"list_match": {"one_of": value}});
    metadata(
        path,
        &json!({"or_match": {"value_matchers": [list, value]}}),
    )
}

fn metadata(path: &[&str], value: &Value) -> Value {
    let path = std::iter::once(&PAYLOAD).chain(path);
    let path: Vec<Value> = path.map(|key| json!({"key": key})).collect();
    json!({"metadata": {"filter": "envoy.filters.http.jwt_authn", "path": path, "value": value}})
}

fn header(name: &str, value: &str, ignore_case: bool) -> Value {
    if value == "*" {
        return json!({"name": name, "present_match": true});
    }
    let mut matcher = string(value);
    matcher["ignore_case"] = json!(ignore_case);
    json!({"name": name, "string_match": matcher})
}

/// A value with a star at its beginning or end.
fn string(value: &str) -> Value {
    match (value.strip_prefix('*'), value.strip_suffix('*')) {
        (Some(""), _) => json!({"safe_regex": {"regex": ".+"}}),
        (Some(rest), _) => json!({"suffix": rest}),
        (_, Some(rest)) => json!({"prefix": rest}),
        _ => json!({"exact": value}),
    }
}

/// An address, or a network.
fn range(value: &str) -> Result<Value, Unusable> {
    let (address, length) = match value.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().map_err(|_| Unusable)?)),
        None => (value, None),
    };
    let address: std::net::IpAddr = address.parse().map_err(|_| Unusable)?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    Ok(json!({"address_prefix": address, "prefix_len": length.unwrap_or(whole)}))
}
