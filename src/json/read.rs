//! The parser of strict JSON.

use core::{cell::Cell, fmt};
use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::value::{Json, Object};
use super::{DEPTH_MAX, JsonFault};

/// Parses exactly one JSON text. The value borrows from the text.
///
/// Memory is linear in the length of the text, which the caller must bound. Time is linear too, except for the sorting
/// of member names.
///
/// # Errors
///
/// [`JsonFault`], also for trailing bytes, a byte order mark, lone surrogates, `NaN` and comments.
pub fn parse(bytes: &[u8]) -> Result<Json<'_>, JsonFault> {
    let text = str::from_utf8(bytes).map_err(|_| JsonFault::Syntax)?;
    let fault = Cell::new(JsonFault::Syntax);
    let mut reader = serde_json::Deserializer::from_str(text);
    let strict = Strict {
        depth: 0,
        fault: &fault,
    };
    strict
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|_| fault.get())
}

/// Builds one value. serde's errors have no type, so that the fault is stored beside them.
#[derive(Clone, Copy)]
struct Strict<'f> {
    depth: usize,
    fault: &'f Cell<JsonFault>,
}

impl Strict<'_> {
    fn inside<E: Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_MAX {
            return Err(self.refuse(JsonFault::Depth));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    fn refuse<E: Error>(self, fault: JsonFault) -> E {
        self.fault.set(fault);
        E::custom(fault)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Json<'de>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json<'de>, E> {
        Number::from_f64(value)
            .map(Json::Number)
            .ok_or_else(|| self.refuse(JsonFault::Syntax))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Json<'de>, E> {
        Text.visit_borrowed_str(value).map(Json::Text)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json<'de>, E> {
        Text.visit_str(value).map(Json::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let inside = self.inside()?;
        let mut array = Vec::new();
        while let Some(value) = items.next_element_seed(inside)? {
            array.push(value);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let inside = self.inside()?;
        let mut object = Vec::with_capacity(USUAL_MEMBERS);
        while let Some(name) = members.next_key_seed(Text)? {
            object.push((name, members.next_value_seed(inside)?));
        }
        let object = Object::of(object);
        object
            .map(Json::Object)
            .ok_or_else(|| self.refuse(JsonFault::Duplicate))
    }
}

/// The number of members that the claims of most tokens have. Their memory is then allocated once.
const USUAL_MEMBERS: usize = 12;

/// Reads a string, and borrows it if nothing in it is escaped.
pub(super) struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}
