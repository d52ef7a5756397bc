//! Where requests bypass the filter: it is disabled, optional, selected by a matcher, or missing in a filter chain.

use super::gate::Gate;
use crate::finding::Finding;
use crate::locate::{Located, Platform};
use crate::node::Node;

/// An HTTP filter that runs a Countersign filter: an item of `http_filters`, or the patch of an `EnvoyFilter`.
struct HttpFilter<'g, 'l, 'v> {
    node: Node<'v>,
    /// Its list, which is a filter chain; none for a patch.
    chain: Option<String>,
    gate: &'g Gate<'l, 'v>,
    /// Whether a route, a virtual host or a route configuration in the file enables the filter.
    is_enabled_somewhere: bool,
}

/// The findings in a file.
pub fn findings(gates: &[Gate<'_, '_>], located: &Located<'_>) -> Vec<Finding> {
    let http_filters = http_filters(gates, located);
    let mut findings = Vec::new();
    for http_filter in &http_filters {
        findings.extend(http_filter.findings(&http_filters, located));
    }
    located.visit(|node| {
        findings.extend(disabled_by_route(node, &http_filters));
        findings.extend(chains_without(node, gates));
    });
    findings.extend(listeners_without(gates, located));
    findings
}

fn http_filters<'g, 'l, 'v>(
    gates: &'g [Gate<'l, 'v>],
    located: &Located<'v>,
) -> Vec<HttpFilter<'g, 'l, 'v>> {
    let mut found: Vec<HttpFilter<'g, 'l, 'v>> = Vec::new();
    located.visit(|node| {
        let Some(list) = node.member("http_filters") else {
            return;
        };
        for item in list.items() {
            let run = gates.iter().filter(|gate| gate.filter.is_run_by(&item));
            found.extend(run.map(|gate| HttpFilter {
                node: item.clone(),
                chain: Some(list.path.clone()),
                gate,
                is_enabled_somewhere: false,
            }));
        }
    });
    for gate in gates {
        if !found.iter().any(|known| std::ptr::eq(known.gate, gate)) {
            found.push(HttpFilter {
                node: gate.filter.named.clone(),
                chain: None,
                gate,
                is_enabled_somewhere: false,
            });
        }
    }
    located.visit(|node| {
        let configs = node.member("typed_per_filter_config");
        for (key, config) in configs.iter().flat_map(Node::members) {
            for filter in found.iter_mut().filter(|filter| filter.is_called(key)) {
                filter.is_enabled_somewhere |= !disables(&config);
            }
        }
    });
    found
}

/// Whether a configuration is RBAC that allows no request: `rules: {}`.
fn denies_all(config: &Node<'_>) -> bool {
    let rbac = config.message("filters.http.rbac.v3.RBAC");
    let rules = rbac.and_then(|rbac| rbac.member("rules"));
    rules.is_some_and(|rules| {
        rules
            .value
            .as_object()
            .is_some_and(|rules| rules.is_empty())
    })
}

impl HttpFilter<'_, '_, '_> {
    fn findings(&self, all: &[Self], located: &Located<'_>) -> Vec<Finding> {
        [
            self.disabled(all, located),
            self.optional(),
            self.default_config(),
            self.matcher(),
            self.selected_traffic(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn is_disabled(&self) -> bool {
        self.node.is_true("disabled")
    }

    /// Whether this is the filter that a key of `typed_per_filter_config` names.
    ///
    /// Istio calls the filter of a plugin `extensions.istio.io/wasmplugin/<namespace>.<name>`.
    fn is_called(&self, key: &str) -> bool {
        let metadata = self.node.member("metadata");
        let resource = metadata.as_ref().and_then(|metadata| metadata.text("name"));
        let of_plugin = key.rsplit_once('.').map(|(_, name)| name);
        self.node.text("name") == Some(key) || resource.is_some() && of_plugin == resource
    }

    /// Whether two filters are in one chain.
    fn is_beside(&self, other: &Self) -> bool {
        self.chain.is_some() && self.chain == other.chain
    }

    fn disabled(&self, all: &[Self], located: &Located<'_>) -> Option<Finding> {
        let path = self.node.member("disabled")?.path;
        if !self.is_disabled() {
            return None;
        }
        if all
            .iter()
            .any(|other| self.is_beside(other) && !other.is_disabled())
        {
            let text = "unless its route enables the filter, a request is evaluated only by another Countersign filter";
            return Some(Finding::warning("enabled-by-route", path, text));
        }
        if self.is_enabled_somewhere {
            let text = "the filter runs only on routes that enable it: other requests pass without authentication";
            return Some(Finding::warning("enabled-by-route", path, text));
        }
        let text = "the filter does not run: every request passes without authentication; remove `disabled`";
        let has_routes_elsewhere = has(located, |node| {
            ["rds", "scoped_routes", "vhds"]
                .iter()
                .any(|key| node.member(key).is_some())
        });
        Some(match has_routes_elsewhere {
            true => Finding::warning(
                "enabled-by-route",
                path,
                "unless its route enables the filter, a request passes without authentication; remove `disabled`",
            ),
            false => Finding::error("filter-disabled", path, text),
        })
    }

    fn optional(&self) -> Option<Finding> {
        let optional = self.node.member("is_optional")?;
        let text = "an Envoy that does not support Wasm ignores an optional filter: every request passes without \
                    authentication; remove `is_optional`";
        self.node
            .is_true("is_optional")
            .then(|| Finding::warning("filter-optional", optional.path, text))
    }

    fn default_config(&self) -> Option<Finding> {
        let default = self.node.at(&["config_discovery", "default_config"])?;
        let text = "until Envoy has fetched the filter, requests pass without authentication; remove `default_config`";
        let is_filter = default.message("filters.http.wasm.v3.Wasm").is_some();
        (!is_filter && !denies_all(&default))
            .then(|| Finding::warning("default-config", default.path, text))
    }

    /// The finding about a filter that is part of another one: `ExtensionWithMatcher`, or an action of the composite
    /// filter.
    fn matcher(&self) -> Option<Finding> {
        let gate = &self.gate.filter.named;
        let outer = self.node.member("typed_config")?;
        if !gate.is_within(&outer) {
            return None;
        }
        let extension = outer.member("extension_config");
        let is_extension = extension.is_some_and(|extension| gate.is_within(&extension));
        let mut skips = false;
        outer.visit(&mut |node| skips |= node.message("action.v3.SkipFilter").is_some());
        let text = "the matcher decides for which requests the filter runs: others pass without authentication";
        (skips || !is_extension).then(|| Finding::warning("matcher", outer.path, text))
    }

    /// The finding about the `match` of Istio that selects a part of the traffic.
    ///
    /// `mode: CLIENT` selects all traffic of a gateway, and `mode: SERVER` all traffic to a sidecar.
    fn selected_traffic(&self) -> Option<Finding> {
        let filter = self.gate.filter;
        let is_of_istio = filter.platform == Platform::Istio;
        let selectors = self.node.at(&["spec", "match"]).filter(|_| is_of_istio)?;
        let is_gateway = self.is_of_gateway();
        let selects_all = |selector: &Node<'_>| {
            let mode = selector.text("mode").unwrap_or("UNDEFINED");
            let other = if is_gateway { "SERVER" } else { "CLIENT" };
            selector.member("ports").is_none() && mode != other
        };
        let is_partial = selectors.items().next().is_some()
            && !selectors.items().any(|selector| selects_all(&selector));
        let text = "the filter runs only for the traffic that `match` selects: other requests pass without \
                    authentication";
        is_partial.then(|| Finding::warning("partial-match", selectors.path, text))
    }

    /// Whether a resource of Istio applies to gateways, as far as its labels and targets show.
    fn is_of_gateway(&self) -> bool {
        let mut is_gateway = false;
        let spec = self.node.member("spec");
        let targets = ["selector", "targetRef", "targetRefs"];
        let targets = targets.iter().filter_map(|key| spec.as_ref()?.member(key));
        for target in targets {
            target.visit(&mut |node| {
                let text = node.value.as_str().unwrap_or_default();
                is_gateway |= text.to_ascii_lowercase().contains("gateway");
            });
        }
        is_gateway
    }
}

/// The finding about the `typed_per_filter_config` of a route, a virtual host, a cluster or a route configuration that
/// disables the filter, unless another Countersign filter of the chain runs there.
///
/// A route with `direct_response` or `redirect` has no upstream.
fn disabled_by_route(node: &Node<'_>, http_filters: &[HttpFilter<'_, '_, '_>]) -> Vec<Finding> {
    let configs = node.member("typed_per_filter_config");
    let answers = ["direct_response", "redirect"]
        .iter()
        .any(|key| node.member(key).is_some());
    if answers {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let configs: Vec<_> = configs.iter().flat_map(Node::members).collect();
    let is_disabled = |filter: &HttpFilter<'_, '_, '_>| {
        let mut named = configs.iter().filter(|(key, _)| filter.is_called(key));
        named.any(|(_, config)| disables(config))
            || filter.is_disabled() && !filter.is_enabled_somewhere
    };
    for (key, config) in &configs {
        let called = http_filters.iter().find(|filter| filter.is_called(key));
        let Some(called) = called.filter(|_| disables(config)) else {
            continue;
        };
        let is_replaced = http_filters
            .iter()
            .any(|other| called.is_beside(other) && !is_disabled(other));
        if !is_replaced {
            let text = "the filter does not run here: requests pass without authentication, with the identity headers \
                        that clients send; use a rule with `allow: public` instead";
            findings.push(Finding::error(
                "filter-disabled-by-route",
                config.path.clone(),
                text,
            ));
        }
    }
    findings
}

/// Whether this is a `FilterConfig` that disables a filter.
fn disables(config: &Node<'_>) -> bool {
    let config = config.message("config.route.v3.FilterConfig");
    config.is_some_and(|config| config.is_true("disabled"))
}

/// The filter chains of a listener that have no Countersign filter, if another one of the listener has one.
///
/// A chain whose routes only redirect or answer has no upstream.
fn chains_without(listener: &Node<'_>, gates: &[Gate<'_, '_>]) -> Vec<Finding> {
    let chains = listener.member("filter_chains");
    let mut chains: Vec<_> = chains.iter().flat_map(Node::items).collect();
    chains.extend(listener.member("default_filter_chain"));
    let mut findings = Vec::new();
    let mut is_guarded = false;
    for chain in &chains {
        chain.visit(&mut |node| {
            let Some(http_filters) = node.member("http_filters") else {
                return;
            };
            if gates.iter().any(|gate| gate.filter.is_in(&http_filters)) {
                is_guarded = true;
            } else if forwards(node) {
                let text = "this filter chain has no Countersign filter, but another one of the same listener has: \
                            requests pass here without authentication";
                findings.push(Finding::warning("chain-without-filter", &node.path, text));
            }
        });
    }
    if is_guarded { findings } else { Vec::new() }
}

/// The connection managers of other listeners without a Countersign filter that forward requests to the same upstream as
/// one with a filter.
fn listeners_without(gates: &[Gate<'_, '_>], located: &Located<'_>) -> Vec<Finding> {
    let (mut guarded, mut open) = (Vec::new(), Vec::new());
    located.visit(|listener| {
        if listener.member("filter_chains").is_none() {
            return;
        }
        let (mut is_guarded, mut managers) = (false, Vec::new());
        listener.visit(&mut |node| {
            if let Some(http_filters) = node.member("http_filters") {
                is_guarded |= gates.iter().any(|gate| gate.filter.is_in(&http_filters));
                managers.push(node.clone());
            }
        });
        match is_guarded {
            true => guarded.extend(managers.iter().flat_map(upstreams)),
            false => open.extend(managers),
        }
    });
    let text = "this listener has no Countersign filter, and another one that has forwards requests to the same cluster: \
                requests pass here without authentication";
    open.iter()
        .filter(|manager| {
            upstreams(manager)
                .iter()
                .any(|cluster| guarded.contains(cluster))
        })
        .map(|manager| Finding::note("listener-without-filter", &manager.path, text))
        .collect()
}

/// The clusters to which the routes of a connection manager forward requests.
fn upstreams<'v>(manager: &Node<'v>) -> Vec<&'v str> {
    let mut found = Vec::new();
    if let Some(routes) = manager.member("route_config") {
        routes.visit(&mut |node| found.extend(node.text("cluster")));
    }
    found
}

/// Whether a connection manager forwards requests, as far as the file shows its routes.
fn forwards(manager: &Node<'_>) -> bool {
    let Some(routes) = manager.member("route_config") else {
        return true;
    };
    let mut forwards = false;
    routes.visit(&mut |node| {
        forwards |= node.member("match").is_some() && node.member("route").is_some();
    });
    forwards
}

/// Whether a node of the file meets a condition.
fn has(located: &Located<'_>, mut condition: impl FnMut(&Node<'_>) -> bool) -> bool {
    let mut found = false;
    located.visit(|node| found |= condition(node));
    found
}
