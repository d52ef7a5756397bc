//! Strict JSON.
//!
//! RFC 8259 leaves it open what a name that occurs twice means, and two readers of one token that
//! choose differently are an attack. RFC 7515 section 4 and RFC 7519 section 4 allow refusing such
//! text, and that is what happens here, at every depth and after escapes are resolved.

use core::{cell::Cell, fmt};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// How many arrays and objects may stand inside one another.
pub const DEPTH_MAX: usize = 32;

/// Why some bytes are not the JSON that we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// Not one RFC 8259 text in UTF-8 without a byte order mark, or a number that is no double.
    #[error("not JSON")]
    Syntax,
    /// An object has two members of one name.
    #[error("a member name occurs twice")]
    Duplicate,
    /// More than [`DEPTH_MAX`] arrays and objects inside one another.
    #[error("nested more than {DEPTH_MAX} deep")]
    Depth,
}

/// Parses exactly one JSON text.
///
/// The time and memory are linear in the length, which the caller bounds.
///
/// # Errors
///
/// [`JsonFault`]: also for trailing bytes, a byte order mark, lone surrogates, `NaN` and comments.
pub fn parse_strict(bytes: &[u8]) -> Result<Value, JsonFault> {
    let fault = Cell::new(JsonFault::Syntax);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let strict = Strict {
        depth: 0,
        fault: &fault,
    };
    strict
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|_| fault.get())
}

/// Builds one value. serde's errors carry no type, so the reason travels beside them.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    fault: &'a Cell<JsonFault>,
}

impl Strict<'_> {
    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_MAX {
            return Err(self.refuse(JsonFault::Depth));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    fn refuse<E: serde::de::Error>(self, fault: JsonFault) -> E {
        self.fault.set(fault);
        E::custom(fault)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| self.refuse(JsonFault::Syntax))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut array = Vec::new();
        while let Some(value) = items.next_element_seed(inside)? {
            array.push(value);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            match object.entry(name) {
                Entry::Occupied(_) => return Err(self.refuse(JsonFault::Duplicate)),
                Entry::Vacant(place) => place.insert(members.next_value_seed(inside)?),
            };
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::{DEPTH_MAX, JsonFault, parse_strict};
    use serde_json::json;

    fn fault(text: &str) -> JsonFault {
        parse_strict(text.as_bytes()).expect_err(text)
    }

    #[test]
    fn values_are_those_of_serde_json() {
        let text = r#" {"a":[1,-2,3.5,1e9,true,null,"\u00e9\ud83d\ude00"],"b":{"a":{}},"":0} "#;
        assert_eq!(
            parse_strict(text.as_bytes()),
            Ok(serde_json::from_str(text).unwrap())
        );
        assert_eq!(parse_strict(b"99999999999999999999999"), Ok(json!(1e23)));
    }

    /// J-29, J-30: one text, in UTF-8, and nothing else.
    #[test]
    fn j_29_j_30_other_texts_are_refused() {
        for text in [
            "",
            " ",
            "{}{}",
            "{} x",
            "\u{feff}{}",
            "{\"a\":NaN}",
            "{/**/}",
            "{'a':1}",
            "{\"a\":1,}",
            "[1,]",
            "\"\\ud800\"",
            "\"\\udc00\\ud800\"",
            "\"\u{1}\"",
            "1e999",
            "01",
            "+1",
            ".5",
        ] {
            assert_eq!(fault(text), JsonFault::Syntax, "{text:?}");
        }
        for bytes in [
            &b"\"\xff\""[..],
            b"\xfe\xff\0{\0}",
            b"{\0}\0",
            b"{}\0",
            b"\"\xed\xa0\x80\"",
        ] {
            assert_eq!(parse_strict(bytes), Err(JsonFault::Syntax), "{bytes:?}");
        }
    }

    /// J-31 to J-33: names are compared after escapes are resolved, at every depth.
    #[test]
    fn j_31_j_32_j_33_duplicate_names_are_refused() {
        for text in [
            r#"{"alg":"none","alg":"ES256"}"#,
            r#"{"alg":"ES256","alg":"ES256"}"#,
            r#"{"\u0061lg":"none","alg":"ES256"}"#,
            r#"{"cnf":{"jkt":"a","jkt":"b"}}"#,
            r#"[{"a":[{"b":1,"c":2,"b":1}]}]"#,
        ] {
            assert_eq!(fault(text), JsonFault::Duplicate, "{text}");
        }
        assert!(parse_strict(r#"{"a":1,"A":1,"a ":1}"#.as_bytes()).is_ok());
    }

    /// J-34: depth is bounded well below the stack, breadth only by the length of the input.
    #[test]
    fn j_34_depth_is_bounded() {
        let nest = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(parse_strict(nest(DEPTH_MAX).as_bytes()).is_ok());
        assert_eq!(fault(&nest(DEPTH_MAX + 1)), JsonFault::Depth);
        assert_eq!(fault(&"[".repeat(1_000_000)), JsonFault::Depth);
        assert_eq!(fault(&r#"{"a":"#.repeat(10_000)), JsonFault::Depth);
        let members: Vec<_> = (0..10_000).map(|i| format!("\"m{i}\":{i}")).collect();
        let wide = parse_strict(format!("{{{}}}", members.join(",")).as_bytes()).unwrap();
        assert_eq!(wide.as_object().unwrap().len(), 10_000);
    }
}
