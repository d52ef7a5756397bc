//! Istio's `RequestAuthentication` and `AuthorizationPolicy` → gates. A gate is a set of workloads.
//!
//! istiod translates the policies of a workload to `jwt_authn` and `rbac`. Tokens are optional and must be valid. Then a
//! request is denied if a `DENY` policy matches it, or if there are `ALLOW` policies and none of them matches it.

mod condition;
mod tokens;
mod workload;

use self::workload::{Policy, Workload};
use super::envoy::matcher::unknown;
use super::formula::Formula;
use super::gate::{Gate, Notes};
use super::peer;
use crate::file::File;
use crate::node::Node;

/// The gates of a deployment.
pub fn gates(files: &[File]) -> Vec<Gate> {
    let policies: Vec<Policy<'_>> = files.iter().flat_map(workload::policies).collect();
    let workloads = workload::workloads(&policies);
    workloads
        .iter()
        .map(|workload| gate(workload, &policies))
        .collect()
}

fn gate(workload: &Workload, policies: &[Policy<'_>]) -> Gate {
    let mut notes = Notes::default();
    let own: Vec<&Policy<'_>> = policies
        .iter()
        .filter(|own| own.applies_to(workload))
        .collect();
    let authentication = tokens::authentication(&own, &mut notes);
    let behind = Formula::all([
        denied(&own, "CUSTOM", &mut notes).negated(),
        denied(&own, "DENY", &mut notes).negated(),
        allowed(&own, &mut notes),
    ]);
    let (passes, access, providers, identity) = match authentication {
        None => (Formula::True, behind, Vec::new(), Default::default()),
        Some(tokens) => (
            tokens.passes(),
            tokens.access(&behind),
            tokens.providers,
            tokens.identity,
        ),
    };
    let mut providers = providers;
    providers.extend(peer::provider(&access, &mut notes));
    for policy in &own {
        let action = policy.action();
        let text = match action {
            "AUDIT" => "decides nothing: it is not translated",
            _ if policy.is_dry_run() => "decides nothing: it is a dry run",
            _ => "is in the rules",
        };
        notes.equal(policy.kind, &policy.place(&policy.root), text);
    }
    if workload.is_of_root() {
        notes.equal(
            "namespace",
            "",
            "its policies apply in every namespace: this gate is also that of namespaces without policies",
        );
    }
    notes.equal(
        "pathNormalization",
        "",
        "paths are normalized as in a mesh with `DEFAULT`, `BASE` or a stricter value",
    );
    Gate {
        name: workload.name(),
        sources: own
            .iter()
            .map(|policy| policy.place(&policy.root))
            .collect(),
        providers,
        authentication: passes,
        access,
        is_normalized: true,
        identity,
        notes,
    }
}

/// The requests that a policy with this action matches.
fn denied(policies: &[&Policy<'_>], action: &str, notes: &mut Notes) -> Formula {
    let own = policies.iter().filter(|own| own.is(action));
    let matched = own.map(|own| {
        if action == "CUSTOM" {
            notes.lost(
                "action: CUSTOM",
                &own.place(&own.root),
                "an external service decides about these requests: they are denied",
            );
        }
        matched(own, notes)
    });
    Formula::any(matched.collect::<Vec<_>>())
}

fn allowed(policies: &[&Policy<'_>], notes: &mut Notes) -> Formula {
    let own: Vec<_> = policies.iter().filter(|own| own.is("ALLOW")).collect();
    match own.is_empty() {
        true => Formula::True,
        false => Formula::any(
            own.iter()
                .map(|own| matched(own, notes))
                .collect::<Vec<_>>(),
        ),
    }
}

/// The requests that one of the rules of a policy matches.
fn matched(policy: &Policy<'_>, notes: &mut Notes) -> Formula {
    let rules = policy.spec.as_ref().and_then(|spec| spec.member("rules"));
    let rules = rules.iter().flat_map(Node::items);
    let each = rules.map(|rule| match rule.value.is_object() {
        true => condition::of_rule(&rule, policy, notes),
        false => unknown(notes, "rules", &policy.place(&rule), "this rule"),
    });
    Formula::any(each.collect::<Vec<_>>())
}
