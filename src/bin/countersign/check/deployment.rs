//! Settings around a configuration that make it ineffective, as far as the file shows them.
//!
//! 1. It is an error if requests pass without authentication, if another filter believes what a client sends, or if the
//!    filter cannot work: a filter that fails open or does not run, a filter before it that reads identity headers, a
//!    missing cluster. The effect of every other setting depends on the rest of the deployment, so it is a warning.
//! 2. A setting that is not in the file is not reported, such as the connection manager around an Istio `WasmPlugin`.

use super::gate::Gate;
use super::{
    bypass, clusters, expired, issuer, istio, mesh, names, order, routes, secrets, state, tls,
    unmet, verbs,
};
use crate::finding::Finding;
use crate::locate::{Located, Platform, WasmFilter};
use crate::node::Node;

/// Every finding in a file: first those of the filters, then the others in the order of the file.
pub fn findings(located: &Located<'_>) -> Vec<Finding> {
    let gates = Gate::all(located);
    let mut findings = Vec::new();
    for Gate { filter, .. } in &gates {
        let unknown = names::findings(filter);
        let policy = filter.settings.member(filter.platform.failure_policy());
        if !unknown.iter().any(|finding| {
            policy
                .as_ref()
                .is_some_and(|policy| policy.path == finding.path)
        }) {
            findings.extend(failure_policy(filter));
        }
        findings.extend(unknown);
        if filter.platform == Platform::Envoy {
            findings.extend(virtual_machine(filter, &located.filters));
            findings.extend(fetched_code(filter, located));
        }
    }
    findings.extend(bypass::findings(&gates, located));
    let filters: Vec<_> = gates.iter().map(|gate| gate.filter).collect();
    findings.extend(names::of_routes(located, &filters));
    findings.extend(unmet::findings(located));
    findings.extend(verbs::findings(located));
    findings.extend(issuer::findings(located));
    findings.extend(secrets::findings(&gates));
    findings.extend(expired::findings(located));
    findings.extend(clusters::findings(located));
    findings.extend(istio::findings(&gates, located));
    findings.extend(mesh::findings(&gates, located));
    let chains = tls::chains(&gates, located);
    located.visit(|node| {
        findings.extend(client_address(node, &gates));
        findings.extend(order::findings(node, &gates));
        findings.extend(state::findings(node, &gates));
        findings.extend(routes::findings(node, &gates));
        findings.extend(tls::findings(node, &chains));
    });
    // Two filters of one chain have the same findings about other filters.
    let mut unique: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        if !unique.contains(&finding) {
            unique.push(finding);
        }
    }
    unique
}

/// What Envoy does with requests after the filter has failed.
fn failure_policy(filter: &WasmFilter<'_>) -> Option<Finding> {
    let settings = &filter.settings;
    let (policy, fail_open) = (
        filter.platform.failure_policy(),
        filter.platform.fail_open(),
    );
    let opening_key = if settings.is_value(policy, "FAIL_OPEN", 3) {
        Some(policy)
    } else {
        Some(fail_open).filter(|key| settings.is_true(key))
    };
    if let Some(node) = opening_key.and_then(|key| settings.member(key)) {
        let text = "Envoy forwards every request without authentication if the filter fails";
        let fix = match filter.platform {
            Platform::Envoy | Platform::Istio => format!("set `{policy}: FAIL_RELOAD`"),
            Platform::EnvoyGateway => format!("remove `{fail_open}`"),
        };
        return Some(Finding::error(
            "fails-open",
            node.path,
            format!("{text}; {fix}"),
        ));
    }
    if settings.is_value(policy, "FAIL_RELOAD", 1) || filter.platform == Platform::EnvoyGateway {
        return None;
    }
    if let Some(found) = misplaced_policy(filter) {
        let text = format!(
            "Envoy does not read this, so it answers every request with 503 after the filter has failed once; set \
             `{policy}: FAIL_RELOAD` in `{}`",
            settings.path
        );
        return Some(Finding::warning("misplaced-policy", found.path, text).at_key());
    }
    let text = format!(
        "without `{policy}: FAIL_RELOAD`, Envoy answers every request with 503 after the filter has failed once"
    );
    Some(Finding::warning("no-reload", &settings.path, text))
}

/// The policy under the name of another platform, or in another object of the filter.
fn misplaced_policy<'v>(filter: &WasmFilter<'v>) -> Option<Node<'v>> {
    let settings = &filter.settings;
    let own = filter.platform.failure_policy();
    let objects = [
        settings.member("vm_config"),
        filter.named.member("typed_config"),
        filter.named.member("spec"),
        Some(filter.named.clone()),
        filter.configuration(),
        Some(settings.clone()),
    ];
    let names = ["failure_policy", "failStrategy"];
    objects.iter().flatten().find_map(|object| {
        let is_own = object.path == settings.path;
        names
            .iter()
            .filter(|name| !(is_own && **name == own))
            .find_map(|name| object.member(name))
    })
}

/// The finding about a filter that arrives by ECDS and whose module Envoy must fetch.
///
/// Envoy 1.40 fetches such a module only before the listener is open. Later it accepts the configuration, runs no filter, and
/// ignores the failure policy. Istio replaces the code by a file.
fn fetched_code(filter: &WasmFilter<'_>, located: &Located<'_>) -> Option<Finding> {
    let code = filter.settings.at(&["vm_config", "code", "remote"])?;
    let kind = filter.named.text("@type").unwrap_or_default();
    let mut is_discovered = kind.ends_with("envoy.config.core.v3.TypedExtensionConfig");
    located.visit(|node| {
        is_discovered |= node.member("config_discovery").is_some() && filter.is_run_by(node);
    });
    let of_istio = istio::resources(located, "EnvoyFilter", "networking.istio.io/");
    if !is_discovered
        || of_istio
            .iter()
            .any(|resource| filter.named.is_within(resource))
    {
        return None;
    }
    let text = "with ECDS, Envoy does not fetch the module after the listener is open, and forwards every request without \
                authentication; use `local` in place of `remote`";
    Some(Finding::error("discovered-remote-code", code.path, text).at_key())
}

/// Which other filters share their data with this one.
fn virtual_machine(filter: &WasmFilter<'_>, all: &[WasmFilter<'_>]) -> Vec<Finding> {
    let own_id = vm_id(filter);
    let path = &filter.settings.path;
    let mut findings = Vec::new();
    if own_id.is_empty() {
        let text = "without a `vm_id`, the filter shares its data with every other filter without a `vm_id`";
        findings.push(Finding::warning("shared-vm", path, text));
    }
    let sharing = all.iter().find(|other| {
        other.platform == Platform::Envoy && other.path() != filter.path() && vm_id(other) == own_id
    });
    if let Some(other) = sharing {
        let text = format!(
            "the filter at {} has the same `vm_id`, so both filters share their data; choose a unique `vm_id`",
            other.path()
        );
        findings.push(Finding::warning("shared-vm", path, text));
    }
    findings
}

fn vm_id<'v>(filter: &WasmFilter<'v>) -> &'v str {
    let vm_config = filter.settings.member("vm_config");
    vm_config
        .and_then(|vm| vm.text("vm_id"))
        .unwrap_or_default()
}

/// Whether the connection manager around a filter trusts the client's own statement of its address.
fn client_address(manager: &Node<'_>, gates: &[Gate<'_, '_>]) -> Option<Finding> {
    let http_filters = manager.member("http_filters")?;
    let has_filter = gates.iter().any(|gate| gate.filter.is_in(&http_filters));
    let detection = manager.member("original_ip_detection_extensions");
    let detects = detection.is_some_and(|list| list.items().next().is_some());
    if !has_filter || manager.is_true("use_remote_address") || detects {
        return None;
    }
    let text = "without `use_remote_address: true` or `original_ip_detection_extensions`, clients choose their \
                address with `x-forwarded-for` and their scheme with `x-forwarded-proto`";
    Some(Finding::warning("client-address", &manager.path, text))
}
