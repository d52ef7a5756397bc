//! Resources of Kubernetes against their definitions (CustomResourceDefinition), as the API server validates them, but with
//! unknown fields refused: the API server removes them.

mod defaults;
mod rules;
mod strict;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize as _;
use serde_json::Value;

use super::say;

/// The schemas of kinds, by `apiVersion` and `kind`.
pub struct Definitions(BTreeMap<(String, String), Value>);

impl Definitions {
    /// The definitions in the folder that `CRDS` names; none, and a line that says so, if `CRDS` is not set.
    ///
    /// # Panics
    /// A file of the folder is not as a definition is.
    pub fn from_environment() -> Option<Self> {
        let Some(folder) = std::env::var_os("CRDS") else {
            say(
                "NOT RUN: manifests against definitions, since CRDS names no folder of definitions",
            );
            return None;
        };
        let files = fs::read_dir(Path::new(&folder)).expect("CRDS is a folder");
        let mut schemas = BTreeMap::new();
        for file in files {
            let path = file.expect("an entry").path();
            if path.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("a definition");
            schemas.extend(documents(&text).iter().flat_map(schemas_of));
        }
        assert!(
            !schemas.is_empty(),
            "CRDS names a folder without definitions"
        );
        Some(Self(schemas))
    }

    /// The faults of a resource; none if there is no definition of its kind.
    ///
    /// # Panics
    /// The definition cannot be evaluated.
    pub fn faults(&self, resource: &Value) -> Option<Vec<String>> {
        let text = |key: &str| resource[key].as_str().unwrap_or_default().to_owned();
        let schema = self.0.get(&(text("apiVersion"), text("kind")))?;
        let validator = jsonschema::validator_for(&strict::closed(schema)).expect("a schema");
        let mut resource = resource.clone();
        defaults::set(&mut resource, schema);
        let errors = validator.iter_errors(&resource);
        let mut faults: Vec<String> = errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        // As the API server does: a rule can rely on the types in the schema.
        if faults.is_empty() {
            rules::check(&resource, schema, "", &mut faults);
        }
        Some(faults)
    }
}

/// The documents of a YAML file; empty ones are left out.
///
/// # Panics
/// The text is not YAML.
pub fn documents(text: &str) -> Vec<Value> {
    let documents = serde_yaml_ng::Deserializer::from_str(text);
    let documents = documents.map(|document| Value::deserialize(document).expect("YAML"));
    documents.filter(|document| !document.is_null()).collect()
}

/// The schemas that a definition has, one for each version.
fn schemas_of(definition: &Value) -> Vec<((String, String), Value)> {
    let spec = &definition["spec"];
    let (group, kind) = (&spec["group"], &spec["names"]["kind"]);
    let versions = spec["versions"].as_array().into_iter().flatten();
    let schemas = versions.filter_map(|version| {
        let (group, kind) = (group.as_str()?, kind.as_str()?);
        let api_version = format!("{group}/{}", version["name"].as_str()?);
        let mut schema = version["schema"]["openAPIV3Schema"].clone();
        // A definition does not repeat what every resource has.
        schema["properties"]["apiVersion"] = serde_json::json!({"type": "string"});
        schema["properties"]["kind"] = serde_json::json!({"type": "string"});
        schema["properties"]["metadata"] = metadata();
        Some(((api_version, kind.to_owned()), schema))
    });
    schemas.collect()
}

/// The part of `metadata` that manifests write.
fn metadata() -> Value {
    let texts = serde_json::json!({"type": "object", "additionalProperties": {"type": "string"}});
    serde_json::json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"},
            "namespace": {"type": "string"},
            "labels": texts,
            "annotations": texts,
        },
    })
}
