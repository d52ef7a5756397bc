//! What an expression looks at, as values of CEL: borrowed where it can be, nothing that is not looked at, and each value
//! paid for before it is made.

use std::collections::HashMap;

use cel::Context;
use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt,
};
use cel::common::value::Val;
use serde_json::{Number, Value};

use super::Asked;
use super::limits::{self, Purse};
use super::moment::Moment;
use super::syntax::{Seen, Sights};
use crate::request::RequestView;

type Boxed<'v> = Box<dyn Val + 'v>;
type Members<'v> = HashMap<CelMapKey<'v>, Boxed<'v>>;

/// What it costs to make a value and to drop it.
const MADE: u32 = 3;

/// What it costs to find a field's other values by the hash of its name.
const HASHED: u32 = 6;

/// A field's name and its values.
type Field<'v> = (&'v str, Vec<&'v [u8]>);

/// What an expression sees that looks at nothing.
pub fn nothing<'v>(purse: &Purse) -> Context<'v, 'v> {
    let mut context = Context::with_env(super::environment::environment());
    context.add_variable_as_val(limits::NAME, Box::new(purse.clone()));
    context
}

/// What an expression sees; none where a part of the request that it looks at is no text, or it costs too much.
pub fn of<'v>(sights: &Sights, purse: &Purse, asked: Asked<'v>) -> Option<Context<'v, 'v>> {
    let mut context = nothing(purse);
    let values = Values {
        sights,
        purse,
        asked,
    };
    let mut set = |name: &str, value: Boxed<'v>| context.add_variable_as_val(name, value);
    if sights.claims != Seen::Nothing {
        set("claims", values.claims()?);
    }
    if let Some(subject) = asked.principal.subject().filter(|_| sights.subject) {
        set("subject", values.text(subject)?);
    }
    for (is_seen, name, names) in [
        (sights.scopes, "scopes", asked.principal.scopes()),
        (sights.roles, "roles", asked.principal.roles()),
        (sights.groups, "groups", asked.principal.groups()),
    ] {
        if is_seen {
            set(
                name,
                values.list(names.iter().map(|name| values.text(name)))?,
            );
        }
    }
    if sights.provider {
        set("provider", values.text(asked.provider)?);
    }
    if sights.params != Seen::Nothing {
        let bound = asked.parameters.iter();
        let bound = bound.filter(|(name, _)| sights.params.has(name));
        let bound = bound.map(|(name, value)| Some((*name, values.text(value)?)));
        set("params", values.members(bound)?);
    }
    if sights.request {
        set("request", values.request()?);
    }
    if sights.source {
        let address = asked.request.client().filter(|_| sights.address);
        let address = address.map(|address| Some(("address", values.owned(address.to_string())?)));
        set("source", values.members(address.into_iter())?);
    }
    if sights.now {
        set("now", Box::new(Moment::new(asked.now)?));
    }
    Some(context)
}

/// Makes values.
#[derive(Clone, Copy)]
struct Values<'a, 'v> {
    sights: &'a Sights,
    purse: &'a Purse,
    asked: Asked<'v>,
}

impl<'v> Values<'_, 'v> {
    fn claims(self) -> Option<Boxed<'v>> {
        let claims = self.asked.principal.claims();
        match &self.sights.claims {
            Seen::Nothing => self.members(std::iter::empty()),
            Seen::These(names) => {
                let seen = names.iter().filter_map(|name| claims.get_key_value(name));
                self.members(seen.map(|(name, value)| Some((name.as_str(), self.json(value)?))))
            }
            Seen::All => self.object(claims),
        }
    }

    fn request(self) -> Option<Boxed<'v>> {
        let (sights, request) = (self.sights, self.asked.request);
        let mut known: Vec<(&str, Boxed<'v>)> = Vec::new();
        if sights.method {
            known.push(("method", self.bytes(request.method())?));
        }
        if sights.path {
            // Whoever asks has refused a path that could be read in several ways.
            let reading = self.asked.path.plain().ok()?;
            if reading.is_path() {
                let path = self.asked.budget.path(|| Some(reading.joined()))?;
                known.push(("path", self.text(path)?));
            }
        }
        if sights.host {
            let make = || Some(request.host().ok()?.as_str().to_owned());
            known.push(("host", self.text(self.asked.budget.host(make)?)?));
        }
        if sights.scheme {
            let is_https = request.is_https(self.asked.https_by);
            let scheme: &[u8] = if is_https { b"https" } else { b"http" };
            known.push(("scheme", self.bytes(scheme)?));
        }
        if sights.headers != Seen::Nothing {
            let headers = self.headers(request)?;
            known.push(("headers", self.members(headers.into_iter().map(Some))?));
        }
        self.members(known.into_iter().map(Some))
    }

    /// The fields that are looked at, those of one name together.
    fn headers(self, request: &'v RequestView<'v>) -> Option<Vec<(&'v str, Boxed<'v>)>> {
        let fields = match &self.sights.headers {
            Seen::Nothing => Vec::new(),
            Seen::These(names) => self.fields_called(request, names)?,
            Seen::All => self.all_fields(request)?,
        };
        let fields = fields.into_iter();
        fields
            .map(|(name, values)| Some((name, self.field(name, &values)?)))
            .collect()
    }

    /// The fields of some names: each name is compared with every field's.
    fn fields_called(
        self,
        request: &'v RequestView<'v>,
        names: &[String],
    ) -> Option<Vec<Field<'v>>> {
        let count = limits::small(request.fields().count());
        let mut fields = Vec::new();
        for looked_for in names {
            let compared = limits::of_text(looked_for).saturating_mul(count);
            self.purse.spend(compared)?;
            let is_one = |(name, _): &(&[u8], _)| *name == looked_for.as_bytes();
            let mut found = request.fields().filter(is_one).peekable();
            let name = found.peek().map(|(name, _)| *name);
            if let Some(name) = name.and_then(|name| std::str::from_utf8(name).ok()) {
                fields.push((name, found.map(|(_, value)| value).collect()));
            }
        }
        Some(fields)
    }

    /// All fields, in the time that it takes to hash their names.
    fn all_fields(self, request: &'v RequestView<'v>) -> Option<Vec<Field<'v>>> {
        let mut fields: HashMap<&str, Vec<&[u8]>> = HashMap::new();
        for (name, value) in request.fields() {
            self.purse
                .spend(limits::of_bytes(name.len()).saturating_mul(HASHED))?;
            let name = std::str::from_utf8(name).ok()?;
            fields.entry(name).or_default().push(value);
        }
        Some(fields.into_iter().collect())
    }

    /// The value of a field: one of several lists all (RFC 9110 §5.3), but for cookies (RFC 9113 §8.2.3).
    fn field(self, name: &str, values: &[&'v [u8]]) -> Option<Boxed<'v>> {
        if let [value] = values {
            return self.bytes(value);
        }
        let separator: &[u8] = if name == "cookie" { b"; " } else { b"," };
        let length = values.iter().map(|value| 1 + value.len()).sum();
        self.purse.spend(limits::of_bytes(length))?;
        self.owned(String::from_utf8(values.join(separator)).ok()?)
    }

    fn json(self, value: &'v Value) -> Option<Boxed<'v>> {
        match value {
            Value::Null => self.made(CelNull),
            Value::Bool(truth) => self.made(CelBool::from(*truth)),
            Value::Number(value) => self.number(value),
            Value::String(value) => self.text(value),
            Value::Array(items) => self.list(items.iter().map(|item| self.json(item))),
            Value::Object(object) => self.object(object),
        }
    }

    fn object(self, object: &'v serde_json::Map<String, Value>) -> Option<Boxed<'v>> {
        let members = object.iter();
        self.members(members.map(|(name, value)| Some((name.as_str(), self.json(value)?))))
    }

    /// A whole number is an `int`, or where it is too large for one, a `uint`.
    fn number(self, number: &Number) -> Option<Boxed<'v>> {
        if let Some(number) = number.as_i64() {
            self.made(CelInt::from(number))
        } else if let Some(number) = number.as_u64() {
            self.made(CelUInt::from(number))
        } else {
            self.made(CelDouble::from(number.as_f64().unwrap_or(f64::NAN)))
        }
    }

    fn bytes(self, bytes: &'v [u8]) -> Option<Boxed<'v>> {
        self.text(std::str::from_utf8(bytes).ok()?)
    }

    fn text(self, text: &'v str) -> Option<Boxed<'v>> {
        self.purse.spend(limits::of_text(text))?;
        self.made(CelString::from(text))
    }

    fn owned(self, text: String) -> Option<Boxed<'v>> {
        self.purse.spend(limits::of_text(&text))?;
        self.made(CelString::from(text))
    }

    fn list(self, items: impl Iterator<Item = Option<Boxed<'v>>>) -> Option<Boxed<'v>> {
        self.made(CelList::from(items.collect::<Option<Vec<_>>>()?))
    }

    fn members(
        self,
        members: impl Iterator<Item = Option<(&'v str, Boxed<'v>)>>,
    ) -> Option<Boxed<'v>> {
        let members = members.map(|member| {
            let (name, value) = member?;
            self.purse.spend(MADE + limits::of_text(name))?;
            Some((CelMapKey::from(name), value))
        });
        self.made(CelMap::from(members.collect::<Option<Members<'v>>>()?))
    }

    fn made(self, value: impl Val + 'v) -> Option<Boxed<'v>> {
        self.purse.spend(MADE)?;
        Some(Box::new(value))
    }
}
