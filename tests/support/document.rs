//! The configuration of a table: in place, or a file of the repository whose providers get the table's keys.

use std::fs;

use serde::Deserialize;
use serde_json::Value;

use super::in_repository;

/// A configuration that users copy. The keys are replaced, since an issuer keeps its private ones.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    /// The file's path in the repository.
    file: String,
    /// `jwks` of every provider.
    jwks: Value,
}

/// Replaces `{file: examples/issuers/okta.yaml, jwks: …}` by the configuration in the file. Other values stay.
///
/// # Panics
/// The file is missing, or is no configuration.
pub fn resolved(document: Value) -> Value {
    if document.get("file").is_none() {
        return document;
    }
    let Example { file, jwks } =
        serde_json::from_value(document).unwrap_or_else(|e| panic!("`document`: {e}"));
    let mut document = read(&file);
    for provider in providers(&mut document) {
        provider["jwt"]["jwks"] = jwks.clone();
    }
    document
}

/// A configuration in a YAML file of the repository.
///
/// # Panics
/// The file is missing, or is not YAML.
pub fn read(file: &str) -> Value {
    let text = fs::read_to_string(in_repository(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    serde_yaml_ng::from_str(&text).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// The providers of a configuration.
///
/// # Panics
/// It has none.
pub fn providers(document: &mut Value) -> &mut Vec<Value> {
    let providers = document.get_mut("providers").and_then(Value::as_array_mut);
    providers.expect("a configuration with providers")
}
