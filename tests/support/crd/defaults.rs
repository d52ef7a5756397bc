//! The defaults of a definition, which the API server sets before it validates a resource.

use serde_json::Value;

/// Sets what is missing in a value and has a default.
pub fn set(value: &mut Value, schema: &Value) {
    match value {
        Value::Object(members) => {
            for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                if let Some(default) = schema.get("default") {
                    members.entry(name).or_insert_with(|| default.clone());
                }
            }
            for (name, member) in members {
                let known = schema["properties"].get(name);
                set(member, known.unwrap_or(&schema["additionalProperties"]));
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| set(item, &schema["items"])),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
