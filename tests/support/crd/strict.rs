//! The JSON Schema of a definition, with unknown fields refused.

use serde_json::{Value, json};

/// The schema of a value, and of everything in it, as JSON Schema.
///
/// What `allOf`, `anyOf`, `oneOf` and `not` contain restricts values of known fields only, and stays as it is.
pub fn closed(schema: &Value) -> Value {
    let Some(members) = schema.as_object() else {
        return schema.clone();
    };
    let mut strict = members.clone();
    if let Some(properties) = members.get("properties").and_then(Value::as_object) {
        let own = properties.iter();
        let own = own.map(|(name, schema)| (name.clone(), closed(schema)));
        strict.insert("properties".into(), Value::Object(own.collect()));
    }
    for key in ["items", "additionalProperties"] {
        if let Some(schema) = members.get(key) {
            strict.insert(key.into(), closed(schema));
        }
    }
    let preserves = members.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true));
    if schema["type"] == "object" && !preserves && !members.contains_key("additionalProperties") {
        strict.insert("additionalProperties".into(), json!(false));
    }
    if members.get("nullable") == Some(&json!(true)) {
        strict.insert("type".into(), json!([schema["type"], "null"]));
    }
    Value::Object(strict)
}
