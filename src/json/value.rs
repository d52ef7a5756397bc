//! JSON values that borrow from the text. Most parts of a token are read once and not kept.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

/// A JSON value. Its strings borrow from the text, except for those with escapes.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, which is finite.
    Number(Number),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// A JSON object, whose members have different names.
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(PartialEq))]
pub struct Object<'a> {
    /// The members, in no defined order.
    members: Vec<(Cow<'a, str>, Json<'a>)>,
}

/// The maximum number of members that are all compared with one another. That is faster than sorting so few.
const FEW: usize = 16;

impl<'a> Object<'a> {
    /// An object with these members. None if two of them have the same name.
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
    /// The search is linear, because objects are small. The function is not inlined: claims are read one by one, and a
    /// copy of the code for each costs more than the calls.
    #[inline(never)]
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        let found = self.members.iter().find(|(own, _)| is_same(own, name));
        found.map(|(_, value)| value)
    }

    /// The members.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> + Clone {
        let members = self.members.iter();
        members.map(|(name, value)| (name.as_ref(), value))
    }
}

/// Whether two names are equal. Most names differ in length or first byte, and comparing the rest takes a call.
#[inline]
fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.as_bytes().first() == other.as_bytes().first() && one == other
}

impl Json<'_> {
    /// The string, if the value is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the value is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// A value that borrows nothing.
impl From<Json<'_>> for Value {
    fn from(json: Json<'_>) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => Self::Number(number),
            Json::Text(text) => Self::String(text.into_owned()),
            Json::Array(items) => {
                let mut items: Vec<Self> = items.into_iter().map(Self::from).collect();
                // The vector may reuse the memory of the parsed array, which grew by doubling.
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
