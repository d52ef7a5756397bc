//! The order in which Istio runs the filter and its own filters, as far as the file shows them.
//!
//! Istio runs, in this order:
//! 1. an `AuthorizationPolicy` with `action: CUSTOM`;
//! 2. plugins with `phase: AUTHN`;
//! 3. `RequestAuthentication`;
//! 4. plugins with `phase: AUTHZ`;
//! 5. an `AuthorizationPolicy` with another action;
//! 6. plugins with `phase: STATS`, and then plugins without a phase;
//! 7. the router.
//!
//! An `EnvoyFilter` that inserts the filter before the router runs it after all of them.

use super::gate::Gate;
use crate::finding::Finding;
use crate::locate::{Located, Platform, is_resource};
use crate::node::Node;

/// The namespace whose resources apply to every namespace.
const ROOT_NAMESPACE: &str = "istio-system";

const SECURITY: &str = "security.istio.io/";

/// When Istio runs the filter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    BeforeAuthentication,
    BeforeAuthorization,
    AfterAuthorization,
}

/// A filter, and where Istio puts it.
pub struct Placed<'v> {
    /// The resource that contains the filter.
    resource: Node<'v>,
    phase: Phase,
    /// How to run the filter before Istio's own filters.
    fix: &'static str,
}

/// The findings about every filter in a file that Istio runs.
pub fn findings(gates: &[Gate<'_, '_>], located: &Located<'_>) -> Vec<Finding> {
    let envoy_filters = resources(located, "EnvoyFilter", "networking.istio.io/");
    let policies = resources(located, "AuthorizationPolicy", SECURITY);
    let authentications = resources(located, "RequestAuthentication", SECURITY);
    let mut findings = Vec::new();
    for gate in gates {
        findings.extend(network_filter(gate));
        let Some(placed) = placed(gate, &envoy_filters) else {
            continue;
        };
        for policy in policies.iter().filter(|node| placed.shares_workload(node)) {
            findings.extend(authorization_policy(policy, gate, &placed));
        }
        let shared = authentications
            .iter()
            .filter(|node| placed.shares_workload(node));
        findings.extend(shared.flat_map(|node| request_authentication(node, &placed)));
    }
    findings
}

/// The resources of a kind in a file.
pub fn resources<'v>(located: &Located<'v>, kind: &str, group: &str) -> Vec<Node<'v>> {
    let mut found = Vec::new();
    located.visit(|node| found.extend(is_resource(node, kind, group).then(|| node.clone())));
    found
}

/// The finding about a `WasmPlugin` that is no HTTP filter.
fn network_filter(gate: &Gate<'_, '_>) -> Option<Finding> {
    let settings = &gate.filter.settings;
    let is_network = settings.text("type") == Some("NETWORK");
    let kind = settings.member("type")?;
    let text = "Countersign is an HTTP filter: with `NETWORK`, it evaluates no request; set `HTTP`";
    (is_network && gate.filter.platform == Platform::Istio)
        .then(|| Finding::error("network-filter", kind.path, text))
}

/// Where Istio puts a filter; none if Istio does not run it, or the file does not show it.
pub fn placed<'v>(gate: &Gate<'_, 'v>, envoy_filters: &[Node<'v>]) -> Option<Placed<'v>> {
    if gate.filter.platform == Platform::Istio {
        let resource = gate.filter.named.clone();
        let phase = resource.member("spec")?.text("phase");
        return Some(Placed {
            phase: match phase {
                Some("AUTHN") => Phase::BeforeAuthentication,
                Some("AUTHZ") => Phase::BeforeAuthorization,
                _ => Phase::AfterAuthorization,
            },
            resource,
            fix: "set `phase: AUTHN`",
        });
    }
    let around = |resource: &&Node<'v>| gate.filter.named.is_within(resource);
    let resource = envoy_filters.iter().find(around)?;
    Some(Placed {
        phase: phase_of_patch(resource, gate),
        resource: resource.clone(),
        fix: "use `operation: INSERT_FIRST`",
    })
}

/// When Istio runs a filter that an `EnvoyFilter` inserts. Only a filter that is inserted last, or before the router, is
/// known to run after Istio's authorization.
fn phase_of_patch(envoy_filter: &Node<'_>, gate: &Gate<'_, '_>) -> Phase {
    let patches = envoy_filter.at(&["spec", "configPatches"]);
    let mut patches = patches.iter().flat_map(Node::items);
    let patch = patches.find(|patch| gate.filter.named.is_within(patch));
    let operation = patch.as_ref().and_then(|patch| patch.member("patch"));
    let operation = operation.and_then(|patch| patch.text("operation"));
    let beside = patch
        .and_then(|patch| patch.at(&["match", "listener", "filterChain", "filter", "subFilter"]));
    let beside = beside.and_then(|filter| filter.text("name"));
    match (operation, beside) {
        (Some("ADD"), _) | (Some("INSERT_BEFORE"), Some("envoy.filters.http.router")) => {
            Phase::AfterAuthorization
        }
        _ => Phase::BeforeAuthentication,
    }
}

/// The finding about an `AuthorizationPolicy` that reads an identity header before the filter sets it.
fn authorization_policy(
    policy: &Node<'_>,
    gate: &Gate<'_, '_>,
    placed: &Placed<'_>,
) -> Option<Finding> {
    let spec = policy.member("spec")?;
    let rules = spec.member("rules")?;
    let (key, name) = rules.items().find_map(|rule| {
        let conditions = rule.member("when")?;
        let mut keys = conditions
            .items()
            .filter_map(|condition| condition.member("key"));
        keys.find_map(|key| gate.named_within(&key))
    })?;
    let fix = placed.fix;
    let (is_error, text) = match placed.phase {
        _ if spec.text("action") == Some("CUSTOM") => (
            true,
            format!(
                "Istio evaluates a policy with `action: CUSTOM` before every plugin, so this one reads `{name}` as the \
                 client sent it; use another action"
            ),
        ),
        Phase::BeforeAuthentication => return None,
        Phase::BeforeAuthorization => (
            false,
            format!(
                "with `phase: AUTHZ`, Istio's `RequestAuthentication` runs before the filter that sets `{name}`, and \
                 by default removes the token that it verifies; {fix}"
            ),
        ),
        Phase::AfterAuthorization => (
            true,
            format!(
                "Istio evaluates this policy before the filter sets `{name}`, so the policy reads what the client \
                 sent; {fix}"
            ),
        ),
    };
    Some(match is_error {
        true => Finding::error("policy-before-filter", key.path, text),
        false => Finding::warning("policy-before-filter", key.path, text),
    })
}

/// The findings about a `RequestAuthentication` that removes the token before the filter reads it.
fn request_authentication(authentication: &Node<'_>, placed: &Placed<'_>) -> Vec<Finding> {
    if placed.phase == Phase::BeforeAuthentication {
        return Vec::new();
    }
    let rules = authentication.at(&["spec", "jwtRules"]);
    let removing = rules
        .iter()
        .flat_map(Node::items)
        .filter(|rule| !rule.is_true("forwardOriginalToken"));
    let text = format!(
        "Istio removes the token before the filter reads it; {}, or `forwardOriginalToken: true`",
        placed.fix
    );
    removing
        .map(|rule| Finding::warning("token-removed", rule.path, text.clone()))
        .collect()
}

impl Placed<'_> {
    /// Whether a policy can apply to a workload on which the filter runs.
    pub fn shares_workload(&self, policy: &Node<'_>) -> bool {
        let resources = [&self.resource, policy];
        let [own, other] = resources.map(namespace);
        let [own_labels, other_labels] = resources.map(labels);
        let differ = own_labels.iter().any(|(key, value)| {
            let mut same_key = other_labels.iter().filter(|(other, _)| other == key);
            same_key.any(|(_, other)| other != value)
        });
        let share = own_labels.iter().any(|label| other_labels.contains(label));
        let applies_to = |from: Option<&str>, labels: &[_]| {
            from == Some(ROOT_NAMESPACE) && (labels.is_empty() || share)
        };
        let is_near = own.is_none()
            || other.is_none()
            || own == other
            || applies_to(own, &own_labels)
            || applies_to(other, &other_labels);
        is_near && !differ
    }
}

fn namespace<'v>(resource: &Node<'v>) -> Option<&'v str> {
    resource.member("metadata")?.text("namespace")
}

/// The labels of the workloads to which a resource applies; none if it applies to all in its namespace.
fn labels<'v>(resource: &Node<'v>) -> Vec<(&'v str, &'v str)> {
    let Some(spec) = resource.member("spec") else {
        return Vec::new();
    };
    let selector = spec
        .member("selector")
        .or_else(|| spec.member("workloadSelector"));
    let labels = selector.and_then(|selector| {
        let labels = selector.member("matchLabels");
        labels.or_else(|| selector.member("labels"))
    });
    let labels = labels.iter().flat_map(Node::members);
    labels
        .filter_map(|(key, value)| Some((key, value.value.as_str()?)))
        .collect()
}
