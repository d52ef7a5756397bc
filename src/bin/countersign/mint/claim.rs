//! The value of a claim on the command line, in the notation of the transcripts in `docs/cookbook.md`.
//!
//! | text | value |
//! |---|---|
//! | JSON: `3`, `true`, `null`, `"3"`, `["a"]` | the JSON value |
//! | `[a, b]`, `{country: DE}` | a list or an object, as in YAML; each word is JSON or a string |
//! | `now`, `now-5m`, `now+1h` in a claim that is a NumericDate | the seconds since 1970 |
//! | other text | a string |

use countersign::json;
use countersign::time::Timestamp;
use serde_json::Value;

use crate::exit::Failure;
use crate::yaml;

/// The claims whose value is a NumericDate (RFC 7519 §4.1, OpenID Connect Core 1.0 §2).
const DATES: [&str; 4] = ["exp", "nbf", "iat", "auth_time"];

/// The name and the value of a claim: `name=value`.
pub fn parse(claim: &str, now: Timestamp) -> Result<(&str, Value), Failure> {
    let parts = claim.split_once('=').filter(|(name, _)| !name.is_empty());
    let Some((name, text)) = parts else {
        return Err(Failure::new(format_args!(
            "`--claim`: expected `name=value`, found `{claim}`"
        )));
    };
    if let Ok(value) = json::parse_strict(text.as_bytes()) {
        return Ok((name, value));
    }
    if text.trim_start().starts_with(['[', '{']) {
        return Ok((name, list_or_object(name, text)?));
    }
    let offset = text.strip_prefix("now");
    let value = match offset.filter(|_| DATES.contains(&name)) {
        Some(offset) => date(name, offset, now)?,
        None => text.into(),
    };
    Ok((name, value))
}

/// The list or the object that a text writes in the flow style of YAML.
fn list_or_object(name: &str, text: &str) -> Result<Value, Failure> {
    let invalid = |fault: &dyn std::fmt::Display| {
        Failure::new(format_args!(
            "`--claim`: expected a list such as `{name}=[a, b]`, or an object such as `{name}={{a: b}}`: {fault}; for \
             a string, quote the value: `--claim '{name}=\"[a, b]\"'`"
        ))
    };
    let mut documents = yaml::parse_with(text, word).map_err(|fault| invalid(&fault))?;
    let value = documents.pop().filter(|_| documents.is_empty());
    let value = value.ok_or_else(|| invalid(&"expected one value"))?;
    if has_object(&value) && !text.contains('{') {
        return Err(invalid(
            &"`: ` begins the value of an object: write `{a: b}`, or `a:b` without a space",
        ));
    }
    Ok(value)
}

/// A word in a list or an object: JSON, or else a string. None for the placeholder of a missing value.
fn word(text: String) -> Option<Value> {
    match json::parse_strict(text.as_bytes()) {
        Ok(value) => Some(value),
        Err(_) => Some(Value::String(text)).filter(|word| word != "" && word != "~"),
    }
}

fn has_object(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().any(has_object),
        _ => false,
    }
}

/// The NumericDate at an offset from now, such as `-5m`.
fn date(name: &str, offset: &str, now: Timestamp) -> Result<Value, Failure> {
    let later = match offset.split_at_checked(1) {
        None => Some(0),
        Some(("+", duration)) => seconds(duration),
        Some(("-", duration)) => seconds(duration).map(|seconds| -seconds),
        Some(_) => None,
    };
    let date = later.and_then(|later| now.millis().div_euclid(1000).checked_add(later));
    date.map(Value::from).ok_or_else(|| {
        Failure::new(format_args!(
            "`--claim`: expected a time such as `{name}=now-5m`, found `now{offset}`; for a string, quote the \
             value: `--claim '{name}=\"now{offset}\"'`"
        ))
    })
}

fn seconds(duration: &str) -> Option<i64> {
    let duration = humantime::parse_duration(duration).ok()?;
    i64::try_from(duration.as_secs()).ok()
}
