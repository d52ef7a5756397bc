//! Manifests against the definitions of Kubernetes resources, which `CRDS` names a folder of.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::say;

/// The schema of a definition's `spec` in one version; none, and a line that says so, where `CRDS` is not set.
pub fn schema(file: &str, version: &str) -> Option<Value> {
    let Some(folder) = std::env::var_os("CRDS") else {
        say(&format!(
            "NOT RUN: a manifest against {file}, since CRDS names no folder of resource definitions"
        ));
        return None;
    };
    let path = Path::new(&folder).join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let definition: Value = serde_yaml_ng::from_str(&text).expect("a definition is YAML");
    let versions = definition["spec"]["versions"].as_array();
    let found = versions
        .into_iter()
        .flatten()
        .find(|one| one["name"] == version);
    let found = found.unwrap_or_else(|| panic!("{file} has no version {version}"));
    Some(found["schema"]["openAPIV3Schema"]["properties"]["spec"].clone())
}

/// What is wrong with a `spec`.
pub fn faults(spec: &Value, schema: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    validate(spec, schema, "spec", &mut faults);
    faults
}

/// The part of OpenAPI v3 that the definition needs: `type`, `enum`, `required`, known properties, list items.
fn validate(value: &Value, schema: &Value, at: &str, faults: &mut Vec<String>) {
    let is_of_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !is_of_type {
        faults.push(format!("{at}: no {}", schema["type"]));
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        faults.push(format!("{at}: {value} is none of {allowed:?}"));
    }
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if value.get(name).is_none() {
            faults.push(format!("{at}: lacks {name}"));
        }
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        if let Some(schema) = schema["properties"].get(name) {
            validate(member, schema, &at, faults);
        } else if let Some(schema) = schema["additionalProperties"].as_object() {
            validate(member, &Value::Object(schema.clone()), &at, faults);
        } else if schema["x-kubernetes-preserve-unknown-fields"] != true {
            faults.push(format!("{at}: unknown"));
        }
    }
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        validate(item, &schema["items"], &format!("{at}[{place}]"), faults);
    }
}
