//! The routes around a configuration whose rules match routes, as far as the file shows them.

use countersign::config::{Fault, nearest};

use super::gate::Gate;
use crate::finding::Finding;
use crate::node::Node;

/// The findings about the routes of one connection manager; none at other nodes.
pub fn findings(manager: &Node<'_>, gates: &[Gate<'_, '_>]) -> Vec<Finding> {
    let (Some(routes), Some(http_filters)) = (
        manager.member("route_config"),
        manager.member("http_filters"),
    ) else {
        return Vec::new();
    };
    let inside: Vec<_> = gates
        .iter()
        .filter(|gate| gate.filter.is_in(&http_filters))
        .collect();
    let matches_routes =
        |gate: &&Gate<'_, '_>| gate.policy().is_some_and(|policy| policy.asks_for_route());
    if !inside.iter().any(matches_routes) {
        return Vec::new();
    }
    let mut findings = matched_by_identity(&routes, &inside);
    // With VHDS, Envoy fetches virtual hosts that are not in the file.
    if routes.member("vhds").is_none() {
        findings.extend(unknown_names(&routes, &inside));
    }
    findings
}

/// Routes that match on an identity header.
///
/// The filter sets identity headers after it has evaluated the request for the route that Envoy selected first. Envoy
/// then selects the route again.
fn matched_by_identity(routes: &Node<'_>, inside: &[&Gate<'_, '_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    routes.visit(&mut |node| {
        let headers = node.member("match").and_then(|all| all.member("headers"));
        for header in headers.iter().flat_map(Node::items) {
            let Some(name) = header.text("name") else {
                continue;
            };
            if inside.iter().any(|gate| gate.sets_header(name)) {
                let text = format!(
                    "the route matches on `{name}`, an identity header: Envoy selects it after the filter has \
                     evaluated the request for another route"
                );
                findings.push(Finding::warning("route-by-identity", &header.path, text));
            }
        }
    });
    findings
}

/// Route names in rules that no route in the file has.
fn unknown_names(routes: &Node<'_>, inside: &[&Gate<'_, '_>]) -> Vec<Finding> {
    let mut known = Vec::new();
    routes.visit(&mut |node| {
        let is_route = node.member("match").is_some() || node.is_message("config.route.v3.Route");
        known.extend(node.text("name").filter(|_| is_route));
    });
    let mut findings = Vec::new();
    for gate in inside {
        let path = &gate.configuration.path;
        let rules = gate
            .policy()
            .into_iter()
            .flat_map(|policy| policy.rules.iter());
        for (rule_index, rule) in rules.enumerate() {
            for (name_index, name) in rule.matches.routes.iter().enumerate() {
                if !known.contains(&name.as_str()) {
                    let fault = Fault::UnknownName {
                        kind: "route",
                        name: name.clone(),
                        nearest: nearest(name, known.iter().copied()),
                    };
                    let path = format!("{path}.rules[{rule_index}].match.route[{name_index}]");
                    findings.push(Finding::warning("unknown-route", path, fault.to_string()));
                }
            }
        }
    }
    findings
}
