//! The routes around a document that looks at routes, as far as a file shows them.

use countersign::config::diagnostic::nearest;
use countersign::config::{Fault, Loaded};

use crate::found::{Found, Search};
use crate::tree::Node;

/// What a reader should know of the routes of one connection manager, each with its place.
pub fn warnings(manager: &Node<'_>, search: &Search<'_>) -> Vec<(String, String)> {
    let Some(http_filters) = manager.member("http_filters") else {
        return Vec::new();
    };
    let within: Vec<(&Found<'_>, Loaded)> = search
        .found
        .iter()
        .filter(|found| {
            let filter = found.filter.as_ref();
            let rest = filter.and_then(|filter| filter.path().strip_prefix(&http_filters.path));
            rest.is_some_and(|rest| rest.starts_with('['))
        })
        .filter_map(|found| Some((found, found.load().ok()?)))
        .collect();
    let Some(routes) = manager.member("route_config") else {
        return Vec::new();
    };
    let looks = |loaded: &Loaded| {
        let policy = loaded.plan.policy.as_ref();
        policy.is_some_and(|policy| policy.asks_for_route())
    };
    if !within.iter().any(|(_, loaded)| looks(loaded)) {
        return Vec::new();
    }
    let mut warnings = by_identity(&routes, &within);
    // Virtual hosts that are fetched one by one are not in the file.
    if routes.member("vhds").is_none() {
        warnings.extend(unknown(&routes, &within));
    }
    warnings
}

/// Routes that Envoy takes for what a filter has set, after another was judged.
fn by_identity(routes: &Node<'_>, within: &[(&Found<'_>, Loaded)]) -> Vec<(String, String)> {
    let mut warnings = Vec::new();
    routes.visit(&mut |node| {
        let fields = node.member("match").and_then(|all| all.member("headers"));
        for field in fields.iter().flat_map(Node::items) {
            let Some(name) = field.text("name") else {
                continue;
            };
            let claims = |(_, loaded): &(&Found<'_>, Loaded)| {
                let policy = loaded.plan.policy.as_ref();
                policy.is_some_and(|policy| policy.identity.conflicts_with(name.as_bytes()))
            };
            if within.iter().any(claims) {
                let text = format!(
                    "the route is chosen by `{name}`, which tells who the caller is: it is taken once the request was \
                     judged by another route"
                );
                warnings.push((field.path.clone(), text));
            }
        }
    });
    warnings
}

/// Routes that rules name and that are not there.
fn unknown(routes: &Node<'_>, within: &[(&Found<'_>, Loaded)]) -> Vec<(String, String)> {
    let mut names = Vec::new();
    routes.visit(&mut |node| {
        let is_route = node.member("match").is_some() || node.is_message("config.route.v3.Route");
        names.extend(node.text("name").filter(|_| is_route));
    });
    let mut warnings = Vec::new();
    for (found, loaded) in within {
        let rules = loaded
            .plan
            .policy
            .iter()
            .flat_map(|policy| policy.rules.iter());
        for (number, rule) in rules.enumerate() {
            for (place, name) in rule.matches.routes.iter().enumerate() {
                if !names.contains(&name.as_str()) {
                    let fault = Fault::UnknownName {
                        kind: "route",
                        name: name.clone(),
                        nearest: nearest(name, names.iter().copied()),
                    };
                    let path = format!("{}.rules[{number}].match.route[{place}]", found.path);
                    warnings.push((path, fault.to_string()));
                }
            }
        }
    }
    warnings
}
