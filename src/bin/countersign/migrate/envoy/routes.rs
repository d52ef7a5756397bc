//! Routes whose settings change filters → one formula. The first route that matches decides.

use super::chain::{Chain, Change};
use super::credentials;
use super::matcher::{Scope, route, unknown};
use super::rbac;
use crate::migrate::atom::{Atom, How, Text};
use crate::migrate::formula::Formula;
use crate::migrate::gate::Notes;
use crate::node::Node;

/// When requests pass the authentication, and when they are permitted.
type Decision = (Formula, Formula);

/// The decision of a chain with the settings of a route configuration.
pub fn of_configuration(
    configuration: &Node<'_>,
    chain: &Chain,
    scope: Scope<'_>,
    notes: &mut Notes,
) -> Decision {
    let outer = changes(configuration, chain, scope, notes);
    let hosts = configuration.member("virtual_hosts");
    let hosts: Vec<Node<'_>> = hosts.iter().flat_map(Node::items).collect();
    let has_changes = hosts.iter().any(has_settings);
    // Without a route, Envoy responds with 404 after the filters.
    let base = decide(chain, &[&outer]);
    if !has_changes {
        return base;
    }
    let mut domains = Vec::new();
    for host in &hosts {
        let decision = of_host(host, chain, &outer, scope, notes);
        let names = host.member("domains");
        for name in names.iter().flat_map(Node::items) {
            let name = name.value.as_str().unwrap_or_default().to_lowercase();
            domains.push((name, decision.clone()));
        }
    }
    // Envoy compares exact names first, then the longest that begin or end with a wildcard.
    domains.sort_by_key(|(name, _)| {
        let class = match name.as_str() {
            "*" => 3,
            name if name.starts_with('*') => 1,
            name if name.ends_with('*') => 2,
            _ => 0,
        };
        (class, std::cmp::Reverse(name.len()))
    });
    domains
        .into_iter()
        .rev()
        .fold(base, |otherwise, (name, decision)| {
            choice(&domain(&name), decision, otherwise)
        })
}

fn of_host(
    host: &Node<'_>,
    chain: &Chain,
    outer: &[(String, Change)],
    scope: Scope<'_>,
    notes: &mut Notes,
) -> Decision {
    let own = changes(host, chain, scope, notes);
    let routes = host.member("routes");
    let mut decisions = Vec::new();
    for node in routes.iter().flat_map(Node::items) {
        let changes = changes(&node, chain, scope, notes);
        let matches = match node.member("match") {
            Some(matcher) => route(&matcher, scope, notes),
            None => Formula::True,
        };
        decisions.push((matches, decide(chain, &[&changes, &own, outer])));
    }
    let mut otherwise = decide(chain, &[&own, outer]);
    if let Some(tree) = host.member("matcher").filter(has_settings) {
        let text = "a tree of routes with settings for filters: its requests are denied";
        let never = unknown(notes, "matcher", &scope.place(&tree), text);
        otherwise = (
            Formula::all([otherwise.0, never.clone()]),
            Formula::all([otherwise.1, never]),
        );
    }
    decisions
        .into_iter()
        .rev()
        .fold(otherwise, |otherwise, (matches, decision)| {
            choice(&matches, decision, otherwise)
        })
}

/// The decision with changes, the most specific first.
fn decide(chain: &Chain, changes: &[&[(String, Change)]]) -> Decision {
    chain.with(&|name| {
        let mut changes = changes.iter().flat_map(|level| level.iter());
        let found = changes.find(|(own, _)| own == name);
        found.map(|(_, change)| change.clone())
    })
}

fn choice(condition: &Formula, then: Decision, otherwise: Decision) -> Decision {
    (
        Formula::choice(condition.clone(), then.0, otherwise.0),
        Formula::choice(condition.clone(), then.1, otherwise.1),
    )
}

fn domain(name: &str) -> Formula {
    let (how, text) = match (name, name.strip_prefix('*'), name.strip_suffix('*')) {
        ("*", ..) => return Formula::True,
        (_, Some(rest), _) => (How::Suffix, rest),
        (_, _, Some(rest)) => (How::Prefix, rest),
        (name, None, None) => (How::Exact, name),
    };
    Formula::atom(Atom::Host(Text {
        how,
        text: text.to_owned(),
        ignores_case: true,
    }))
}

/// Whether a part of the routes has settings for filters: a virtual host, a route, a cluster of a route.
fn has_settings(part: &Node<'_>) -> bool {
    let mut has_settings = false;
    part.visit(&mut |node| has_settings |= settings(node).is_some());
    has_settings
}

fn settings<'v>(node: &Node<'v>) -> Option<Node<'v>> {
    let settings = node.member("typed_per_filter_config")?;
    let has_members = settings.members().next().is_some();
    has_members.then_some(settings)
}

/// The changes of a route, a virtual host or a route configuration.
fn changes(
    node: &Node<'_>,
    chain: &Chain,
    scope: Scope<'_>,
    notes: &mut Notes,
) -> Vec<(String, Change)> {
    // A route can divide its requests among clusters, each with settings.
    let mut nested = Vec::new();
    if node.member("match").is_some() {
        node.visit(&mut |inner| {
            let is_own = inner.path == node.path;
            if !is_own && let Some(settings) = settings(inner) {
                nested.extend(
                    settings
                        .members()
                        .map(|(name, node)| (name.to_owned(), node)),
                );
            }
        });
    }
    let mut changes = Vec::new();
    for (name, node) in nested {
        if chain.has(&name) {
            let text = "settings of a cluster of a route: its requests are denied";
            let never = unknown(notes, "typed_per_filter_config", &scope.place(&node), text);
            changes.push((name, Change::Unknown(never)));
        }
    }
    let own = settings(node);
    for (name, settings) in own.iter().flat_map(Node::members) {
        if chain.has(name) {
            changes.push((
                name.to_owned(),
                change(name, &settings, chain, scope, notes),
            ));
        }
    }
    changes
}

fn change(
    name: &str,
    settings: &Node<'_>,
    chain: &Chain,
    scope: Scope<'_>,
    notes: &mut Notes,
) -> Change {
    let place = scope.place(settings);
    if settings.is_message("route.v3.FilterConfig") {
        return match (settings.is_true("disabled"), settings.member("config")) {
            (true, _) => Change::Disabled,
            (false, None) => Change::Enabled,
            (false, Some(inner)) if inner.members().all(|(key, _)| key == "@type") => {
                Change::Enabled
            }
            (false, Some(inner)) => change(name, &inner, chain, scope, notes),
        };
    }
    if settings.is_message("jwt_authn.v3.PerRouteConfig") {
        if settings.is_true("disabled") {
            return Change::Disabled;
        }
        if let Some(name) = settings.text("requirement_name") {
            notes.equal("requirement_name", &place, "is in the rules");
            return Change::Requirement(name.to_owned());
        }
    }
    if settings.is_message("rbac.v3.RBACPerRoute") {
        return match settings.member("rbac") {
            None => Change::Disabled,
            Some(policies) => {
                let scope = Scope {
                    sees_tokens: chain.sees_tokens(name),
                    ..scope
                };
                Change::Policies(rbac::read(&policies, scope, notes))
            }
        };
    }
    if settings.is_message("api_key_auth.v3.ApiKeyAuthPerRoute")
        && settings
            .members()
            .all(|(key, _)| matches!(key, "@type" | "allowed_clients" | "allowedClients"))
    {
        let clients = settings.member("allowed_clients");
        let clients = clients.iter().flat_map(Node::items);
        let clients = clients.filter_map(|item| item.value.as_str().map(str::to_owned));
        let clients: Vec<String> = clients.collect();
        if clients.is_empty() {
            return Change::Enabled;
        }
        notes.differs_from(
            "allowed_clients",
            &place,
            (403, "Client is forbidden."),
            (403, "forbidden"),
            "the key is of another client",
        );
        let provider = chain.provider_of(name).unwrap_or_default();
        return Change::Clients(credentials::one_of(&provider, &clients));
    }
    let text = "settings of a route: its requests are denied";
    Change::Unknown(unknown(notes, "typed_per_filter_config", &place, text))
}
