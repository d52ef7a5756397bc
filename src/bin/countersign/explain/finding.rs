//! A finding: what was required, and what was found.

use serde::Serialize;
use serde_json::{Map, Value};

use countersign::grammar::unprintable::escaped;

/// The longest value in a message, in characters. The JSON output has the whole value.
const SHOWN_MAX: usize = 200;

/// What was required, what was found, and a sentence that says so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What was checked, such as `claim`, `scope` or `network`.
    pub kind: &'static str,
    /// Its name, such as that of a claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is expected.
    pub expected: Value,
    /// What was found; `null` if there is nothing.
    pub found: Value,
    /// The sentence.
    pub message: String,
    /// Of a condition: the operands that decide, each with the values that it refers to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operands: Vec<Operand>,
    /// Of `any_of`: for each alternative, what is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Vec<Finding>>,
}

/// An operand of a condition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Operand {
    /// Its text.
    pub text: String,
    /// Why it could not be evaluated; `null` if it is false.
    pub error: Option<String>,
    /// The values that it refers to; `null` for a missing one.
    pub values: Map<String, Value>,
}

impl Finding {
    /// A finding. The message has the expected and the found values already.
    pub fn new(
        kind: &'static str,
        expected: impl Into<Value>,
        found: impl Into<Value>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            name: None,
            expected: expected.into(),
            found: found.into(),
            message: message.into(),
            operands: Vec::new(),
            alternatives: Vec::new(),
        }
    }

    /// The finding about a name.
    pub fn about(self, name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..self
        }
    }

    /// The lines of the text output. What belongs to an operand or an alternative is indented.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.message.clone()];
        for (index, alternative) in self.alternatives.iter().enumerate() {
            for (place, line) in alternative.iter().flat_map(Self::lines).enumerate() {
                let number = match place {
                    0 => format!("{}.", index + 1),
                    _ => "  ".to_owned(),
                };
                lines.push(format!("  {number} {line}"));
            }
        }
        if let [_, _, ..] = self.operands.as_slice() {
            let operands = self.operands.iter().map(Operand::sentence);
            lines.extend(operands.map(|line| format!("  {line}")));
        }
        lines
    }
}

impl Operand {
    /// That the operand is false, or failed, and by which values.
    pub fn sentence(&self) -> String {
        format!("`{}` {}", expression(&self.text), self.result())
    }

    /// Whether the operand is false or failed, and by which values.
    pub fn result(&self) -> String {
        let result = match &self.error {
            None => "is false".to_owned(),
            Some(error) => format!("failed: {}", plain(error)),
        };
        let values = self.values.iter();
        let values: Vec<String> = values
            .filter(|(name, value)| {
                !(value.is_null() && self.error.is_some()) && *name != &self.text
            })
            .map(|(name, value)| match value {
                Value::Null => format!("`{}` is missing", plain(name)),
                value => format!("`{}` is {}", plain(name), quoted(value)),
            })
            .collect();
        match values.is_empty() {
            true => result,
            false => format!("{result}: {}", values.join(", ")),
        }
    }
}

/// A value in backticks: a string without its quotes. A long one is cut off.
pub fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", plain(text)),
        value => format!("`{}`", plain(&value.to_string())),
    }
}

/// A text without control and invisible characters. A long one is cut off.
pub fn plain(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    escaped(&shown).into_owned()
}

/// An expression on one line.
pub fn expression(text: &str) -> String {
    match text.contains(['\n', '\r', '\t']) {
        true => plain(&text.split_whitespace().collect::<Vec<_>>().join(" ")),
        false => plain(text),
    }
}

/// Values in backticks, separated by commas.
pub fn list<'v>(values: impl IntoIterator<Item = &'v Value>) -> String {
    let values = values.into_iter().map(quoted);
    values.collect::<Vec<_>>().join(", ")
}

/// Texts in backticks, separated by commas.
pub fn names<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names = names.into_iter().map(|name| format!("`{}`", plain(name)));
    names.collect::<Vec<_>>().join(", ")
}

/// `one of` before several values.
pub fn one_of(count: usize, list: &str) -> String {
    match count {
        0 | 1 => list.to_owned(),
        _ => format!("one of {list}"),
    }
}
