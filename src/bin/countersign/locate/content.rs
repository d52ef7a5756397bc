//! What Envoy passes to a filter as its configuration, and what that makes of the numbers in it.
//!
//! A `google.protobuf.Struct` has doubles. Where Envoy reads it from YAML, numbers become strings, except for integers of 32
//! bits (`ValueUtil::loadFromYaml`, measured with Envoy 1.40). Istio reads `pluginConfig` as a Struct, prints it as JSON, and
//! passes the text on: a number that lost its last digits arrives as an integer again. Envoy Gateway passes the JSON of
//! `config` on as it is.

use countersign::config::{self, Diagnostic, Environment, Loaded, Warning, through_struct};
use countersign::json;
use serde_json::{Number, Value};

/// What Envoy passes to the filter.
pub enum Content {
    /// JSON, in Envoy Gateway's `config` or a whole document.
    Value(Value),
    /// A `google.protobuf.Struct`.
    Struct(Value),
    /// A `google.protobuf.Struct` that Envoy reads from YAML.
    YamlStruct(Value),
    /// Istio's `pluginConfig`.
    PrintedStruct(Value),
    /// A `google.protobuf.StringValue`, which holds JSON.
    Text(String),
}

impl Content {
    /// The value as the file has it; none if it is a text that is not JSON.
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Value(value)
            | Self::Struct(value)
            | Self::YamlStruct(value)
            | Self::PrintedStruct(value) => Some(value.clone()),
            Self::Text(text) => json::parse_strict(text.as_bytes()).ok(),
        }
    }

    /// Loads the configuration as the filter does.
    pub fn load(&self, environment: Environment<'_>) -> Result<Loaded, Vec<Diagnostic>> {
        match self {
            Self::Text(text) => config::load_in(environment, text.as_bytes()),
            Self::Value(_) | Self::Struct(_) | Self::YamlStruct(_) | Self::PrintedStruct(_) => {
                self.load_changed(environment, &|_| {})
            }
        }
    }

    /// Loads the configuration as the filter does, after a change of its value. A text that is not JSON is not changed.
    pub fn load_changed(
        &self,
        environment: Environment<'_>,
        change: &dyn Fn(&mut Value),
    ) -> Result<Loaded, Vec<Diagnostic>> {
        let load = |mut value: Value| {
            change(&mut value);
            config::load_value_in(environment, &value)
        };
        match self {
            Self::Value(value) => load(value.clone()),
            Self::Struct(value) => load(through_struct(value)),
            Self::YamlStruct(value) => {
                // A string does not show that it was a number, and a double of this size is warned of.
                let marked = with_numbers(value, &|number| match is_kept_in_yaml(number) {
                    true => number.clone().into(),
                    false => f64::MAX.into(),
                });
                let loaded = load(with_numbers(
                    value,
                    &|number| match is_kept_in_yaml(number) {
                        true => number.clone().into(),
                        false => number.to_string().into(),
                    },
                ))?;
                let warnings = load(marked).map_or(loaded.warnings, |marked| marked.warnings);
                Ok(Loaded {
                    warnings: warnings.into_iter().map(about_yaml).collect(),
                    plan: loaded.plan,
                    hash: loaded.hash,
                })
            }
            Self::PrintedStruct(value) => {
                // The printed integers do not show that they were rounded.
                let value = through_struct(value);
                let printed = with_numbers(&value, &|number| printed(number).into());
                let warnings = load(value)?.warnings;
                let loaded = load(printed)?;
                Ok(Loaded { warnings, ..loaded })
            }
            Self::Text(text) => match json::parse_strict(text.as_bytes()) {
                Ok(value) => load(value),
                Err(_) => config::load_in(environment, text.as_bytes()),
            },
        }
    }
}

/// The value with other values in place of its numbers.
fn with_numbers(value: &Value, replace: &dyn Fn(&Number) -> Value) -> Value {
    match value {
        Value::Number(number) => replace(number),
        Value::Array(items) => items
            .iter()
            .map(|item| with_numbers(item, replace))
            .collect(),
        Value::Object(members) => {
            let members = members.iter();
            let replaced =
                |(name, value): (&String, &Value)| (name.clone(), with_numbers(value, replace));
            Value::Object(members.map(replaced).collect())
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

/// Whether a number in YAML is a number for Envoy.
fn is_kept_in_yaml(number: &Number) -> bool {
    number
        .as_i64()
        .is_some_and(|integer| i32::try_from(integer).is_ok())
}

/// A warning about a number, where Envoy reads it from YAML.
fn about_yaml(warning: Diagnostic<Warning>) -> Diagnostic<Warning> {
    match warning.what {
        Warning::InexactNumber => Diagnostic {
            what: Warning::NumberInYaml,
            ..warning
        },
        _ => warning,
    }
}

/// A number as Istio prints it: without an exponent below 10²¹ (`encoding/json` of Go).
fn printed(number: &Number) -> Number {
    let double = number.as_f64().filter(|_| number.is_f64());
    let double = double.filter(|double| double.fract() == 0.0 && double.abs() < 1e21);
    let printed = double.and_then(|double| double.to_string().parse().ok());
    printed.unwrap_or_else(|| number.clone())
}
