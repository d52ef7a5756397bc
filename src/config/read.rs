//! JSON value → typed value, reporting every fault and going on.
//!
//! A value that is at fault reads as its type's default: a document with faults is never used, and whatever is read
//! after the fault can still be checked.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use super::diagnostic::{Fault, Faults, nearest};

/// What can be read from a document.
pub trait Read: Default {
    /// What stands in a message where this is expected: `a string`.
    const EXPECTED: &'static str;

    /// Reads the value at a place.
    fn read(value: &Value, at: &At<'_>, faults: &mut Faults) -> Self;
}

/// A place in a document.
pub enum At<'a> {
    /// The document.
    Root,
    /// A member of an object.
    Member(&'a At<'a>, &'a str),
    /// An item of a list.
    Item(&'a At<'a>, usize),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(At::Root, name) => write!(formatter, "{name}"),
            Self::Member(around, name) => write!(formatter, "{around}.{name}"),
            Self::Item(around, index) => write!(formatter, "{around}[{index}]"),
        }
    }
}

/// Reads a whole document.
pub fn read_root<T: Read>(value: &Value, faults: &mut Faults) -> T {
    T::read(value, &At::Root, faults)
}

/// Reports that a value is of another kind or form than `expected`.
pub fn unexpected(value: &Value, expected: impl Into<String>, at: &At<'_>, faults: &mut Faults) {
    let fault = Fault::Unexpected {
        expected: expected.into(),
        found: describe(value),
        nearest: None,
    };
    faults.report(at.to_string(), fault);
}

/// Short values are shown as typed, others by their kind.
fn describe(value: &Value) -> String {
    const SHOWN: usize = 40;
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(truth) => format!("the boolean `{truth}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) if text.len() <= SHOWN => format!("`{text}`"),
        Value::String(_) => "a long text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// The members of an object, taken one by one; what is left in the end is unknown.
pub struct Members<'v, 'a> {
    members: Option<&'v Map<String, Value>>,
    at: &'a At<'a>,
    known: Vec<&'static str>,
}

impl<'v, 'a> Members<'v, 'a> {
    /// Opens an object.
    pub fn open(value: &'v Value, at: &'a At<'a>, faults: &mut Faults) -> Self {
        let members = value.as_object();
        if members.is_none() {
            unexpected(value, "an object", at, faults);
        }
        Self {
            members,
            at,
            known: Vec::new(),
        }
    }

    /// The member called `name`, if it is there; `null` is as good as absent, which is what empty YAML means.
    pub fn optional<T: Read>(&mut self, name: &'static str, faults: &mut Faults) -> Option<T> {
        let value = self.take(name)?;
        Some(T::read(value, &At::Member(self.at, name), faults))
    }

    /// The member called `name`, which leaves something out where it is there: a `null` is no word for "all".
    pub fn narrowing<T: Read>(&mut self, name: &'static str, faults: &mut Faults) -> Option<T> {
        self.known.push(name);
        let value = self.members?.get(name)?;
        Some(T::read(value, &At::Member(self.at, name), faults))
    }

    /// The member called `name`, which must be there.
    pub fn required<T: Read>(&mut self, name: &'static str, faults: &mut Faults) -> T {
        match self.take(name) {
            Some(value) => T::read(value, &At::Member(self.at, name), faults),
            None => {
                let place = At::Member(self.at, name).to_string();
                faults.report(place, Fault::Missing(T::EXPECTED));
                T::default()
            }
        }
    }

    /// The member called `name` is not served by this version.
    pub fn unsupported(&mut self, name: &'static str, faults: &mut Faults) {
        if self.take(name).is_some() {
            faults.report(At::Member(self.at, name).to_string(), Fault::Unsupported);
        }
    }

    /// Reports every member that nobody took.
    pub fn close(self, faults: &mut Faults) {
        for name in self.members.into_iter().flat_map(Map::keys) {
            if !self.known.contains(&name.as_str()) {
                let fault = Fault::UnknownKey(nearest(name, self.known.iter().copied()));
                faults.report(At::Member(self.at, name).to_string(), fault);
            }
        }
    }

    fn take(&mut self, name: &'static str) -> Option<&'v Value> {
        self.known.push(name);
        self.members?.get(name).filter(|value| !value.is_null())
    }
}

/// Defines an object of the document, how it is read, and (natively) its schema.
macro_rules! object {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$doc:meta])* $presence:ident $field:ident : $type:ty,)*
        }
        $(unsupported { $($later:ident),* $(,)? })?
    ) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        #[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
        #[cfg_attr(not(target_arch = "wasm32"), schemars(deny_unknown_fields))]
        pub struct $name {
            $(
                $(#[$doc])*
                #[cfg_attr(
                    not(target_arch = "wasm32"),
                    schemars(transform = $crate::config::read::$presence)
                )]
                pub $field: object!(@type $presence $type),
            )*
        }

        impl $crate::config::read::Read for $name {
            const EXPECTED: &'static str = "an object";

            fn read(
                value: &serde_json::Value,
                at: &$crate::config::read::At<'_>,
                faults: &mut $crate::config::diagnostic::Faults,
            ) -> Self {
                let mut members = $crate::config::read::Members::open(value, at, faults);
                let object = Self {
                    $($field: members.$presence(object!(@name $field), faults),)*
                };
                $($(members.unsupported(object!(@name $later), faults);)*)?
                members.close(faults);
                object
            }
        }
    };
    (@type required $type:ty) => { $type };
    (@type optional $type:ty) => { Option<$type> };
    (@type narrowing $type:ty) => { Option<$type> };
    // A key that is a keyword of Rust is written `r#match` here and `match` in documents.
    (@name r#match) => { "match" };
    (@name $field:ident) => { stringify!($field) };
}

/// Defines a value that is one of some names, how it is read, and (natively) its schema.
macro_rules! choice {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$doc:meta])* $variant:ident = $text:literal,)*
        }
        $(unsupported { $($later:literal),* $(,)? })?
    ) => {
        $(#[$meta])*
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
        pub enum $name {
            $(
                $(#[$doc])*
                #[cfg_attr(not(target_arch = "wasm32"), schemars(rename = $text))]
                $variant,
            )*
        }

        impl $crate::config::read::Read for $name {
            const EXPECTED: &'static str = "a name";

            fn read(
                value: &serde_json::Value,
                at: &$crate::config::read::At<'_>,
                faults: &mut $crate::config::diagnostic::Faults,
            ) -> Self {
                match value.as_str() {
                    $(Some($text) => return Self::$variant,)*
                    $($(Some($later) => {
                        faults.report(at.to_string(), $crate::config::diagnostic::Fault::Unsupported);
                        return Self::default();
                    })*)?
                    _ => {}
                }
                let names = [$($text),*];
                $crate::config::read::unknown_choice(value, &names, at, faults);
                Self::default()
            }
        }
    };
}

pub(super) use {choice, object};

/// The schema of a member that must be there.
#[cfg(not(target_arch = "wasm32"))]
pub fn required(_: &mut schemars::Schema) {}

/// The schema of a member that may be `null`.
#[cfg(not(target_arch = "wasm32"))]
pub fn optional(_: &mut schemars::Schema) {}

/// The schema of a member that may be absent, and not `null`.
#[cfg(not(target_arch = "wasm32"))]
pub fn narrowing(schema: &mut schemars::Schema) {
    let is_null = |kind: Option<&Value>| kind.is_some_and(|kind| kind == "null");
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        kinds.retain(|kind| !is_null(Some(kind)));
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| !is_null(choice.get("type")));
    }
}

/// Reports a value that is none of `names`.
pub fn unknown_choice(value: &Value, names: &[&str], at: &At<'_>, faults: &mut Faults) {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let fault = Fault::Unexpected {
        expected: quoted.join(", "),
        found: describe(value),
        nearest: value
            .as_str()
            .and_then(|typed| nearest(typed, names.iter().copied())),
    };
    faults.report(at.to_string(), fault);
}

impl Read for String {
    const EXPECTED: &'static str = "a string";

    fn read(value: &Value, at: &At<'_>, faults: &mut Faults) -> Self {
        match value {
            Value::String(text) => text.clone(),
            other => {
                unexpected(other, Self::EXPECTED, at, faults);
                Self::default()
            }
        }
    }
}

impl Read for bool {
    const EXPECTED: &'static str = "`true` or `false`";

    fn read(value: &Value, at: &At<'_>, faults: &mut Faults) -> Self {
        match value {
            Value::Bool(truth) => *truth,
            other => {
                unexpected(other, Self::EXPECTED, at, faults);
                Self::default()
            }
        }
    }
}

impl Read for u32 {
    const EXPECTED: &'static str = "a whole number";

    fn read(value: &Value, at: &At<'_>, faults: &mut Faults) -> Self {
        match value.as_u64().map(Self::try_from) {
            Some(Ok(number)) => number,
            _ => {
                unexpected(value, Self::EXPECTED, at, faults);
                Self::default()
            }
        }
    }
}

impl<T: Read> Read for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn read(value: &Value, at: &At<'_>, faults: &mut Faults) -> Self {
        match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| T::read(item, &At::Item(at, index), faults))
                .collect(),
            other => {
                unexpected(other, Self::EXPECTED, at, faults);
                Self::default()
            }
        }
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    const EXPECTED: &'static str = "an object";

    fn read(value: &Value, at: &At<'_>, faults: &mut Faults) -> Self {
        match value {
            Value::Object(members) => {
                let mut read = Self::new();
                for (name, item) in members {
                    read.insert(name.clone(), T::read(item, &At::Member(at, name), faults));
                }
                read
            }
            other => {
                unexpected(other, Self::EXPECTED, at, faults);
                Self::default()
            }
        }
    }
}

/// Any JSON, taken as it is.
impl Read for Value {
    const EXPECTED: &'static str = "a value";

    fn read(value: &Value, _: &At<'_>, _: &mut Faults) -> Self {
        value.clone()
    }
}

/// A span of time, written as a number and a unit: `90s`, `10m`, `24h`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

impl Read for Span {
    const EXPECTED: &'static str = "a duration such as `90s`";

    fn read(value: &Value, at: &At<'_>, faults: &mut Faults) -> Self {
        match value.as_str().map(humantime::parse_duration) {
            Some(Ok(duration)) => Self(duration),
            _ => {
                unexpected(value, Self::EXPECTED, at, faults);
                Self::default()
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl schemars::JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A span of time: a number and a unit, as `90s`, `10m`, `24h`.",
            "pattern": "^(0|([0-9]+(\\.[0-9]+)? *(ns|us|ms|s|m|h|d|w|M|y|[nu]?sec|nanos|millis|msec|secs|seconds?|\
                mins?|minutes?|hrs?|hours?|days?|wks?|weeks?|months?|yrs?|years?) *)+)$",
        })
    }
}
