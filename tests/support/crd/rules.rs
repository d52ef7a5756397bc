//! What a definition requires beyond JSON Schema: rules in CEL (`x-kubernetes-validations`), and keys of lists.

use std::sync::Arc;

use cel::extractors::This;
use cel::parser::PrattParser;
use cel::{Context, Value as Cel};
use serde_json::Value;
use url::Url;

/// Collects the rules that a value breaks, and the keys that are twice in a list.
///
/// # Panics
/// A rule cannot be evaluated, for example since it calls a function that is missing here.
pub fn check(value: &Value, schema: &Value, at: &str, faults: &mut Vec<String>) {
    let rules = schema["x-kubernetes-validations"].as_array();
    for rule in rules.into_iter().flatten() {
        let text = rule["rule"].as_str().expect("a rule is a text");
        // A rule about a change does not apply to a new resource.
        if !text.contains("oldSelf") && !holds(text, value) {
            let message = rule["message"].as_str().unwrap_or(text);
            faults.push(format!("{at}: {message}"));
        }
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let known = schema["properties"].get(name);
        let schema = known.unwrap_or(&schema["additionalProperties"]);
        check(member, schema, &format!("{at}/{name}"), faults);
    }
    let keys = &schema["x-kubernetes-list-map-keys"];
    let key_of = |item: &Value| -> Vec<Value> {
        let keys = keys.as_array().into_iter().flatten();
        keys.map(|key| item[key.as_str().unwrap_or_default()].clone())
            .collect()
    };
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        let mut before = value.as_array().into_iter().flatten().take(place);
        if keys.is_array() && before.any(|other| key_of(other) == key_of(item)) {
            faults.push(format!("{at}: {keys} is twice {:?}", key_of(item)));
        }
        check(item, &schema["items"], &format!("{at}/{place}"), faults);
    }
}

/// Whether a value satisfies a rule, in which it is `self`.
fn holds(rule: &str, value: &Value) -> bool {
    let expression = PrattParser::new().parse(rule);
    let expression = expression.unwrap_or_else(|error| panic!("{rule}: {error}"));
    let mut context = Context::default();
    // Functions of Kubernetes that are not part of CEL, and `matches`, which `cel` has with its feature `regex` only. A URL is
    // its text here.
    let is_url = |text: Arc<String>| Url::parse(&text).is_ok();
    let scheme = |This(text): This<Arc<String>>| {
        Url::parse(&text).map_or_else(|_| String::new(), |url| url.scheme().to_owned())
    };
    let matches = |This(text): This<Arc<String>>, pattern: Arc<String>| {
        regex_lite::Regex::new(&pattern).is_ok_and(|pattern| pattern.is_match(&text))
    };
    for added in [
        context.add_function("matches", matches),
        context.add_function("isURL", is_url),
        context.add_function("url", |text: Arc<String>| text),
        context.add_function("getScheme", scheme),
    ] {
        added.expect("a function that CEL does not have");
    }
    context.add_variable_from_value("self", as_cel(value));
    match Cel::resolve(&expression, &context) {
        Ok(Cel::Bool(truth)) => truth,
        other => panic!("{rule}: {other:?}"),
    }
}

/// A value as CEL has it: a whole number is an `int`, as in the schema.
fn as_cel(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(truth) => Cel::Bool(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Cel::Int(number),
            None => Cel::Float(number.as_f64().expect("a number")),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(as_cel).collect::<Vec<_>>().into(),
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, member)| (name.clone(), as_cel(member)));
            members.collect::<std::collections::HashMap<_, _>>().into()
        }
    }
}
