//! The values that an expression refers to, as values of CEL.
//!
//! Values are borrowed where possible. A value that the expression does not refer to is not built, and each value is
//! charged before it is built.

use std::collections::HashMap;

use cel::Context;
use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt,
};
use cel::common::value::Val;
use serde_json::{Number, Value};

use super::Input;
use super::limits::{self, Meter};
use super::moment::Moment;
use super::references::{Members, References};
use crate::authenticate::Principal;
use crate::authenticate::granted::Granted;
use crate::request::RequestView;

type Boxed<'v> = Box<dyn Val + 'v>;
type Entries<'v> = HashMap<CelMapKey<'v>, Boxed<'v>>;

/// The price of building and dropping a value.
const MADE: u32 = 3;

/// The price of grouping a header with others of its name, by the hash of the name.
const HASHED: u32 = 6;

/// The name of headers, and their values.
type Field<'v> = (&'v str, Vec<&'v [u8]>);

/// The context of an expression that refers to nothing.
pub fn nothing<'v>(meter: &Meter) -> Context<'v, 'v> {
    let mut context = Context::with_env(super::environment::environment());
    context.add_variable_as_val(limits::NAME, Box::new(meter.clone()));
    context
}

/// The context of an expression. None if a part of the request that it refers to is not UTF-8, or if the budget is
/// exhausted.
pub fn of<'v>(references: &References, meter: &Meter, input: Input<'v>) -> Option<Context<'v, 'v>> {
    let mut context = nothing(meter);
    let values = Values {
        references,
        meter,
        input,
    };
    let mut set = |name: &str, value: Boxed<'v>| context.add_variable_as_val(name, value);
    if references.claims != Members::None {
        let claims = values.claims(input.principal, &references.claims);
        set("claims", claims?);
    }
    if let Some(subject) = input.principal.subject().filter(|_| references.subject) {
        set("subject", values.text(subject)?);
    }
    for (is_seen, name, names) in [
        (references.scopes, "scopes", input.principal.scopes()),
        (references.roles, "roles", input.principal.roles()),
        (references.groups, "groups", input.principal.groups()),
    ] {
        if is_seen {
            set(name, values.names(names)?);
        }
    }
    if references.provider {
        set("provider", values.text(input.provider)?);
    }
    if references.callers != Members::None {
        set("callers", values.callers()?);
    }
    if references.params != Members::None {
        let bound = input.parameters.iter();
        let bound = bound.filter(|(name, _)| references.params.contains(name));
        let bound = bound.map(|(name, value)| Some((*name, values.text(value)?)));
        set("params", values.members(bound)?);
    }
    if references.request {
        set("request", values.request()?);
    }
    if references.source {
        let address = input.request.client().filter(|_| references.address);
        let address = address.map(|address| Some(("address", values.owned(address.to_string())?)));
        set("source", values.members(address.into_iter())?);
    }
    if references.now {
        set("now", Box::new(Moment::new(input.now)?));
    }
    Some(context)
}

/// Builds values.
#[derive(Clone, Copy)]
struct Values<'a, 'v> {
    references: &'a References,
    meter: &'a Meter,
    input: Input<'v>,
}

impl<'v> Values<'_, 'v> {
    /// The callers that the expression refers to, by the names of their providers.
    fn callers(self) -> Option<Boxed<'v>> {
        let mut known: Vec<(&str, Boxed<'v>)> = Vec::new();
        for caller in self.input.callers {
            let provider = self.input.providers.get(caller.provider().0)?;
            if self.references.callers.contains(&provider.name) {
                known.push((&provider.name, self.caller(caller)?));
            }
        }
        self.members(known.into_iter().map(Some))
    }

    fn caller(self, caller: &'v Principal) -> Option<Boxed<'v>> {
        let seen = &self.references.of_callers;
        let mut known: Vec<(&str, Boxed<'v>)> = Vec::new();
        if let Some(subject) = caller.subject().filter(|_| seen.subject) {
            known.push(("subject", self.text(subject)?));
        }
        for (is_seen, name, names) in [
            (seen.scopes, "scopes", caller.scopes()),
            (seen.roles, "roles", caller.roles()),
            (seen.groups, "groups", caller.groups()),
        ] {
            if is_seen {
                known.push((name, self.names(names)?));
            }
        }
        if seen.claims != Members::None {
            known.push(("claims", self.claims(caller, &seen.claims)?));
        }
        self.members(known.into_iter().map(Some))
    }

    /// The scopes, roles or groups of a caller.
    fn names(self, names: &'v Granted) -> Option<Boxed<'v>> {
        self.list(names.iter().map(|name| self.text(name)))
    }

    /// The claims of a caller that the expression refers to.
    fn claims(self, caller: &'v Principal, seen: &Members) -> Option<Boxed<'v>> {
        let claims = caller.claims();
        match seen {
            Members::None => self.members(std::iter::empty()),
            Members::Named(names) => {
                let seen = names.iter().filter_map(|name| claims.get_key_value(name));
                self.members(seen.map(|(name, value)| Some((name.as_str(), self.json(value)?))))
            }
            Members::All => self.object(claims),
        }
    }

    fn request(self) -> Option<Boxed<'v>> {
        let (references, request) = (self.references, self.input.request);
        let mut known: Vec<(&str, Boxed<'v>)> = Vec::new();
        if references.method {
            known.push(("method", self.bytes(request.method())?));
        }
        if references.path {
            // `evaluate` has already denied a request whose path has several readings.
            let reading = self.input.path.plain().ok()?;
            if reading.is_path() {
                let path = self.input.budget.path(|| Some(reading.joined()))?;
                known.push(("path", self.text(path)?));
            }
        }
        if references.host {
            let make = || Some(request.host().ok()?.as_str().to_owned());
            known.push(("host", self.text(self.input.budget.host(make)?)?));
        }
        if references.scheme {
            let is_https = request.is_https(self.input.https_by);
            let scheme: &[u8] = if is_https { b"https" } else { b"http" };
            known.push(("scheme", self.bytes(scheme)?));
        }
        if references.headers != Members::None {
            let headers = self.headers(request)?;
            known.push(("headers", self.members(headers.into_iter().map(Some))?));
        }
        self.members(known.into_iter().map(Some))
    }

    /// The headers that the expression refers to, grouped by name.
    fn headers(self, request: &'v RequestView<'v>) -> Option<Vec<(&'v str, Boxed<'v>)>> {
        let fields = match &self.references.headers {
            Members::None => Vec::new(),
            Members::Named(names) => self.fields_called(request, names)?,
            Members::All => self.all_fields(request)?,
        };
        let fields = fields.into_iter();
        fields
            .map(|(name, values)| Some((name, self.field(name, &values)?)))
            .collect()
    }

    /// The headers of these names. Each name is compared with that of every header.
    fn fields_called(
        self,
        request: &'v RequestView<'v>,
        names: &[String],
    ) -> Option<Vec<Field<'v>>> {
        let count = limits::small(request.fields().count());
        let mut fields = Vec::new();
        for looked_for in names {
            let compared = limits::of_text(looked_for).saturating_mul(count);
            self.meter.spend(compared)?;
            let is_one = |(name, _): &(&[u8], _)| *name == looked_for.as_bytes();
            let mut found = request.fields().filter(is_one).peekable();
            let name = found.peek().map(|(name, _)| *name);
            if let Some(name) = name.and_then(|name| std::str::from_utf8(name).ok()) {
                fields.push((name, found.map(|(_, value)| value).collect()));
            }
        }
        Some(fields)
    }

    /// All headers, in the time that it takes to hash their names.
    fn all_fields(self, request: &'v RequestView<'v>) -> Option<Vec<Field<'v>>> {
        let mut fields: HashMap<&str, Vec<&[u8]>> = HashMap::new();
        for (name, value) in request.fields() {
            self.meter
                .spend(limits::of_bytes(name.len()).saturating_mul(HASHED))?;
            let name = std::str::from_utf8(name).ok()?;
            fields.entry(name).or_default().push(value);
        }
        Some(fields.into_iter().collect())
    }

    /// The value of the headers of one name. Several are joined to a list (RFC 9110 §5.3), and cookies by `; ` (RFC
    /// 9113 §8.2.3).
    fn field(self, name: &str, values: &[&'v [u8]]) -> Option<Boxed<'v>> {
        if let [value] = values {
            return self.bytes(value);
        }
        let separator: &[u8] = if name == "cookie" { b"; " } else { b"," };
        let length = values.iter().map(|value| 1 + value.len()).sum();
        self.meter.spend(limits::of_bytes(length))?;
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

    /// A whole number is an `int` or, if it is too large, a `uint`.
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
        self.meter.spend(limits::of_text(text))?;
        self.made(CelString::from(text))
    }

    fn owned(self, text: String) -> Option<Boxed<'v>> {
        self.meter.spend(limits::of_text(&text))?;
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
            self.meter.spend(MADE + limits::of_text(name))?;
            Some((CelMapKey::from(name), value))
        });
        self.made(CelMap::from(members.collect::<Option<Entries<'v>>>()?))
    }

    fn made(self, value: impl Val + 'v) -> Option<Boxed<'v>> {
        self.meter.spend(MADE)?;
        Some(Box::new(value))
    }
}
