//! A secret: in place, or in an environment variable.

use serde_json::Value;

use crate::config::at::At;
use crate::config::diagnostic::Diagnostics;
use crate::config::fault::{Fault, InvalidSecret};
use crate::config::read::{Read, Typed};
use crate::secret::Secret;

/// Where the configuration has a secret.
#[derive(Debug)]
pub enum SecretSource {
    /// The configuration contains it.
    InPlace(Secret),
    /// It is the value of the environment variable with this name: `{env: NAME}`.
    Variable(String),
}

/// No fault repeats what was found, because that may be the secret. An object's keys may be too: `{xyzzy}` in YAML is an
/// object with this key.
impl Read for SecretSource {
    const EXPECTED: &'static str = "a string or `{env: NAME}`";

    type Value = Self;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self> {
        match value {
            Value::String(text) if text.is_empty() => {
                Err(diagnostics.report(at, Fault::EmptyString("a secret")))
            }
            Value::String(_) => {
                let text = String::read(value, at, diagnostics)?;
                Ok(Self::InPlace(Secret::new(text)))
            }
            Value::Object(members) => match members.get("env").filter(|_| members.len() == 1) {
                Some(Value::String(name)) if is_variable(name) => Ok(Self::Variable(name.clone())),
                Some(_) => Err(diagnostics.report(&at.member("env"), InvalidSecret::Variable)),
                None => Err(diagnostics.report(at, InvalidSecret::Form)),
            },
            _ => Err(diagnostics.report(at, InvalidSecret::Form)),
        }
    }
}

/// Whether a text is the name of an environment variable, as applications choose them: upper case, digits and `_`
/// (POSIX.1-2024 §8.1). A name is shown where the variable is not set, and a secret that is put in its place seldom has
/// this form.
fn is_variable(name: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(is_of_name)
}

#[cfg(not(target_arch = "wasm32"))]
impl schemars::JsonSchema for SecretSource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A secret: in place, which Envoy's `/config_dump` shows, or in an environment variable.",
            "oneOf": [
                { "description": "The secret.", "type": "string", "minLength": 1 },
                {
                    "description": "The environment variable that has the secret, which the settings of the filter declare.",
                    "type": "object",
                    "properties": { "env": { "type": "string", "pattern": "^[A-Z_][A-Z0-9_]*$" } },
                    "required": ["env"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}
