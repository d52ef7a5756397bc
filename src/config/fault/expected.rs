//! A value of another kind than the expected one: *expected X, found Y*, and the fix.

use std::fmt;

use serde_json::{Number, Value};

use super::Suggestion;
use crate::config::diagnostic::nearest;
use crate::config::read::{LIST, SPAN, STRING};

/// What would be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A value of this kind.
    Kind(&'static str),
    /// One of these values.
    OneOf(&'static [&'static str]),
}

impl Expected {
    /// Whether a text is expected, such as a string or the name of a claim.
    fn accepts_text(self) -> bool {
        let begins = |kind: &str| kind.starts_with(STRING) || kind.starts_with("the name");
        matches!(self, Self::Kind(kind) if begins(kind))
    }

    /// The expected value that is nearest to the one that was found.
    fn nearest(self, found: &Found) -> Option<String> {
        match (self, found) {
            (Self::OneOf(names), Found::String(typed)) => nearest(typed, names.iter().copied()),
            // What YAML reads from `off` and `no`.
            (Self::OneOf(names), Found::Bool(false)) => {
                let none = names.iter().find(|name| **name == "none");
                none.map(|name| (*name).to_owned())
            }
            (Self::Kind(SPAN), Found::Number(number)) => {
                let seconds = number.as_u64().filter(|seconds| *seconds > 0);
                seconds.map(|seconds| format!("{seconds}s"))
            }
            (Self::Kind(SPAN), Found::String(text)) => {
                let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                is_number.then(|| format!("{text}s"))
            }
            (_, Found::Number(number)) if self.accepts_text() => Some(format!("\"{number}\"")),
            (Self::Kind(_) | Self::OneOf(_), _) => None,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => formatter.write_str(kind),
            Self::OneOf(names) => {
                for (index, name) in names.iter().enumerate() {
                    let separator = match index {
                        0 => "",
                        _ if index + 1 == names.len() => " or ",
                        _ => ", ",
                    };
                    write!(formatter, "{separator}`{name}`")?;
                }
                Ok(())
            }
        }
    }
}

/// The fix: the nearest value that is right, or why YAML reads another one than was written.
pub(super) struct Hint<'a>(pub Expected, pub &'a Found);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match (self.0, self.1) {
            (expected, Found::Bool(_))
                if expected.accepts_text() || matches!(expected, Expected::OneOf(_)) =>
            {
                ": YAML reads `on`, `off`, `yes` and `no` without quotes as booleans"
            }
            (expected, Found::ObjectOf(_)) if expected.accepts_text() => {
                "; in YAML, quote text that has `{` or `: `"
            }
            (Expected::Kind(LIST), Found::Object | Found::ObjectOf(_)) => {
                "; in YAML, each item begins with `- `"
            }
            _ => "",
        })?;
        Suggestion(&self.0.nearest(self.1)).fmt(formatter)
    }
}

/// What was found in place of what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// `null`, or a key without a value in YAML.
    Nothing,
    Bool(bool),
    Number(Number),
    /// A string that is short enough to be shown.
    String(String),
    LongString,
    /// A value that can be a secret.
    Hidden,
    Url,
    List,
    Object,
    /// An object with only this key, whose value is not a list or an object.
    ObjectOf(String),
}

impl From<&Value> for Found {
    fn from(value: &Value) -> Self {
        const SHOWN: usize = 40;
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::Number(number.clone()),
            // Its user information or its query can be a credential.
            Value::String(text) if text.contains("://") && text.contains(['@', '?']) => Self::Url,
            Value::String(text) if text.len() <= SHOWN => Self::String(text.clone()),
            Value::String(_) => Self::LongString,
            Value::Array(_) => Self::List,
            Value::Object(members) => match members.iter().next() {
                Some((key, value))
                    if members.len() == 1
                        && key.len() <= SHOWN
                        && !value.is_array()
                        && !value.is_object() =>
                {
                    Self::ObjectOf(key.clone())
                }
                _ => Self::Object,
            },
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => formatter.write_str("nothing"),
            Self::Bool(truth) => write!(formatter, "the boolean `{truth}`"),
            Self::Number(number) => write!(formatter, "the number `{number}`"),
            Self::String(text) => write!(formatter, "`{text}`"),
            Self::LongString => formatter.write_str("a long string"),
            Self::Hidden => formatter.write_str("another value"),
            Self::Url => formatter.write_str("a URL"),
            Self::List => formatter.write_str("a list"),
            Self::Object => formatter.write_str("an object"),
            Self::ObjectOf(key) => write!(formatter, "an object with the key `{key}`"),
        }
    }
}
