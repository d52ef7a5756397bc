//! JSON that borrows: what a token says is looked at once and mostly not kept.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

/// A JSON value. Its text is a part of what was read, except where something in it was escaped.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, finite.
    Number(Number),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// A JSON object, no two members of which have one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object<'a> {
    /// In the order of [`by_name`].
    members: Vec<(Cow<'a, str>, Json<'a>)>,
}

impl<'a> Object<'a> {
    /// An object of these members; none where two have one name.
    pub(super) fn of(mut members: Vec<(Cow<'a, str>, Json<'a>)>) -> Option<Self> {
        members.sort_unstable_by(|(one, _), (other, _)| by_name(one, other));
        let is_unique = members
            .iter()
            .zip(members.iter().skip(1))
            .all(|((one, _), (next, _))| by_name(one, next).is_ne());
        is_unique.then_some(Self { members })
    }

    /// The member called `name`.
    ///
    /// One after the other: there are few, and to compare with a name that is written in the code takes no call.
    #[inline]
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        let found = self
            .members
            .iter()
            .find(|(own, _)| by_name(own, name).is_eq());
        found.map(|(_, value)| value)
    }
}

/// By length and first byte, since most names differ in those, and then by all of their bytes, which takes a call.
#[inline]
fn by_name(one: &str, other: &str) -> Ordering {
    let sketch = |name: &str| (name.len(), name.as_bytes().first().copied());
    let by_sketch = sketch(one).cmp(&sketch(other));
    by_sketch.then_with(|| one.cmp(other))
}

impl Json<'_> {
    /// The text, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// A value to keep.
impl From<Json<'_>> for Value {
    fn from(json: Json<'_>) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => Self::Number(number),
            Json::Text(text) => Self::String(text.into_owned()),
            Json::Array(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            Json::Object(object) => Self::Object(object.into()),
        }
    }
}

impl From<Object<'_>> for Map<String, Value> {
    fn from(object: Object<'_>) -> Self {
        let mut map = Self::new();
        for (name, value) in object.members {
            map.insert(name.into_owned(), value.into());
        }
        map
    }
}
