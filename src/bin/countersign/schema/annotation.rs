//! Annotations that JSON Schema does not have.
//!
//! The types of the configuration have them for the reference page. In the printed schema they are sentences of the
//! descriptions, which editors show.

use serde_json::Value;

/// A default that is not one value, in words.
pub const DEFAULT: &str = "x-default";
/// The least and the greatest value of a duration. `null` is no bound.
pub const RANGE: &str = "x-range";
/// The type in words, if the words that follow from the schema are too many.
pub const TYPE: &str = "x-type";
/// The keys of an object in the order of the code.
pub const KEYS: &str = "x-keys";

/// Replaces the annotations of a schema, and of the schemas in it, by sentences of their descriptions.
pub fn fold(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(fold),
        Value::Object(members) => {
            let default = members.remove(DEFAULT);
            let default = default.as_ref().and_then(Value::as_str);
            let default = default.map(|text| format!("Default: {text}."));
            let range = members.remove(RANGE).as_ref().and_then(range);
            let range = range.map(|text| format!("Expected: {text}."));
            members.remove(TYPE);
            members.remove(KEYS);
            if let Some(Value::String(description)) = members.get_mut("description") {
                for sentence in [default, range].into_iter().flatten() {
                    description.push(' ');
                    description.push_str(&sentence);
                }
            }
            members.values_mut().for_each(fold);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A range in words.
pub fn range(range: &Value) -> Option<String> {
    match range.as_array()?.as_slice() {
        [least, Value::Null] => Some(format!("at least {}", bound(least))),
        [least, most] => Some(format!("{} to {}", bound(least), bound(most))),
        _ => None,
    }
}

fn bound(bound: &Value) -> String {
    match bound {
        Value::String(text) => format!("`{text}`"),
        other => other.to_string(),
    }
}
