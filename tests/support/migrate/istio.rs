//! The filters that istiod generates from RequestAuthentication and AuthorizationPolicy.
//!
//! Written from Istio's source (August 2026) and independent of `countersign migrate`, so that the two can be compared:
//!
//! | here | `pilot/pkg/…` |
//! |---|---|
//! | [`filters`] | `networking/plugin/authz/authorization.go`, `security/authz/builder/builder.go` (`build`) |
//! | [`Workload::has`] | `model/authorization.go` (`ListAuthorizationPolicies`), `model/policyattachment.go` (`ShouldAttachPolicy`) |
//! | `jwt` | `security/authn/policy_applier.go` (`convertToEnvoyJwtConfig`) |
//! | `policy` | `security/authz/model/model.go` (`New`, `Generate`) |
//! | `matchers` | `security/authz/model/generator.go`, `security/authz/matcher/*.go` |

mod jwt;
mod matchers;
mod policy;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

/// The namespace whose policies apply to the whole mesh.
const ROOT_NAMESPACE: &str = "istio-system";

/// The workload in front of which the filters run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    namespace: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// Whether it is an ingress gateway, whose `use_remote_address` is on.
    #[serde(default)]
    gateway: bool,
}

impl Workload {
    /// A workload of a namespace with these labels.
    pub fn new(namespace: &str, labels: &[(&str, &str)], gateway: bool) -> Self {
        let labels = labels.iter().copied();
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            namespace: namespace.to_owned(),
            labels: labels.collect(),
            gateway,
        }
    }

    /// Which of these gates is the workload's, by names such as `shop app=orders`: the one with the most labels.
    pub fn gate<'n>(&self, names: impl Iterator<Item = &'n str>) -> Option<usize> {
        let has = |label: &str| {
            let (name, value) = label.split_once('=').unwrap_or_default();
            self.labels.get(name).is_some_and(|own| own == value)
        };
        let ranked = names.enumerate().filter_map(|(at, name)| {
            let mut parts = name.split(' ');
            let namespace = parts.next()?;
            let is_own = namespace == self.namespace;
            let labels: Vec<&str> = parts.collect();
            let is_near = is_own || namespace == ROOT_NAMESPACE;
            (is_near && labels.iter().all(|label| has(label)))
                .then_some(((is_own, labels.len()), at))
        });
        ranked.max().map(|(_, at)| at)
    }

    /// Whether a policy is attached: by namespace, and by selector.
    fn has(&self, policy: &Value) -> bool {
        let namespace = policy["metadata"]["namespace"].as_str();
        let namespace = namespace.unwrap_or("default");
        let selected = policy["spec"]["selector"]["matchLabels"].as_object();
        let is_selected = selected.is_none_or(|labels| {
            let mut labels = labels.iter();
            labels.all(|(name, value)| self.labels.get(name).map(String::as_str) == value.as_str())
        });
        (namespace == self.namespace || namespace == ROOT_NAMESPACE) && is_selected
    }
}

/// The connection manager of a workload: its filters, and `use_remote_address` and `normalize_path` as Istio sets them.
pub fn manager(manifests: &[Value], workload: &Workload) -> Value {
    json!({
        "use_remote_address": workload.gateway,
        "normalize_path": true,
        "http_filters": filters(manifests, workload),
    })
}

/// The filters of a workload, in order: authentication, CUSTOM, AUDIT, DENY, ALLOW.
fn filters(manifests: &[Value], workload: &Workload) -> Vec<Value> {
    let of_kind = |kind: &str| -> Vec<&Value> {
        let manifests = manifests.iter();
        let found = manifests.filter(|one| one["kind"] == kind && workload.has(one));
        found.collect()
    };
    let mut filters = Vec::new();
    filters.extend(jwt::filter(&of_kind("RequestAuthentication")));
    let policies = of_kind("AuthorizationPolicy");
    for action in ["CUSTOM", "AUDIT", "DENY", "ALLOW"] {
        let of_action: Vec<&Value> = policies
            .iter()
            .copied()
            .filter(|policy| policy["spec"]["action"].as_str().unwrap_or("ALLOW") == action)
            .collect();
        if !of_action.is_empty() {
            filters.push(policy::filter(action, &of_action));
        }
    }
    filters
}
