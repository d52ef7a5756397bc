//! One view of JSON values, for those that borrow from a token and for those that are kept.

use serde_json::{Map, Number, Value};

use super::{Json, Object};

/// A JSON value.
pub trait Tree: Sized {
    /// An object of such values.
    type Object;

    /// The value, by its type.
    fn view(&self) -> View<'_, Self>;

    /// The member of an object with that name.
    fn member<'o>(object: &'o Self::Object, name: &str) -> Option<&'o Self>;

    /// The member of an object with the longest name that is `path`, or is followed by a dot at the start of `path`; and
    /// the length of that name.
    fn longest<'o>(object: &'o Self::Object, path: &str) -> Option<(usize, &'o Self)>;

    /// How many members an object has.
    fn count(object: &Self::Object) -> usize;
}

/// A JSON value, by its type.
pub enum View<'v, T: Tree> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(&'v Number),
    /// A string.
    Text(&'v str),
    /// An array.
    Array(&'v [T]),
    /// An object.
    Object(&'v T::Object),
}

impl<'a> Tree for Json<'a> {
    type Object = Object<'a>;

    fn view(&self) -> View<'_, Self> {
        match self {
            Self::Null => View::Null,
            Self::Bool(truth) => View::Bool(*truth),
            Self::Number(number) => View::Number(number),
            Self::Text(text) => View::Text(text),
            Self::Array(items) => View::Array(items),
            Self::Object(object) => View::Object(object),
        }
    }

    fn member<'o>(object: &'o Object<'a>, name: &str) -> Option<&'o Self> {
        object.get(name)
    }

    fn longest<'o>(object: &'o Object<'a>, path: &str) -> Option<(usize, &'o Self)> {
        let begins = |name: &&str| {
            let rest = path.strip_prefix(*name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let members = object.iter().filter(|(name, _)| begins(name));
        let members = members.map(|(name, value)| (name.len(), value));
        members.max_by_key(|(length, _)| *length)
    }

    fn count(object: &Object<'a>) -> usize {
        object.iter().count()
    }
}

impl Tree for Value {
    type Object = Map<String, Self>;

    fn view(&self) -> View<'_, Self> {
        match self {
            Self::Null => View::Null,
            Self::Bool(truth) => View::Bool(*truth),
            Self::Number(number) => View::Number(number),
            Self::String(text) => View::Text(text),
            Self::Array(items) => View::Array(items),
            Self::Object(object) => View::Object(object),
        }
    }

    fn member<'o>(object: &'o Map<String, Self>, name: &str) -> Option<&'o Self> {
        object.get(name)
    }

    fn longest<'o>(object: &'o Map<String, Self>, path: &str) -> Option<(usize, &'o Self)> {
        let dots = path.rmatch_indices('.').map(|(dot, _)| dot);
        let mut ends = std::iter::once(path.len()).chain(dots);
        ends.find_map(|end| Some((end, object.get(path.get(..end)?)?)))
    }

    fn count(object: &Map<String, Self>) -> usize {
        object.len()
    }
}
