//! JSON that borrows: what a token says is looked at once and mostly not kept.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

/// A JSON value. Its text is a part of what was read, except where something in it was escaped.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
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
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(PartialEq))]
pub struct Object<'a> {
    /// In no order that means anything.
    members: Vec<(Cow<'a, str>, Json<'a>)>,
}

/// Up to so many members are compared each with each, which takes less than to sort them.
const FEW: usize = 16;

impl<'a> Object<'a> {
    /// An object of these members; none where two have one name.
    pub(super) fn of(mut members: Vec<(Cow<'a, str>, Json<'a>)>) -> Option<Self> {
        let mut reach = FEW;
        if members.len() > FEW {
            members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            reach = 1;
        }
        let mut others = members.iter();
        while let Some((name, _)) = others.next() {
            let mut near = others.clone().take(reach);
            if near.any(|(other, _)| is_same(name, other)) {
                return None;
            }
        }
        Some(Self { members })
    }

    /// The member called `name`.
    ///
    /// One after the other, since there are few. Not inlined: the claims are asked for one by one, and code that is
    /// new at each of them costs more than the calls.
    #[inline(never)]
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        let found = self.members.iter().find(|(own, _)| is_same(own, name));
        found.map(|(_, value)| value)
    }
}

/// By length and first byte before all others, which take a call: most names differ in those.
#[inline]
fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.as_bytes().first() == other.as_bytes().first() && one == other
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
            Json::Array(items) => {
                let mut items: Vec<Self> = items.into_iter().map(Self::from).collect();
                // It may have the memory of what was read, which grew by doubling.
                items.shrink_to_fit();
                Self::Array(items)
            }
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
