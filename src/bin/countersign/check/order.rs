//! Filters of one chain in an order that makes the filter, or another one, ineffective.
//!
//! Envoy runs the HTTP filters of a chain in their order. A filter before Countersign sees the identity headers that the
//! client sent, and no filter state. A filter behind it can change what was evaluated.

use super::gate::Gate;
use crate::finding::Finding;
use crate::node::Node;

/// The pseudo-headers and headers that the rules match on.
const EVALUATED: [&str; 4] = [":path", ":method", ":authority", "host"];

/// The findings about the HTTP filters of one connection manager; none at other nodes.
pub fn findings(manager: &Node<'_>, gates: &[Gate<'_, '_>]) -> Vec<Finding> {
    let http_filters = manager.member("http_filters");
    let http_filters: Vec<_> = http_filters.iter().flat_map(Node::items).collect();
    let is_gate = |item: &Node<'_>| gates.iter().any(|gate| gate.filter.is_run_by(item));
    let mut findings = Vec::new();
    for gate in gates {
        let position = http_filters
            .iter()
            .position(|item| gate.filter.is_run_by(item));
        let Some((before, behind)) =
            position.and_then(|position| http_filters.split_at_checked(position))
        else {
            continue;
        };
        for other in before.iter().filter(|other| !is_gate(other)) {
            findings.extend(before_gate(other, manager, gate));
            findings.extend(removed_tokens(other));
        }
        for other in behind.iter().filter(|other| !is_gate(other)) {
            findings.extend(behind_gate(other));
        }
    }
    findings
}

/// Whether this is the HTTP filter of Envoy whose type is in the package `filters.http.<package>`.
pub(super) fn is_filter(item: &Node<'_>, package: &str) -> bool {
    let named = item.text("name");
    let typed = item.member("typed_config");
    let type_url = typed.as_ref().and_then(|typed| {
        let inner = typed.text("type_url");
        inner.or_else(|| typed.text("@type"))
    });
    named.is_some_and(|name| name == format!("envoy.filters.http.{package}"))
        || type_url.is_some_and(|url| url.contains(&format!(".filters.http.{package}.v3.")))
}

/// The finding about a filter that runs before Countersign.
fn before_gate(other: &Node<'_>, manager: &Node<'_>, gate: &Gate<'_, '_>) -> Option<Finding> {
    if is_filter(other, "router") {
        let text = "the router sends requests to the upstream, so no filter behind it runs: Envoy rejects this \
                    configuration; move the router to the end";
        return Some(Finding::error("behind-router", &other.path, text));
    }
    // These set or remove headers. Countersign replaces what they set.
    if is_filter(other, "header_mutation") || is_filter(other, "jwt_authn") {
        return None;
    }
    let (node, name) = settings(other, manager)
        .iter()
        .find_map(|settings| gate.named_within(settings))?;
    let text = format!(
        "this filter reads `{name}` before Countersign sets it, so it reads what the client sent, or nothing; move it \
         behind Countersign"
    );
    Some(match is_filter(other, "rbac") {
        true => Finding::error("read-before-set", node.path, text),
        false => Finding::warning("read-before-set", node.path, text),
    })
}

/// The findings about Envoy's own JWT filter before Countersign, which removes the tokens that it verifies.
fn removed_tokens(other: &Node<'_>) -> Vec<Finding> {
    let providers = other
        .at(&["typed_config", "providers"])
        .filter(|_| is_filter(other, "jwt_authn"));
    let providers = providers.iter().flat_map(Node::members);
    let removing = providers.filter(|(_, provider)| !provider.is_true("forward"));
    let text =
        "Envoy removes the token of this provider before Countersign reads it; set `forward: true`";
    removing
        .map(|(_, provider)| Finding::warning("token-removed", provider.path, text))
        .collect()
}

/// The settings of an HTTP filter: its own, those of routes, and the rate limits of routes for a filter that applies them.
pub(super) fn settings<'n>(filter: &Node<'n>, manager: &Node<'n>) -> Vec<Node<'n>> {
    let limits = ["ratelimit", "local_ratelimit"]
        .iter()
        .any(|package| is_filter(filter, package));
    let mut settings = vec![filter.clone()];
    let name = filter.text("name").unwrap_or_default();
    if let Some(routes) = manager.member("route_config") {
        routes.visit(&mut |node| {
            let of_routes = node.member("typed_per_filter_config");
            let of_routes = of_routes.iter().flat_map(Node::members);
            settings.extend(of_routes.filter_map(|(key, config)| (key == name).then_some(config)));
            settings.extend(node.member("rate_limits").filter(|_| limits));
        });
    }
    settings
}

/// The finding about a filter that runs behind Countersign.
fn behind_gate(other: &Node<'_>) -> Option<Finding> {
    let mut changed = None;
    if is_filter(other, "grpc_json_transcoder") {
        changed = Some((other.path.clone(), ":path"));
    }
    // The filter `header_mutation` cannot change these.
    let is_lua = is_filter(other, "lua");
    other.visit(&mut |node| {
        let Some(text) = node.value.as_str().filter(|_| changed.is_none()) else {
            return;
        };
        let name = EVALUATED
            .into_iter()
            .find(|name| is_lua && sets(text, name));
        changed = name.map(|name| (node.path.clone(), name));
    });
    let (path, name) = changed?;
    let text = format!(
        "this filter changes `{name}` after Countersign has evaluated the request: no rule is evaluated for what the \
         upstream receives; move it before Countersign"
    );
    Some(Finding::warning("changed-after", path, text))
}

/// Whether Lua code sets a header of this name.
fn sets(code: &str, name: &str) -> bool {
    let code: String = code.split_whitespace().collect();
    ["replace", "add"].iter().any(|call| {
        ['"', '\'']
            .iter()
            .any(|quote| code.contains(&format!("{call}({quote}{name}{quote}")))
    })
}
