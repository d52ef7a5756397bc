//! Names in the settings around a filter that Envoy or Istio does not know: of an enumeration, of a filter, of a type.

use countersign::config::nearest;

use crate::finding::Finding;
use crate::locate::{Located, Platform, WasmFilter};
use crate::node::Node;

const PHASES: &[&str] = &["AUTHN", "AUTHZ", "STATS", "UNSPECIFIED_PHASE"];
const STRATEGIES: &[&str] = &["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"];
const POLICIES: &[&str] = &["FAIL_CLOSED", "FAIL_OPEN", "FAIL_RELOAD", "UNSPECIFIED"];
const TYPES: &[&str] = &["HTTP", "NETWORK", "UNSPECIFIED_PLUGIN_TYPE"];

/// The findings about a filter.
pub fn findings(filter: &WasmFilter<'_>) -> Vec<Finding> {
    let settings = &filter.settings;
    let spec = filter.named.member("spec");
    let values = match filter.platform {
        Platform::Envoy => vec![(settings.member("failure_policy"), POLICIES)],
        Platform::Istio => vec![
            (spec.as_ref().and_then(|spec| spec.member("phase")), PHASES),
            (settings.member("failStrategy"), STRATEGIES),
            (settings.member("type"), TYPES),
        ],
        Platform::EnvoyGateway => Vec::new(),
    };
    let values = values
        .into_iter()
        .filter_map(|(node, known)| unknown_value(&node?, known));
    values.collect()
}

/// The finding about a value that is not in an enumeration. A number is not looked at.
fn unknown_value(node: &Node<'_>, known: &[&str]) -> Option<Finding> {
    let found = node.value.as_str()?;
    if known.contains(&found) || found.parse::<u64>().is_ok() {
        return None;
    }
    let near = nearest(found, known.iter().copied());
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    let names: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    let text = format!(
        "expected one of {}, found `{found}`{near}",
        names.join(", ")
    );
    Some(Finding::error("unknown-value", &node.path, text))
}

/// The findings about the settings of routes, virtual hosts and clusters for filters.
pub fn of_routes(located: &Located<'_>, filters: &[&WasmFilter<'_>]) -> Vec<Finding> {
    let mut names = Vec::new();
    located.visit(|node| {
        let list = node.member("http_filters");
        let items = list.iter().flat_map(Node::items);
        names.extend(items.filter_map(|item| item.text("name")));
    });
    let own: Vec<_> = filters
        .iter()
        .filter_map(|filter| filter.named.text("name"))
        .collect();
    let mut findings = Vec::new();
    located.visit(|node| {
        let configs = node.member("typed_per_filter_config");
        for (key, config) in configs.iter().flat_map(Node::members) {
            let is_own = own.contains(&key);
            if is_own && config.message("wasm.v3.Wasm").is_some() {
                let text = "a Wasm filter has no configuration per route, so Envoy rejects this; use `match` in the rules";
                findings.push(Finding::error("configuration-per-route", config.path, text).at_key());
            } else if !is_own
                && !names.contains(&key)
                && let Some(near) = nearest(key, own.iter().copied())
            {
                let text = format!("no filter is called `{key}`; did you mean `{near}`?");
                findings.push(Finding::warning("unknown-filter", config.path, text).at_key());
            }
        }
    });
    findings
}
