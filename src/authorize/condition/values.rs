//! What an expression looks at, as values of CEL: borrowed where it can be, and nothing that is not looked at.

use std::collections::HashMap;
use std::sync::Arc;

use cel::Context;
use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt,
};
use cel::common::value::Val;
use serde_json::{Number, Value};

use super::limits::{self, Purse};
use super::moment::Moment;
use super::syntax::Seen;
use super::{Asked, Condition};
use crate::request::RequestView;

type Boxed<'v> = Box<dyn Val + 'v>;
type Members<'v> = HashMap<CelMapKey<'v>, Boxed<'v>>;

/// What an expression sees that looks at nothing.
pub fn nothing<'v>(condition: &Condition) -> Context<'v, 'v> {
    let mut context = Context::with_env(super::environment::environment());
    if condition.is_metered {
        let purse = Purse::new(Arc::clone(&condition.patterns));
        context.add_variable_as_val(limits::NAME, Box::new(purse));
    }
    context
}

/// What an expression sees; none where a part of the request that it looks at is no text.
pub fn of<'v>(condition: &Condition, asked: Asked<'v>) -> Option<Context<'v, 'v>> {
    let mut context = nothing(condition);
    let sights = &condition.sights;
    let mut set = |name: &str, value: Boxed<'v>| context.add_variable_as_val(name, value);
    if sights.claims != Seen::Nothing {
        set("claims", members(of_claims(&sights.claims, asked)));
    }
    if let Some(subject) = asked.principal.subject().filter(|_| sights.subject) {
        set("subject", text(subject));
    }
    for (is_seen, name, values) in [
        (sights.scopes, "scopes", asked.principal.scopes()),
        (sights.roles, "roles", asked.principal.roles()),
        (sights.groups, "groups", asked.principal.groups()),
    ] {
        if is_seen {
            set(name, list(values.iter().map(|value| text(value))));
        }
    }
    if sights.provider {
        set("provider", text(asked.provider));
    }
    if sights.params != Seen::Nothing {
        let bound = asked.parameters.iter();
        let bound = bound.filter(|(name, _)| sights.params.has(name));
        set(
            "params",
            members(bound.map(|(name, value)| (*name, text(value)))),
        );
    }
    if sights.request {
        set(
            "request",
            members(of_request(condition, asked)?.into_iter()),
        );
    }
    if sights.source {
        let address = asked.request.client().filter(|_| sights.address);
        let address = address.map(|address| ("address", owned(address.to_string())));
        set("source", members(address.into_iter()));
    }
    if sights.now {
        set("now", Box::new(Moment::new(asked.now)?));
    }
    Some(context)
}

fn of_claims<'v>(seen: &Seen, asked: Asked<'v>) -> impl Iterator<Item = (&'v str, Boxed<'v>)> {
    let claims = asked.principal.claims().iter();
    claims
        .filter(|(name, _)| seen.has(name))
        .map(|(name, value)| (name.as_str(), json(value)))
}

fn of_request<'v>(condition: &Condition, asked: Asked<'v>) -> Option<Vec<(&'v str, Boxed<'v>)>> {
    let (sights, request) = (&condition.sights, asked.request);
    let mut known: Vec<(&str, Boxed<'v>)> = Vec::new();
    if sights.method {
        known.push(("method", text(std::str::from_utf8(request.method()).ok()?)));
    }
    if sights.path {
        // Whoever asks has refused a path that could be read in several ways.
        let reading = asked.path.plain().ok()?;
        if reading.is_path() {
            known.push(("path", owned(reading.joined())));
        }
    }
    if sights.host {
        known.push(("host", owned(request.host().ok()?.as_str().to_owned())));
    }
    if sights.scheme {
        let is_https = request.is_https(asked.https_by);
        known.push(("scheme", text(if is_https { "https" } else { "http" })));
    }
    if sights.headers != Seen::Nothing {
        known.push((
            "headers",
            members(of_headers(&sights.headers, request)?.into_iter()),
        ));
    }
    Some(known)
}

/// The fields that are looked at, those of one name together.
fn of_headers<'v>(seen: &Seen, request: &'v RequestView<'v>) -> Option<Vec<(&'v str, Boxed<'v>)>> {
    let mut fields: Vec<(&str, Boxed<'v>)> = Vec::new();
    for name in request.names() {
        let name = match (std::str::from_utf8(name), seen) {
            (Ok(name), _) => name,
            (Err(_), Seen::All) => return None,
            (Err(_), _) => continue,
        };
        if !seen.has(name) || fields.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let mut values = request.values(name.as_bytes()).map(std::str::from_utf8);
        let first = values.next()?.ok()?;
        let rest: Vec<&str> = values.collect::<Result<_, _>>().ok()?;
        fields.push((
            name,
            if rest.is_empty() {
                text(first)
            } else {
                let separator = if name == "cookie" { "; " } else { "," };
                let all: Vec<&str> = std::iter::once(first).chain(rest).collect();
                owned(all.join(separator))
            },
        ));
    }
    Some(fields)
}

fn json(value: &Value) -> Boxed<'_> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(truth) => Box::new(CelBool::from(*truth)),
        Value::Number(value) => number(value),
        Value::String(value) => text(value),
        Value::Array(items) => list(items.iter().map(json)),
        Value::Object(object) => members(
            object
                .iter()
                .map(|(name, value)| (name.as_str(), json(value))),
        ),
    }
}

/// A whole number is an `int`, or where it is too large for one, a `uint`.
fn number<'v>(number: &Number) -> Boxed<'v> {
    if let Some(number) = number.as_i64() {
        Box::new(CelInt::from(number))
    } else if let Some(number) = number.as_u64() {
        Box::new(CelUInt::from(number))
    } else {
        Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN)))
    }
}

fn text<'v>(text: &'v str) -> Boxed<'v> {
    Box::new(CelString::from(text))
}

fn owned<'v>(text: String) -> Boxed<'v> {
    Box::new(CelString::from(text))
}

fn list<'v>(items: impl Iterator<Item = Boxed<'v>>) -> Boxed<'v> {
    Box::new(CelList::from(items.collect::<Vec<_>>()))
}

fn members<'v>(members: impl Iterator<Item = (&'v str, Boxed<'v>)>) -> Boxed<'v> {
    let members: Members<'v> = members
        .map(|(name, value)| (CelMapKey::from(name), value))
        .collect();
    Box::new(CelMap::from(members))
}
