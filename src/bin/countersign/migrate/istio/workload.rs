//! To which workloads a policy applies.
//!
//! The output has a gate for each set of selectors that can select the same workload. A workload belongs to the gate of
//! all selectors that select it.

use std::collections::BTreeMap;

use crate::file::File;
use crate::node::Node;

/// The namespace whose policies apply to the whole mesh.
const ROOT_NAMESPACE: &str = "istio-system";

/// The most gates of one namespace.
const GATES_MAX: usize = 32;

type Labels = BTreeMap<String, String>;

/// A policy in a file.
pub struct Policy<'f> {
    file: &'f str,
    /// Its root.
    pub root: Node<'f>,
    /// Its `kind`.
    pub kind: &'static str,
    /// Its `spec`.
    pub spec: Option<Node<'f>>,
    namespace: String,
    selectors: Vec<Selector>,
}

/// What a policy selects within a namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Selector {
    /// Workloads with these labels; all without any.
    Labels(Labels),
    /// The workloads of another resource: its kind and name.
    Target(String),
}

/// A set of workloads.
#[derive(Debug, PartialEq, Eq)]
pub struct Workload {
    namespace: String,
    labels: Labels,
    target: Option<String>,
}

/// The policies in a file.
pub fn policies(file: &File) -> Vec<Policy<'_>> {
    let mut found = Vec::new();
    for root in file.roots() {
        root.visit(&mut |node| {
            let group = node.text("apiVersion").unwrap_or_default();
            let kind = match node.text("kind") {
                Some("AuthorizationPolicy") => "AuthorizationPolicy",
                Some("RequestAuthentication") => "RequestAuthentication",
                _ => return,
            };
            if group.starts_with("security.istio.io/") {
                found.push(Policy::new(file.name(), node, kind));
            }
        });
    }
    found
}

impl<'f> Policy<'f> {
    fn new(file: &'f str, root: &Node<'f>, kind: &'static str) -> Self {
        let spec = root.member("spec");
        let namespace = root.at(&["metadata", "namespace"]);
        let namespace = namespace
            .and_then(|node| node.value.as_str())
            .unwrap_or("default");
        let labels = spec
            .as_ref()
            .and_then(|spec| spec.at(&["selector", "matchLabels"]));
        let labels = labels.iter().flat_map(Node::members);
        let labels = labels.map(|(name, node)| {
            let value = node.value.as_str().map(str::to_owned);
            (
                name.to_owned(),
                value.unwrap_or_else(|| node.value.to_string()),
            )
        });
        let mut selectors = vec![Selector::Labels(labels.collect())];
        let targets = spec.as_ref().and_then(|spec| spec.member("targetRefs"));
        let target = spec.as_ref().and_then(|spec| spec.member("targetRef"));
        let targets = targets.iter().flat_map(Node::items).chain(target);
        let targets: Vec<Selector> = targets
            .map(|target| {
                let text = |key| target.text(key).unwrap_or_default();
                Selector::Target(format!("{}/{}", text("kind"), text("name")))
            })
            .collect();
        if !targets.is_empty() {
            selectors = targets;
        }
        Self {
            file,
            root: root.clone(),
            kind,
            spec,
            namespace: namespace.to_owned(),
            selectors,
        }
    }

    /// A place in the file.
    pub fn place(&self, node: &Node<'_>) -> String {
        let name = self.root.at(&["metadata", "name"]);
        let name = name
            .and_then(|node| node.value.as_str())
            .unwrap_or_default();
        let own = node
            .path
            .strip_prefix(self.root.path.as_str())
            .unwrap_or(&node.path);
        let own = own.trim_start_matches('.');
        match own.is_empty() {
            true => format!("{}: {} {}/{name}", self.file, self.kind, self.namespace),
            false => format!(
                "{}: {} {}/{name}: {own}",
                self.file, self.kind, self.namespace
            ),
        }
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The action of an `AuthorizationPolicy`.
    pub fn action(&self) -> &str {
        let action = self.spec.as_ref().and_then(|spec| spec.member("action"));
        match action.map(|action| action.value) {
            None | Some(serde_json::Value::Null) => "ALLOW",
            Some(value) => match value.as_str() {
                Some(text) => match text {
                    "DENY" => "DENY",
                    "AUDIT" => "AUDIT",
                    "CUSTOM" => "CUSTOM",
                    "ALLOW" => "ALLOW",
                    // What is not known denies.
                    _ => "CUSTOM",
                },
                None => match value.as_u64() {
                    Some(0) => "ALLOW",
                    Some(1) => "DENY",
                    Some(2) => "AUDIT",
                    _ => "CUSTOM",
                },
            },
        }
    }

    /// Whether this is an `AuthorizationPolicy` that enforces this action.
    pub fn is(&self, action: &str) -> bool {
        self.kind == "AuthorizationPolicy" && self.action() == action && !self.is_dry_run()
    }

    /// Whether the policy decides nothing. A dry run of `CUSTOM` still calls the service.
    pub fn is_dry_run(&self) -> bool {
        let annotation = self.root.at(&["metadata", "annotations"]);
        let annotation = annotation.and_then(|node| node.member("istio.io/dry-run"));
        let is_true = annotation.is_some_and(|node| {
            matches!(
                node.value.as_str(),
                Some("true" | "True" | "TRUE" | "t" | "T" | "1")
            )
        });
        is_true && self.action() != "CUSTOM"
    }

    /// Whether the policy applies to a set of workloads.
    pub fn applies_to(&self, workload: &Workload) -> bool {
        let is_near = self.namespace == workload.namespace || self.namespace == ROOT_NAMESPACE;
        is_near
            && self.selectors.iter().any(|selector| match selector {
                Selector::Labels(labels) => labels
                    .iter()
                    .all(|(name, value)| workload.labels.get(name) == Some(value)),
                Selector::Target(target) => workload.target.as_ref() == Some(target),
            })
    }
}

impl Workload {
    /// Whether these are workloads of the namespace whose policies apply to the whole mesh.
    pub fn is_of_root(&self) -> bool {
        self.namespace == ROOT_NAMESPACE
    }

    /// The name of the gate.
    pub fn name(&self) -> String {
        let labels = self
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let mut parts = vec![self.namespace.clone()];
        parts.extend(self.target.clone());
        parts.extend(labels);
        parts.join(" ")
    }
}

/// The sets of workloads that policies select.
pub fn workloads(policies: &[Policy<'_>]) -> Vec<Workload> {
    let mut namespaces: Vec<&str> = Vec::new();
    for policy in policies {
        if !namespaces.contains(&policy.namespace.as_str()) {
            namespaces.push(&policy.namespace);
        }
    }
    let mut workloads = Vec::new();
    for namespace in namespaces {
        let near = policies
            .iter()
            .filter(|own| own.namespace == namespace || own.namespace == ROOT_NAMESPACE);
        let selectors: Vec<&Selector> = near.flat_map(|own| &own.selectors).collect();
        workloads.extend(of_namespace(namespace, &selectors));
    }
    workloads
}

fn of_namespace(namespace: &str, selectors: &[&Selector]) -> Vec<Workload> {
    let mut unions = vec![Labels::new()];
    let mut targets: Vec<&String> = Vec::new();
    for selector in selectors {
        match selector {
            Selector::Target(target) if !targets.contains(&target) => targets.push(target),
            Selector::Target(_) => {}
            Selector::Labels(labels) => {
                let known = unions.clone();
                for union in known {
                    let is_possible = labels
                        .iter()
                        .all(|(name, value)| union.get(name).is_none_or(|own| own == value));
                    let mut joined = union;
                    joined.extend(labels.clone());
                    if is_possible && !unions.contains(&joined) && unions.len() < GATES_MAX {
                        unions.push(joined);
                    }
                }
            }
        }
    }
    let is_empty = |own: &&&Selector| matches!(own, Selector::Labels(labels) if labels.is_empty());
    let selects_all = selectors.iter().any(|own| is_empty(&own));
    let labels = unions
        .into_iter()
        .filter(|union| selects_all || !union.is_empty());
    let by_labels = labels.map(|labels| Workload {
        namespace: namespace.to_owned(),
        labels,
        target: None,
    });
    let by_target = targets.into_iter().map(|target| Workload {
        namespace: namespace.to_owned(),
        labels: Labels::new(),
        target: Some(target.clone()),
    });
    by_labels.chain(by_target).collect()
}
