//! Plugin configuration → JSON value.
//!
//! The host delivers bytes without their type. A `google.protobuf.StringValue` arrives as its text, a
//! `google.protobuf.Struct` as protobuf wire bytes. The first byte does not distinguish them, since the tag of a Struct's
//! field is also a newline. So JSON is tried first.

use prost::Message;
use prost_types::value::Kind;
use serde_json::{Map, Number, Value};

use super::diagnostic::Diagnostic;
use super::fault::Fault;
use crate::json::{self, JsonFault};

/// The integers below this are exact as doubles: 2⁵³. The integer itself is also the double of the next one.
const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;

/// Parses the configuration.
pub fn parse(bytes: &[u8]) -> Result<Value, Diagnostic> {
    let not_json = match json::parse_strict(bytes) {
        Ok(value) => return Ok(value),
        Err(fault) => fault,
    };
    let looks_like_json = bytes.trim_ascii_start().starts_with(b"{");
    let what = match prost_types::Struct::decode(bytes) {
        _ if is_other_text(bytes) => Fault::NotJson,
        Ok(object) if !looks_like_json => return Ok(from_struct(object)),
        _ => explain(bytes, not_json),
    };
    Err(Diagnostic {
        path: String::new(),
        what,
    })
}

/// Whether bytes are text, such as YAML, that does not begin like JSON. A Struct with members has control characters.
fn is_other_text(bytes: &[u8]) -> bool {
    let is_text = |byte: &u8| *byte >= b' ' || byte.is_ascii_whitespace();
    let first = bytes.trim_ascii_start().first();
    !bytes.is_empty()
        && !matches!(first, Some(b'{' | b'[' | b'"'))
        && bytes.iter().all(is_text)
        && std::str::from_utf8(bytes).is_ok()
}

/// Why a text is not JSON. Syntax errors have a line and a column.
fn explain(bytes: &[u8], fault: JsonFault) -> Fault {
    let syntax = serde_json::from_slice::<serde::de::IgnoredAny>(bytes).err();
    match (fault, syntax) {
        (JsonFault::Syntax, Some(syntax)) => {
            let mut text = syntax.to_string();
            if is_curly_quote(bytes, syntax.line(), syntax.column()) {
                text.push_str(": use `\"` in place of `“`");
            }
            Fault::Syntax(text)
        }
        _ => Fault::Syntax(fault.to_string()),
    }
}

/// Whether one of `“`, `”`, `„`, `‘`, `’` and `‚` is at a position, which counts from 1.
fn is_curly_quote(bytes: &[u8], line: usize, column: usize) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let line = lines.nth(line.saturating_sub(1)).unwrap_or_default();
    let rest = line.get(column.saturating_sub(1)..).unwrap_or_default();
    matches!(rest, [0xe2, 0x80, 0x98..=0x9e, ..])
}

/// The recursion is bounded by prost's decoder, at a depth of 100.
fn from_struct(object: prost_types::Struct) -> Value {
    let mut members = Map::new();
    for (name, value) in object.fields {
        members.insert(name, from_value(value));
    }
    Value::Object(members)
}

fn from_value(value: prost_types::Value) -> Value {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(truth)) => Value::Bool(truth),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::NumberValue(number)) => from_double(number),
        Some(Kind::ListValue(list)) => {
            Value::Array(list.values.into_iter().map(from_value).collect())
        }
        Some(Kind::StructValue(object)) => from_struct(object),
    }
}

/// The value that arrives if a configuration is written as a Struct: its numbers become doubles.
#[cfg(not(target_arch = "wasm32"))]
pub fn through_struct(value: &Value) -> Value {
    let of_member = |(name, value): (&String, &Value)| (name.clone(), through_struct(value));
    match value {
        Value::Number(number) => number.as_f64().map_or(Value::Null, from_double),
        Value::Array(items) => items.iter().map(through_struct).collect(),
        Value::Object(members) => Value::Object(members.iter().map(of_member).collect()),
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

/// A Struct has only doubles. A double without a fraction, such as `5`, becomes an integer, as the user wrote it. A larger
/// one stays a double, which equals no claim, because its last digits are lost.
fn from_double(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < EXACT_BELOW {
        Value::Number((number as i64).into())
    } else {
        Number::from_f64(number).map_or(Value::Null, Value::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost_types::{ListValue, Struct};
    use serde_json::json;

    #[test]
    fn json_and_struct_mean_the_same() {
        let value = |kind| prost_types::Value { kind: Some(kind) };
        let list = ListValue {
            values: vec![value(Kind::NumberValue(5.0)), value(Kind::BoolValue(true))],
        };
        let object = Struct {
            fields: [("a".to_owned(), value(Kind::ListValue(list)))].into(),
        };
        assert_eq!(
            parse(&object.encode_to_vec()).unwrap(),
            json!({"a": [5, true]})
        );
        assert_eq!(
            parse(b"\n {\"a\": [5, true]}\n").unwrap(),
            json!({"a": [5, true]})
        );
        assert_eq!(parse(b"").unwrap(), json!({}));
    }

    #[test]
    fn what_is_neither_says_what_is_wrong_with_the_json() {
        for bytes in [&b"{\"a\": }"[..], b"{\"a\":1,\"a\":2}", b"\xff\xfe"] {
            let fault = parse(bytes).unwrap_err().to_string();
            assert!(fault.starts_with("neither JSON nor"), "{fault}");
        }
    }
}
