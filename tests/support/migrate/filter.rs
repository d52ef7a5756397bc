//! HTTP filters and typed configurations, as JSON.

use serde_json::{Value, json};

/// A filter of this type with this configuration.
pub fn named(name: &str, kind: &str, configuration: Value) -> Value {
    json!({"name": name, "typed_config": typed(kind, configuration)})
}

/// A configuration with its type.
///
/// # Panics
/// It is no object.
pub fn typed(kind: &str, mut configuration: Value) -> Value {
    configuration["@type"] = json!(format!("type.googleapis.com/{kind}"));
    configuration
}
