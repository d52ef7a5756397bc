//! What Envoy passes to a filter as its configuration, and what that makes of the numbers in it.
//!
//! A `google.protobuf.Struct` has doubles. Istio reads `pluginConfig` as a Struct, prints it as JSON, and passes the text on:
//! a number that lost its last digits arrives as an integer again. Envoy Gateway passes the JSON of `config` on as it is.

use countersign::config::{self, Diagnostic, Loaded, through_struct};
use countersign::json;
use serde_json::{Number, Value};

/// What Envoy passes to the filter.
pub enum Content {
    /// JSON, in Envoy Gateway's `config` or a whole document.
    Value(Value),
    /// A `google.protobuf.Struct`.
    Struct(Value),
    /// Istio's `pluginConfig`.
    PrintedStruct(Value),
    /// A `google.protobuf.StringValue`, which holds JSON.
    Text(String),
}

impl Content {
    /// The value as the file has it; none if it is a text that is not JSON.
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Value(value) | Self::Struct(value) | Self::PrintedStruct(value) => {
                Some(value.clone())
            }
            Self::Text(text) => json::parse_strict(text.as_bytes()).ok(),
        }
    }

    /// Loads the configuration as the filter does.
    pub fn load(&self) -> Result<Loaded, Vec<Diagnostic>> {
        match self {
            Self::Text(text) => config::load(text.as_bytes()),
            Self::Value(_) | Self::Struct(_) | Self::PrintedStruct(_) => self.load_changed(&|_| {}),
        }
    }

    /// Loads the configuration as the filter does, after a change of its value. A text that is not JSON is not changed.
    pub fn load_changed(&self, change: &dyn Fn(&mut Value)) -> Result<Loaded, Vec<Diagnostic>> {
        let load = |mut value: Value| {
            change(&mut value);
            config::load_value(&value)
        };
        match self {
            Self::Value(value) => load(value.clone()),
            Self::Struct(value) => load(through_struct(value)),
            Self::PrintedStruct(value) => {
                // The printed integers do not show that they were rounded.
                let warnings = load(through_struct(value))?.warnings;
                let loaded = load(printed(through_struct(value)))?;
                Ok(Loaded { warnings, ..loaded })
            }
            Self::Text(text) => match json::parse_strict(text.as_bytes()) {
                Ok(value) => load(value),
                Err(_) => config::load(text.as_bytes()),
            },
        }
    }
}

/// The value as Istio prints it: without an exponent below 10²¹ (`encoding/json` of Go).
fn printed(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(printed_number(number)),
        Value::Array(items) => items.into_iter().map(printed).collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            Value::Object(
                members
                    .map(|(name, value)| (name, printed(value)))
                    .collect(),
            )
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value,
    }
}

fn printed_number(number: Number) -> Number {
    let double = number.as_f64().filter(|_| number.is_f64());
    let double = double.filter(|double| double.fract() == 0.0 && double.abs() < 1e21);
    let text = double.map(|double| double.to_string());
    text.and_then(|text| text.parse().ok()).unwrap_or(number)
}
