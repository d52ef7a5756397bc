//! Files without a configuration: what they are, and what to pass instead.

use countersign::config::{self, Fault};
use serde_json::Value;

use crate::node::Node;
use crate::yaml;

/// What a file is that has no configuration; none if that is not known.
pub fn recognise(roots: &[Node<'_>]) -> Option<String> {
    roots.iter().find_map(|root| {
        jwt_authn(root)
            .or_else(|| config_map(root))
            .or_else(|| compose(root))
            .or_else(|| nested(root))
            .or_else(|| kind(root))
    })
}

/// Whether a document can be a configuration: it has a key of one, or one that is nearly such a key, or no key at all.
pub fn may_be_configuration(root: &Node<'_>) -> bool {
    let Some(members) = root.value.as_object() else {
        return true;
    };
    let known = keys();
    let is_near = |name: &String| config::nearest(name, known.iter().map(String::as_str)).is_some();
    members.is_empty() || members.keys().any(is_near)
}

/// The keys of a configuration.
fn keys() -> Vec<String> {
    let schema = Value::from(schemars::schema_for!(config::document::Document));
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flat_map(|keys| keys.keys().cloned())
        .collect()
}

/// A configuration of Envoy's filter `jwt_authn`.
fn jwt_authn(root: &Node<'_>) -> Option<String> {
    let mut is_found = false;
    root.visit(&mut |node| is_found |= node.is_message("jwt_authn.v3.JwtAuthentication"));
    is_found.then(|| Fault::JwtAuthn.to_string())
}

/// A Kubernetes `ConfigMap`, whose texts are files.
fn config_map(root: &Node<'_>) -> Option<String> {
    if root.text("kind") != Some("ConfigMap") {
        return None;
    }
    let data = root.member("data");
    let data = data.as_ref().and_then(|data| data.value.as_object());
    let files = data.into_iter().flatten();
    let configurations: Vec<String> = files
        .filter(|(_, text)| text.as_str().is_some_and(holds_configuration))
        .map(|(name, _)| format!("`data[\"{name}\"]`"))
        .collect();
    Some(if configurations.is_empty() {
        "this is a `ConfigMap`, and none of its texts is a configuration".to_owned()
    } else {
        format!(
            "this is a `ConfigMap`: pass the text of {} as a file",
            configurations.join(" or ")
        )
    })
}

/// Whether a text is a configuration, or one of Envoy or Kubernetes that has one.
fn holds_configuration(text: &str) -> bool {
    let documents = yaml::parse(text).unwrap_or_default();
    documents.iter().any(|value| {
        let root = Node {
            path: String::new(),
            value,
        };
        let mut has_filter = false;
        root.visit(&mut |node| has_filter |= !super::WasmFilter::at(node).is_empty());
        has_filter || value.is_object() && may_be_configuration(&root)
    })
}

fn compose(root: &Node<'_>) -> Option<String> {
    let services = root.member("services")?;
    let services = services.value.as_object()?;
    let mut services = services.values();
    let is_service = |service: &Value| service.get("image").or(service.get("build")).is_some();
    services.any(is_service).then(|| {
        "this is a Docker Compose file: pass the configuration that a service mounts".to_owned()
    })
}

/// A configuration below another key.
fn nested(root: &Node<'_>) -> Option<String> {
    let members = root.value.as_object()?;
    let holds = |value: &Value| value.get("providers").or(value.get("rules")).is_some();
    let (name, _) = members.iter().find(|(_, value)| holds(value))?;
    Some(format!(
        "the configuration is below `{name}`: pass only what is below this key"
    ))
}

fn kind(root: &Node<'_>) -> Option<String> {
    let kind = root.text("kind")?;
    Some(format!(
        "`kind: {kind}` has no configuration of a Wasm filter"
    ))
}
