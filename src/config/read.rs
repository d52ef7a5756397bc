//! JSON value → typed value. Every fault is reported, and reading continues after it.
//!
//! A value that cannot be read is not replaced by a default: it becomes [`Reported`]. Values that depend on it are not
//! checked, so that no fault is reported as a consequence of another.

mod macros;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::at::At;
use super::diagnostic::{Diagnostics, Partly, Reported, Whole, nearest};
use super::fault::{Expected, Fault, Found};
use super::home::home_of;

#[cfg(not(target_arch = "wasm32"))]
pub(super) use self::macros::has_schema_of;
pub(super) use self::macros::{choice, object};

/// What a message says that was expected in place of other kinds of values.
pub const STRING: &str = "a string";
pub const LIST: &str = "a list";
pub const SPAN: &str = "a duration such as `90s`";

/// Whether a character is a quote as word processors write it: `‘`, `’`, `‚`, `“`, `”` or `„`.
fn is_curly_quote(character: char) -> bool {
    matches!(character, '\u{2018}'..='\u{201e}')
}

/// A value that was read, or the proof that the fault in it was reported.
pub type Typed<T> = Result<T, Reported>;

/// A list, each item of which was read or is at fault.
pub type List<T> = Vec<Typed<T>>;

/// An object with keys that the user chooses, each value of which was read or is at fault.
pub type Mapping<T> = BTreeMap<String, Typed<T>>;

/// What can be read from a configuration.
pub trait Read {
    /// What a message says where this is missing: `a string`.
    const EXPECTED: &'static str;

    /// What is read.
    type Value;

    /// Reads the value at a location.
    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self::Value>;
}

/// A value that may be absent.
pub trait Optional<T> {
    /// The value, if it is there and could be read.
    fn given(&self) -> Option<&T>;

    /// Whether the key is not there. A value that could not be read is there.
    fn is_absent(&self) -> bool;
}

impl<T> Optional<T> for Typed<Option<T>> {
    fn given(&self) -> Option<&T> {
        self.as_ref().ok().and_then(Option::as_ref)
    }

    fn is_absent(&self) -> bool {
        matches!(self, Ok(None))
    }
}

/// A list, or a list that may be absent.
pub trait Items<T> {
    /// The items, if there is a list and it could be read.
    fn list(&self) -> &[Typed<T>];

    /// Whether the list is absent or could be read; its items may be at fault.
    fn whole(&self) -> Whole;

    /// The items that could be read, each with its index.
    fn items<'a>(&'a self) -> impl Iterator<Item = (usize, &'a T)>
    where
        T: 'a,
    {
        let items = self.list().iter().enumerate();
        items.filter_map(|(index, item)| Some((index, item.as_ref().ok()?)))
    }

    /// Compiles every item that could be read, and goes on after a fault.
    fn each<U>(
        &self,
        at: &At<'_>,
        mut compile: impl FnMut(&At<'_>, &T) -> Typed<U>,
    ) -> Partly<Vec<U>> {
        let mut each = Partly {
            known: Vec::new(),
            whole: self.whole(),
        };
        for (index, item) in self.list().iter().enumerate() {
            let compiled = match item {
                Ok(item) => compile(&at.item(index), item),
                Err(reported) => Err(*reported),
            };
            match compiled {
                Ok(compiled) => each.known.push(compiled),
                Err(reported) => each.whole = Err(reported),
            }
        }
        each
    }
}

impl<T> Items<T> for List<T> {
    fn list(&self) -> &[Typed<T>] {
        self
    }

    fn whole(&self) -> Whole {
        Ok(())
    }
}

impl<T> Items<T> for Typed<List<T>> {
    fn list(&self) -> &[Typed<T>] {
        self.as_deref().unwrap_or_default()
    }

    fn whole(&self) -> Whole {
        self.as_ref().map(|_| ()).map_err(|reported| *reported)
    }
}

impl<T> Items<T> for Typed<Option<List<T>>> {
    fn list(&self) -> &[Typed<T>] {
        self.given().map(Vec::as_slice).unwrap_or_default()
    }

    fn whole(&self) -> Whole {
        self.as_ref().map(|_| ()).map_err(|reported| *reported)
    }
}

/// An object with keys that the user chooses, which may be absent.
pub trait Entries<T> {
    /// Whether the object is absent, or it and all its values could be read.
    fn whole(&self) -> Whole;

    /// The entries whose value could be read.
    fn entries<'a>(&'a self) -> impl Iterator<Item = (&'a str, &'a T)>
    where
        T: 'a;
}

impl<T> Entries<T> for Typed<Option<Mapping<T>>> {
    fn whole(&self) -> Whole {
        let entries = self.as_ref().map_err(|reported| *reported)?;
        let mut values = entries.iter().flat_map(BTreeMap::values);
        values.try_for_each(|value| value.as_ref().map(|_| ()).map_err(|reported| *reported))
    }

    fn entries<'a>(&'a self) -> impl Iterator<Item = (&'a str, &'a T)>
    where
        T: 'a,
    {
        let entries = self.given().into_iter().flatten();
        entries.filter_map(|(name, value)| Some((name.as_str(), value.as_ref().ok()?)))
    }
}

/// Reports that a value is not of the expected kind.
#[inline(never)]
pub fn unexpected(
    value: &Value,
    expected: &'static str,
    at: &At<'_>,
    diagnostics: &mut Diagnostics,
) -> Reported {
    let fault = Fault::Unexpected {
        expected: Expected::Kind(expected),
        found: Found::from(value),
    };
    diagnostics.report(at, fault)
}

/// Reports that a value is not of the expected kind. The message does not show the value, which can be a secret.
#[inline(never)]
pub fn unexpected_secret(
    expected: &'static str,
    at: &At<'_>,
    diagnostics: &mut Diagnostics,
) -> Reported {
    let fault = Fault::Unexpected {
        expected: Expected::Kind(expected),
        found: Found::Hidden,
    };
    diagnostics.report(at, fault)
}

/// Reports that a value is none of `names`.
#[inline(never)]
pub fn unknown_choice(
    value: &Value,
    names: &'static [&'static str],
    at: &At<'_>,
    diagnostics: &mut Diagnostics,
) -> Reported {
    let fault = Fault::Unexpected {
        expected: Expected::OneOf(names),
        found: Found::from(value),
    };
    diagnostics.report(at, fault)
}

/// The members of an object. A member that is never read is an unknown key.
pub struct Members<'v, 'a> {
    members: &'v Map<String, Value>,
    at: &'a At<'a>,
    known: Vec<&'static str>,
    whole: Whole,
}

impl<'v, 'a> Members<'v, 'a> {
    /// Opens an object.
    ///
    /// # Errors
    /// [`Reported`] if the value is not an object.
    pub fn open(
        value: &'v Value,
        at: &'a At<'a>,
        diagnostics: &mut Diagnostics,
    ) -> Result<Self, Reported> {
        match value {
            Value::Object(members) => Ok(Self {
                members,
                at,
                known: Vec::new(),
                whole: Ok(()),
            }),
            other => Err(unexpected(other, "an object", at, diagnostics)),
        }
    }

    /// The member called `name`, if it is there. A member that is `null` is absent, since that is what a key without a
    /// value means in YAML.
    pub fn optional<T: Read>(
        &mut self,
        name: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Typed<Option<T::Value>> {
        match self.take_value(name) {
            Some(value) => self.read::<T>(value, name, diagnostics).map(Some),
            None => Ok(None),
        }
    }

    /// The optional member `name`, which restricts something. `null` is a fault, because it would mean no restriction.
    pub fn narrowing<T: Read>(
        &mut self,
        name: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Typed<Option<T::Value>> {
        match self.take(name) {
            Some(value) => self.read::<T>(value, name, diagnostics).map(Some),
            None => Ok(None),
        }
    }

    /// The member called `name`, which must be there.
    pub fn required<T: Read>(
        &mut self,
        name: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Typed<T::Value> {
        match self.take_value(name) {
            Some(value) => self.read::<T>(value, name, diagnostics),
            None => Err(self.missing(name, T::EXPECTED, diagnostics)),
        }
    }

    /// Reports every member that was not taken, and says whether all keys of the object were right.
    pub fn close(mut self, diagnostics: &mut Diagnostics) -> Whole {
        for name in self.members.keys() {
            if !self.known.contains(&name.as_str()) {
                let fault = self.unknown(name);
                self.whole = Err(diagnostics.report(&self.at.member(name), fault));
            }
        }
        self.whole
    }

    #[inline(never)]
    fn unknown(&self, name: &str) -> Fault {
        // A no-break space around a name is not seen easily.
        let visible = name.trim();
        match home_of(visible, self.at) {
            _ if is_in_curly_quotes(name) => Fault::CurlyQuotes,
            Some(home) => Fault::MisplacedKey(home),
            None => Fault::UnknownKey {
                nearest: nearest(visible, self.known.iter().copied()),
            },
        }
    }

    fn take_value(&mut self, name: &'static str) -> Option<&'v Value> {
        self.take(name).filter(|value| !value.is_null())
    }

    // Not inlined, because every key has a call.
    #[inline(never)]
    fn take(&mut self, name: &'static str) -> Option<&'v Value> {
        self.known.push(name);
        self.members.get(name)
    }

    fn read<T: Read>(
        &mut self,
        value: &Value,
        name: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Typed<T::Value> {
        let read = T::read(value, &self.at.member(name), diagnostics);
        if let Err(reported) = &read {
            self.whole = Err(*reported);
        }
        read
    }

    #[inline(never)]
    fn missing(
        &mut self,
        name: &'static str,
        expected: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Reported {
        let fault = Fault::Missing(expected);
        self.fails(diagnostics.report(&self.at.member(name), fault))
    }

    fn fails(&mut self, reported: Reported) -> Reported {
        self.whole = Err(reported);
        reported
    }
}

impl Read for String {
    const EXPECTED: &'static str = STRING;

    type Value = Self;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self> {
        match value {
            Value::String(text) if is_in_curly_quotes(text) => {
                Err(diagnostics.report(at, Fault::CurlyQuotes))
            }
            Value::String(text) => Ok(text.clone()),
            other => Err(unexpected(other, Self::EXPECTED, at, diagnostics)),
        }
    }
}

/// Whether a text has quotes as word processors write them, where YAML and JSON have `"`.
#[inline(never)]
pub fn is_in_curly_quotes(text: &str) -> bool {
    let ends = |last: char| is_curly_quote(last) || last == '"' || last == '\'';
    text.chars().next().is_some_and(is_curly_quote) && text.chars().next_back().is_some_and(ends)
}

impl Read for bool {
    const EXPECTED: &'static str = "`true` or `false`";

    type Value = Self;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self> {
        match value {
            Value::Bool(truth) => Ok(*truth),
            other => Err(unexpected(other, Self::EXPECTED, at, diagnostics)),
        }
    }
}

impl Read for u32 {
    const EXPECTED: &'static str = "a whole number";

    type Value = Self;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self> {
        match value.as_u64().map(Self::try_from) {
            Some(Ok(number)) => Ok(number),
            _ => Err(unexpected(value, Self::EXPECTED, at, diagnostics)),
        }
    }
}

impl<T: Read> Read for Vec<T> {
    const EXPECTED: &'static str = LIST;

    type Value = List<T::Value>;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self::Value> {
        match value {
            Value::Array(items) => Ok(items
                .iter()
                .enumerate()
                .map(|(index, item)| T::read(item, &at.item(index), diagnostics))
                .collect()),
            other => Err(unexpected(other, Self::EXPECTED, at, diagnostics)),
        }
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    const EXPECTED: &'static str = "an object";

    type Value = Mapping<T::Value>;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self::Value> {
        match value {
            Value::Object(members) => {
                let mut read = Mapping::new();
                for (name, item) in members {
                    let at = at.member(name);
                    let item = if is_in_curly_quotes(name) {
                        Err(diagnostics.report(&at, Fault::CurlyQuotes))
                    } else {
                        T::read(item, &at, diagnostics)
                    };
                    read.insert(name.clone(), item);
                }
                Ok(read)
            }
            other => Err(unexpected(other, Self::EXPECTED, at, diagnostics)),
        }
    }
}

/// Any JSON value.
impl Read for Value {
    const EXPECTED: &'static str = "a value";

    type Value = Self;

    fn read(value: &Value, _: &At<'_>, _: &mut Diagnostics) -> Typed<Self> {
        Ok(value.clone())
    }
}

/// A span of time, written as a number and a unit: `90s`, `10m`, `24h`.
#[derive(Debug)]
pub struct Span;

impl Read for Span {
    const EXPECTED: &'static str = SPAN;

    type Value = Duration;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Duration> {
        match value.as_str().map(humantime::parse_duration) {
            Some(Ok(duration)) => Ok(duration),
            _ => Err(unexpected(value, Self::EXPECTED, at, diagnostics)),
        }
    }
}

/// The JSON Schema of what is read here.
#[cfg(not(target_arch = "wasm32"))]
pub mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use serde_json::Value;

    impl JsonSchema for super::Span {
        fn schema_name() -> Cow<'static, str> {
            "Duration".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "type": "string",
                "description": "A span of time: a number and a unit, such as `90s`, `10m` or `24h`.",
                "pattern": "^(0|([0-9]+(\\.[0-9]+)? *(ns|us|ms|s|m|h|d|w|M|y|[nu]?sec|nanos|millis|msec|secs|seconds?|\
                    mins?|minutes?|hrs?|hours?|days?|wks?|weeks?|months?|yrs?|years?) *)+)$",
            })
        }
    }

    /// The schema of a member that must be there.
    pub fn required(_: &mut Schema) {}

    /// The schema of a member that may be `null`.
    pub fn optional(_: &mut Schema) {}

    /// The schema of a member that may be absent, and not `null`.
    pub fn narrowing(schema: &mut Schema) {
        let is_null = |kind: Option<&Value>| kind.is_some_and(|kind| kind == "null");
        if let Some(Value::Array(kinds)) = schema.get_mut("type") {
            kinds.retain(|kind| !is_null(Some(kind)));
        }
        if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
            choices.retain(|choice| !is_null(choice.get("type")));
        }
    }
}
