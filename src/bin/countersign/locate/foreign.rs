//! Files without a configuration: what they are, and what to pass instead.

use countersign::authenticate::jose::jwk::decode_leniently;
use countersign::config::{self, Fault};
use serde_json::Value;

use crate::node::Node;
use crate::yaml;

/// What a file is that has no configuration; none if that is not known.
pub fn recognise(roots: &[Node<'_>]) -> Option<String> {
    let kinds = [misspelt_type, jwt_authn, config_map, compose, nested, kind];
    kinds.iter().find_map(|kind| roots.iter().find_map(kind))
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

/// A filter that is called Countersign and has the type of no Wasm filter.
fn misspelt_type(root: &Node<'_>) -> Option<String> {
    let mut found = None;
    root.visit(&mut |node| {
        let is_named = node.text("name").is_some_and(|name| name.to_ascii_lowercase().contains("countersign"));
        let typed = node.member("typed_config").filter(|_| is_named);
        if let Some(kind) = typed.and_then(|typed| typed.member("@type"))
            && found.is_none()
        {
            found = Some(format!(
                "`{}`: expected `type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm`, found another type",
                kind.path
            ));
        }
    });
    found
}

/// A configuration of Envoy's filter `jwt_authn`.
fn jwt_authn(root: &Node<'_>) -> Option<String> {
    let mut is_found = false;
    root.visit(&mut |node| is_found |= node.is_message("jwt_authn.v3.JwtAuthentication"));
    is_found.then(|| Fault::JwtAuthn.to_string())
}

/// A Kubernetes `ConfigMap` or `Secret`, alone or in a list, whose texts are files.
fn config_map(root: &Node<'_>) -> Option<String> {
    let mut kind = None;
    let mut configurations = Vec::new();
    root.visit(&mut |node| {
        let own = node.text("kind");
        if !matches!(own, Some("ConfigMap" | "Secret")) {
            return;
        }
        kind = kind.or(own);
        for data in ["data", "stringData", "binaryData"] {
            let is_base64 = data == "binaryData" || own == Some("Secret") && data == "data";
            let files = node.member(data);
            let files = files.as_ref().and_then(|files| files.value.as_object());
            for (name, text) in files.into_iter().flatten() {
                let text = text.as_str().unwrap_or_default();
                let decoded = is_base64.then(|| decoded(text).unwrap_or_default());
                if holds_configuration(decoded.as_deref().unwrap_or(text)) {
                    let form = if is_base64 {
                        ", decoded from base64,"
                    } else {
                        ""
                    };
                    configurations.push(format!("`{data}[\"{name}\"]`{form}"));
                }
            }
        }
    });
    let kind = kind?;
    Some(if configurations.is_empty() {
        format!("this is a `{kind}`, and none of its texts is a configuration")
    } else {
        format!(
            "this is a `{kind}`: pass the text of {} as a file",
            configurations.join(" or ")
        )
    })
}

/// The text of a file in base64 (RFC 4648 §4), as in the `data` of a `Secret`.
fn decoded(text: &str) -> Option<String> {
    let text: String = text.split_ascii_whitespace().collect();
    String::from_utf8(decode_leniently(&text)?).ok()
}

/// Whether a text is a configuration, or one of Envoy or Kubernetes that has one. A text that cannot be parsed is one if
/// it has the keys of one.
fn holds_configuration(text: &str) -> bool {
    let Ok(documents) = yaml::values(text) else {
        return ["providers:", "rules:", "filters.http.wasm."]
            .iter()
            .any(|key| text.contains(key));
    };
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

/// A configuration below other keys, such as the values of a Helm chart. The `rules` of a Kubernetes resource are not a
/// configuration.
fn nested(root: &Node<'_>) -> Option<String> {
    if root.member("kind").is_some() {
        return None;
    }
    let has = |node: &Node<'_>, key: &str, keys: &[&str]| {
        let items = node.member(key);
        let mut items = items.iter().flat_map(Node::items);
        items.any(|item| keys.iter().any(|key| item.member(key).is_some()))
    };
    let mut path = None;
    root.visit(&mut |node| {
        let holds = node.member("providers").is_some() && node.member("rules").is_some()
            || has(node, "providers", &["jwt"])
            || has(node, "rules", &["allow", "require"]);
        if path.is_none() && holds && !std::ptr::eq(node.value, root.value) {
            path = Some(node.path.clone());
        }
    });
    path.map(|path| {
        format!("the configuration is below `{path}`: pass only what is below this key")
    })
}

fn kind(root: &Node<'_>) -> Option<String> {
    let kind = root.text("kind")?;
    Some(format!(
        "`kind: {kind}` has no configuration of a Wasm filter"
    ))
}
