//! Why rules do not match a request, as findings.

use countersign::evaluate::Sought;
use countersign::plan::{HeaderMatch, Match, Mismatch, Networks};
use countersign::request::path::Readings;
use serde_json::{Value, json};
use std::net::IpAddr;

use super::finding::{Finding, names, one_of, plain};

/// Why a rule does not match.
///
/// `is_secret` says whether a header contains credentials, whose values are not shown.
pub fn finding(
    own: &Match,
    mismatch: &Mismatch<'_>,
    sought: &Sought<'_>,
    is_secret: &dyn Fn(&str) -> bool,
) -> Finding {
    match mismatch {
        Mismatch::Path => {
            let patterns: Vec<String> = own.paths.iter().map(ToString::to_string).collect();
            let listed = names(patterns.iter().map(String::as_str));
            let message = format!("the path is not {}", one_of(patterns.len(), &listed));
            Finding::new("path", json!(patterns), path(sought.readings), message)
        }
        Mismatch::Method(methods) => {
            let listed = names(methods.iter().map(String::as_str));
            let message = format!("the method is not {}", one_of(methods.len(), &listed));
            Finding::new("method", json!(methods), text(sought.method), message)
        }
        Mismatch::Host(hosts) => {
            let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
            let found = sought.host.as_str();
            let listed = one_of(hosts.len(), &names(hosts.iter().map(String::as_str)));
            let message = format!("the host is not {listed}: found `{}`", plain(found));
            Finding::new("host", json!(hosts), found, message)
        }
        Mismatch::Header {
            name,
            expected,
            found,
        } => header(name, expected, *found, is_secret(name)),
        Mismatch::Route(routes) => {
            let listed = one_of(routes.len(), &names(routes.iter().map(String::as_str)));
            let found = sought.request.route().map(text);
            let message = format!("the route is not {listed}");
            Finding::new("route", json!(routes), json!(found), message)
        }
        Mismatch::Policy(policies) => {
            let listed = one_of(policies.len(), &names(policies.iter().map(String::as_str)));
            let found: Vec<Value> = sought
                .request
                .policies()
                .iter()
                .map(|own| text(own))
                .collect();
            let message = format!("the route does not have policy {listed}");
            Finding::new("policy", json!(policies), json!(found), message)
        }
        Mismatch::Networks(networks, client) => network(networks, *client),
    }
}

/// That an address is not in networks.
pub fn network(networks: &Networks, client: Option<IpAddr>) -> Finding {
    let texts = |list: &[ipnet::IpNet]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (allow, deny) = (texts(&networks.allow), texts(&networks.deny));
    let expected = json!({"allow": allow, "deny": deny});
    let Some(client) = client else {
        let message = "the client address is unknown: no network allows it";
        return Finding::new("network", expected, Value::Null, message);
    };
    let denies = |own: &&ipnet::IpNet| own.contains(&client);
    let message = match networks.deny.iter().find(denies) {
        Some(own) => format!("the client address `{client}` is in the denied network `{own}`"),
        None => format!(
            "the client address `{client}` is in no allowed network: {}",
            names(allow.iter().map(String::as_str))
        ),
    };
    Finding::new("network", expected, client.to_string(), message)
}

/// That a header does not have the value that a rule requires. Of a header with credentials, also the expected values are
/// secrets.
fn header(name: &str, expected: &HeaderMatch, found: Option<&[u8]>, is_secret: bool) -> Finding {
    let shown = found.filter(|_| !is_secret).map(text);
    let message = match (expected, found) {
        (HeaderMatch::Absent, _) => format!("the header `{name}` is present"),
        (HeaderMatch::OneOf(_), None) if is_secret => format!("the header `{name}` is missing"),
        (HeaderMatch::OneOf(_), Some(_)) if is_secret => {
            format!("the header `{name}` does not have an accepted value")
        }
        (HeaderMatch::OneOf(values), found) => {
            let listed = one_of(values.len(), &names(values.iter().map(String::as_str)));
            match found.map(String::from_utf8_lossy) {
                None => format!("the header `{name}` is missing: expected {listed}"),
                Some(found) => {
                    format!(
                        "the header `{name}` is not {listed}: found `{}`",
                        plain(&found)
                    )
                }
            }
        }
    };
    let expected = match expected {
        HeaderMatch::Absent => Value::Null,
        HeaderMatch::OneOf(_) if is_secret => Value::Null,
        HeaderMatch::OneOf(values) => json!(values),
    };
    Finding::new("header", expected, json!(shown), message).about(name)
}

fn path(readings: &Readings<'_>) -> Value {
    json!(readings.first().joined())
}

fn text(bytes: &[u8]) -> Value {
    json!(String::from_utf8_lossy(bytes))
}
