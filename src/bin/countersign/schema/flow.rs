//! A value as YAML on one line. No library writes this form.

use std::cmp::Ordering;

use serde_json::Value;

/// The names of units that make a text that begins with a digit a duration.
const UNITS: [&str; 6] = ["ms", "s", "m", "h", "d", "w"];
/// What YAML reads as a boolean or as nothing.
const WORDS: [&str; 10] = [
    "true", "false", "null", "yes", "no", "on", "off", "y", "n", "~",
];

/// Which of two keys of an object is first. The names are all of the object.
pub type Order<'o> = &'o dyn Fn(&[&str], &str, &str) -> Ordering;

/// A key and its value.
pub fn member(key: &str, own: &Value, order: Order<'_>) -> String {
    let text = match own {
        // Outside of `{}` and `[]`, a URL needs no quotes.
        Value::String(url) if url.starts_with("https://") && !url.contains(['{', '#']) => {
            url.clone()
        }
        other => value(other, order),
    };
    format!("{}: {text}", text_of(key))
}

/// A value.
pub fn value(value: &Value, order: Order<'_>) -> String {
    match value {
        Value::String(text) => text_of(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| self::value(item, order)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let names: Vec<&str> = members.keys().map(String::as_str).collect();
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(one, _), (other, _)| order(&names, one, other));
            let members = members
                .into_iter()
                .map(|(key, own)| format!("{}: {}", text_of(key), self::value(own, order)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn text_of(text: &str) -> String {
    match is_plain(text) {
        true => text.to_owned(),
        false => Value::from(text).to_string(),
    }
}

/// Whether YAML reads a text without quotes as this text, also within `{}` and `[]`.
fn is_plain(text: &str) -> bool {
    let is_duration = || {
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
        UNITS.contains(&unit)
    };
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "_-./+@".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(is_inner)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        || is_duration()
}
