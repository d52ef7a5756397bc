//! Envoy Gateway's `SecurityPolicy` → gates. A gate is a target of a policy: a route, a listener or a gateway.
//!
//! The most specific policy of a route replaces the others. Envoy Gateway evaluates API keys, then passwords, then tokens,
//! then `authorization`, whose first rule that matches decides.

mod authorization;
mod tokens;

use serde_json::{Value, json};

use super::envoy::credentials::{self, Credentials, decoded};
use super::envoy::matcher::unknown;
use super::formula::Formula;
use super::gate::{Gate, Notes};
use crate::file::File;
use crate::node::Node;

/// A policy in a file.
pub struct Policy<'f> {
    file: &'f str,
    root: Node<'f>,
    spec: Node<'f>,
}

impl Policy<'_> {
    /// A place in the file.
    pub fn place(&self, node: &Node<'_>) -> String {
        let own = node.path.strip_prefix(self.root.path.as_str());
        let own = own.unwrap_or(&node.path).trim_start_matches('.');
        let name = self.name();
        match own.is_empty() {
            true => format!("{}: SecurityPolicy {name}", self.file),
            false => format!("{}: SecurityPolicy {name}: {own}", self.file),
        }
    }

    fn namespace(&self) -> &str {
        let namespace = self.root.at(&["metadata", "namespace"]);
        namespace
            .and_then(|node| node.value.as_str())
            .unwrap_or("default")
    }

    fn name(&self) -> String {
        let name = self.root.at(&["metadata", "name"]);
        let name = name.and_then(|node| node.value.as_str());
        format!("{}/{}", self.namespace(), name.unwrap_or_default())
    }
}

/// The gates of a deployment.
pub fn gates(files: &[File]) -> Vec<Gate> {
    let mut policies = Vec::new();
    for file in files {
        for root in file.roots() {
            root.visit(&mut |node| {
                let is_policy = node.text("kind") == Some("SecurityPolicy");
                let group = node.text("apiVersion").unwrap_or_default();
                if let Some(spec) = node.member("spec")
                    && is_policy
                    && group.starts_with("gateway.envoyproxy.io/")
                {
                    policies.push(Policy {
                        file: file.name(),
                        root: node.clone(),
                        spec,
                    });
                }
            });
        }
    }
    let each = policies.iter().map(|policy| gate(policy, files));
    each.collect()
}

/// The keys of a `SecurityPolicy` that are read here or in `target`.
const READ: [&str; 12] = [
    "apiKeyAuth",
    "authorization",
    "basicAuth",
    "cors",
    "csrf",
    "extAuth",
    "jwt",
    "mergeType",
    "oidc",
    "targetRef",
    "targetRefs",
    "targetSelectors",
];

fn gate(policy: &Policy<'_>, files: &[File]) -> Gate {
    let mut notes = Notes::default();
    let spec = &policy.spec;
    let mut filters: Vec<Credentials> = Vec::new();
    if let Some(keys) = spec.member("apiKeyAuth") {
        let settings = key_filter(&keys, policy, files);
        let settings = root(&settings);
        filters.push(credentials::keys(
            &settings,
            &policy.place(&keys),
            &[],
            &mut notes,
        ));
    }
    if let Some(basic) = spec.member("basicAuth") {
        let settings = password_filter(&basic, policy, files);
        let settings = root(&settings);
        let place = policy.place(&basic);
        filters.push(credentials::passwords(&settings, &place, &[], &mut notes));
    }
    let mut parts = Vec::new();
    for (key, text) in [
        (
            "oidc",
            "browsers are not signed in: every request is denied",
        ),
        (
            "extAuth",
            "an external service decides: every request is denied",
        ),
        (
            "mergeType",
            "the policy is merged with that of a gateway: every request is denied",
        ),
        (
            "csrf",
            "the origins of requests are not compared: every request is denied",
        ),
    ] {
        if let Some(node) = spec.member(key) {
            parts.push(unknown(&mut notes, key, &policy.place(&node), text));
        }
    }
    for (key, node) in spec.members() {
        if !READ.contains(&key) {
            let text = "this key: every request is denied";
            parts.push(unknown(&mut notes, key, &policy.place(&node), text));
        }
    }
    if let Some(cors) = spec.member("cors") {
        notes.differs(
            "cors",
            &policy.place(&cors),
            "responses of this filter do not allow origins: leave `cors` in the policy, which Envoy Gateway evaluates \
             before this filter",
        );
    }
    let authorization = spec.member("authorization");
    let permits = authorization.as_ref().map_or(Formula::True, |node| {
        authorization::permits(node, policy, &mut notes)
    });
    parts.push(credentials::behind(
        &filters.iter().collect::<Vec<_>>(),
        &permits,
    ));
    let keys = Formula::all(filters.iter().map(Credentials::passes));
    parts.push(keys.clone());
    let behind = Formula::all(parts);
    let (passes, access, mut providers, mut identity) =
        match tokens::authentication(policy, files, &mut notes) {
            None => (Formula::True, behind, Vec::new(), Default::default()),
            Some(tokens) => (
                tokens.passes(),
                tokens.access(&behind),
                tokens.providers,
                tokens.identity,
            ),
        };
    providers.extend(filters.iter().filter_map(Credentials::provider));
    credentials::extend(&mut identity, &filters, providers.len(), &mut notes);
    notes.equal(
        "SecurityPolicy",
        &policy.place(&policy.root),
        "is this gate: attach the output to the same target, and remove what is translated from the policy",
    );
    Gate {
        name: target(policy),
        sources: vec![policy.place(&policy.root)],
        providers,
        authentication: Formula::all([passes, keys]),
        access,
        is_normalized: true,
        identity,
        notes,
    }
}

fn root(value: &Value) -> Node<'_> {
    Node {
        path: String::new(),
        value,
    }
}

/// The name of the gate: what the policy targets.
fn target(policy: &Policy<'_>) -> String {
    let spec = &policy.spec;
    let list = spec.member("targetRefs");
    let targets = list
        .iter()
        .flat_map(Node::items)
        .chain(spec.member("targetRef"));
    let names: Vec<String> = targets
        .map(|target| {
            let text = |key| target.text(key).unwrap_or_default();
            let section = target.text("sectionName").map(|name| format!("/{name}"));
            format!(
                "{}/{}{}",
                text("kind"),
                text("name"),
                section.unwrap_or_default()
            )
        })
        .collect();
    match names.is_empty() {
        true => policy.name(),
        false => format!("{} {}", policy.namespace(), names.join(",")),
    }
}

/// The settings of `api_key_auth` that Envoy Gateway makes.
fn key_filter(keys: &Node<'_>, policy: &Policy<'_>, files: &[File]) -> Value {
    let mut sources = Vec::new();
    let from = keys.member("extractFrom");
    for source in from.iter().flat_map(Node::items) {
        for (list, key) in [
            ("headers", "header"),
            ("params", "query"),
            ("cookies", "cookie"),
        ] {
            let names = source.member(list);
            let names = names.iter().flat_map(Node::items);
            sources.extend(names.map(|name| json!({ key: name.value })));
        }
    }
    let mut credentials: Vec<Value> = Vec::new();
    let mut clients: Vec<String> = Vec::new();
    let references = keys.member("credentialRefs");
    for reference in references.iter().flat_map(Node::items) {
        match secret(&reference, policy, files) {
            // Without its key, a client makes the reader report the filter.
            None => credentials.push(json!({"client": reference.text("name")})),
            Some(members) => {
                for (client, key) in members {
                    if !clients.contains(&client) {
                        credentials.push(json!({"client": client, "key": key}));
                        clients.push(client);
                    }
                }
            }
        }
    }
    let header = keys.text("forwardClientIDHeader").unwrap_or_default();
    json!({
        "credentials": credentials,
        "key_sources": sources,
        "forwarding": {"header": header, "hide_credentials": keys.is_true("sanitize")},
    })
}

/// The settings of `basic_auth` that Envoy Gateway makes.
fn password_filter(basic: &Node<'_>, policy: &Policy<'_>, files: &[File]) -> Value {
    let members = basic
        .member("users")
        .and_then(|reference| secret(&reference, policy, files));
    let users = members.and_then(|members| {
        let mut own = members.into_iter();
        own.find_map(|(name, text)| (name == ".htpasswd").then_some(text))
    });
    let header = basic.text("forwardUsernameHeader").unwrap_or_default();
    match users {
        None => json!({"users": {"filename": ""}}),
        Some(users) => {
            json!({"users": {"inline_string": users}, "forward_username_header": header})
        }
    }
}

/// The members of a `Secret` that a policy refers to, if it is in one of the files.
fn secret(
    reference: &Node<'_>,
    policy: &Policy<'_>,
    files: &[File],
) -> Option<Vec<(String, String)>> {
    let namespace = reference.text("namespace").unwrap_or(policy.namespace());
    resource("Secret", reference.text("name")?, namespace, files)
}

/// The texts in a `Secret` or a `ConfigMap`, if it is in one of the files.
pub fn resource(
    kind: &str,
    name: &str,
    namespace: &str,
    files: &[File],
) -> Option<Vec<(String, String)>> {
    let mut found = None;
    for root in files.iter().flat_map(File::roots) {
        root.visit(&mut |node| {
            let text = |key| {
                let member = node.at(&["metadata", key]);
                member.and_then(|member| member.value.as_str())
            };
            let own_namespace = text("namespace").unwrap_or("default");
            if node.text("kind") != Some(kind)
                || text("name") != Some(name)
                || own_namespace != namespace
            {
                return;
            }
            let mut members = Vec::new();
            let mut is_whole = true;
            for (key, is_base64) in [("data", kind == "Secret"), ("stringData", false)] {
                let data = node.member(key);
                for (name, member) in data.iter().flat_map(Node::members) {
                    let value = member.value.as_str().map(str::to_owned);
                    let value = match is_base64 {
                        true => value.and_then(|text| decoded(&text)),
                        false => value,
                    };
                    is_whole &= value.is_some();
                    members.extend(value.map(|value| (name.to_owned(), value)));
                }
            }
            found = is_whole.then_some(members);
        });
    }
    found
}
