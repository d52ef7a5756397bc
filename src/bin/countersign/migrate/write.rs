//! A gate → the configuration as YAML, with comments.

use countersign::grammar::unprintable::escaped;
use serde_yaml_ng::{Mapping, Value};

use super::access::Access;
use super::divide::{Matches, Rule};
use super::gate::Gate;
use crate::yaml;

/// The origin in `cors` where no origin is allowed. The top-level domain is reserved (RFC 2606 §2).
const NO_ORIGIN: &str = "https://origin.invalid";

/// A configuration in the order in which it is written.
#[derive(Debug)]
pub struct Written {
    sections: Vec<Section>,
}

/// Comments, and what is written after them.
#[derive(Debug)]
struct Section {
    comment: Vec<String>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// A key and its value.
    Key(&'static str, Value),
    /// A key whose value is a list, each item with a comment.
    List(&'static str, Vec<(Option<&'static str>, Value)>),
}

impl Written {
    /// The configuration of a gate.
    pub fn new(gate: &Gate, rules: &[Rule]) -> Self {
        let mut sections = Vec::new();
        let mut section = |comment: &[&str], body: Body| {
            let comment = comment.iter().map(|line| (*line).to_owned()).collect();
            sections.push(Section { comment, body });
        };
        if !gate.providers.is_empty() {
            let providers = gate.providers.iter().map(|provider| {
                let (kind, settings) = &provider.settings;
                Value::Mapping(mapping([
                    ("name", text(&provider.name)),
                    (kind, Value::Mapping(settings.clone())),
                ]))
            });
            section(&[], Body::Key("providers", providers.collect()));
        }
        section(
            &["The first rule that matches decides."],
            Body::List("rules", named(rules).collect()),
        );
        section(
            &["Requests without a path, such as `OPTIONS *`."],
            Body::Key("default", text("deny")),
        );
        if !gate.identity.is_empty() {
            section(
                &[],
                Body::Key("identity", Value::Mapping(gate.identity.clone())),
            );
        }
        section(
            &[
                "Preflight requests need a credential where other requests do, as before. Without this key they would pass.",
                "No origin is allowed to read responses of this filter.",
            ],
            Body::Key(
                "cors",
                Value::Mapping(mapping([
                    ("allow_origins", list([NO_ORIGIN])),
                    ("allow_credentials", Value::Bool(false)),
                    ("preflight", text("authenticate")),
                ])),
            ),
        );
        Self { sections }
    }

    /// The configuration of a gate that denies every request.
    pub fn denying(reason: &str) -> Self {
        let forbidden = mapping([
            ("name", text("denied")),
            ("respond", Value::Mapping(forbidden())),
        ]);
        Self {
            sections: vec![Section {
                comment: vec![format!("Every request is denied: {reason}")],
                body: Body::List("rules", vec![(None, Value::Mapping(forbidden))]),
            }],
        }
    }

    /// The text.
    ///
    /// # Errors
    /// The message of the serializer.
    pub fn text(&self) -> Result<String, serde_yaml_ng::Error> {
        let mut written = String::new();
        for Section { comment, body } in &self.sections {
            for line in comment {
                written.push_str(&comment_line(line));
            }
            match body {
                Body::Key(key, value) => {
                    written.push_str(&yaml(&Value::Mapping(mapping([(*key, value.clone())])))?);
                }
                Body::List(key, items) => {
                    written.push_str(&format!("{key}:\n"));
                    for (comment, item) in items {
                        if let Some(line) = comment {
                            written.push_str(&comment_line(line));
                        }
                        written.push_str(&yaml(&Value::Sequence(vec![item.clone()]))?);
                    }
                }
            }
        }
        Ok(written)
    }
}

/// A comment of one line. A line break in a name of the input must not end the comment.
pub fn comment_line(text: &str) -> String {
    format!("# {}\n", escaped(text))
}

/// A value as YAML that Envoy and Kubernetes read as it is.
///
/// The serializer writes `on` without quotes, which they read as a boolean. Such a value is written as JSON, which is YAML.
fn yaml(value: &Value) -> Result<String, serde_yaml_ng::Error> {
    let text = serde_yaml_ng::to_string(value)?;
    let Ok(expected) = serde_json::to_value(value) else {
        return Ok(text);
    };
    match yaml::values(&text) {
        Ok(read) if read == [expected] => Ok(text),
        _ => Ok(as_json(value)),
    }
}

/// A list or an object with its items as JSON, each on one line.
fn as_json(value: &Value) -> String {
    let json = |value: &Value| serde_json::to_string(value).unwrap_or_default();
    match value {
        Value::Sequence(items) => items
            .iter()
            .map(|item| format!("- {}\n", json(item)))
            .collect(),
        Value::Mapping(members) => {
            let members = members.iter();
            let lines = members.map(|(key, value)| format!("{}: {}\n", json(key), json(value)));
            lines.collect()
        }
        other => json(other) + "\n",
    }
}

/// The rules, with names that are unique.
fn named(rules: &[Rule]) -> impl Iterator<Item = (Option<&'static str>, Value)> {
    let mut used: Vec<String> = Vec::new();
    rules.iter().map(move |rule| {
        let own = name(rule);
        let mut unique = own.clone();
        let mut number = 2;
        while used.contains(&unique) {
            unique = format!("{own}-{number}");
            number += 1;
        }
        used.push(unique.clone());
        let mut written = mapping([("name", text(&unique))]);
        let matches = matches(rule);
        if !matches.is_empty() {
            written.insert(text("match"), Value::Mapping(matches));
        }
        written.extend(requirements(&rule.access));
        let comment = match rule.access {
            Access::Denied => Some("No request passes. Without a credential, the status is 401."),
            _ => None,
        };
        (comment, Value::Mapping(written))
    })
}

fn name(rule: &Rule) -> String {
    let path = rule.paths.last().map(super::pattern::Pattern::name);
    let mut words = vec![path.unwrap_or_else(|| "rest".to_owned())];
    words.extend(rule.matches.methods.iter().map(|name| name.to_lowercase()));
    words.extend(
        rule.matches
            .hosts
            .first()
            .map(|host| host.replace("*.", "below-")),
    );
    words.extend(rule.matches.headers.iter().map(|(name, _)| name.clone()));
    words.extend(rule.matches.network.as_ref().map(|_| "network".to_owned()));
    words.join("-")
}

fn matches(rule: &Rule) -> Mapping {
    let Matches {
        methods,
        hosts,
        headers,
        network,
    } = &rule.matches;
    let mut written = Mapping::new();
    let paths: Vec<String> = rule.paths.iter().map(ToString::to_string).collect();
    if !paths.is_empty() {
        written.insert(text("paths"), list(&paths));
    }
    if !methods.is_empty() {
        written.insert(text("methods"), list(methods));
    }
    if !hosts.is_empty() {
        written.insert(text("hosts"), list(hosts));
    }
    if !headers.is_empty() {
        let headers = headers.iter().map(|(name, value)| {
            let value = match value.as_deref() {
                None => text("absent"),
                Some("absent") => list(["absent"]),
                Some(value) => text(value),
            };
            (text(name), value)
        });
        written.insert(text("headers"), Value::Mapping(headers.collect()));
    }
    if let Some(network) = network {
        let networks = mapping([("allow", list([network]))]);
        written.insert(text("networks"), Value::Mapping(networks));
    }
    written
}

fn requirements(access: &Access) -> Mapping {
    match access {
        Access::Public => mapping([("allow", text("public"))]),
        Access::Optional => mapping([("allow", text("optional"))]),
        Access::Required {
            providers,
            all,
            claims,
            cel,
        } => {
            let key = if *all { "require_all" } else { "providers" };
            let mut written = mapping([(key, list(providers))]);
            let mut require = Mapping::new();
            if !claims.is_empty() {
                let claims = claims.iter().map(|(name, values)| match values.as_slice() {
                    [value] => (text(name), text(value)),
                    values => (text(name), list(values)),
                });
                require.insert(text("claims"), Value::Mapping(claims.collect()));
            }
            if let Some(cel) = cel {
                require.insert(text("cel"), text(cel));
            }
            if !require.is_empty() {
                written.insert(text("require"), Value::Mapping(require));
            }
            written
        }
        Access::Denied => mapping([("require", Value::Mapping(mapping([("cel", text("false"))])))]),
        Access::Forbidden => mapping([("respond", Value::Mapping(forbidden()))]),
    }
}

fn forbidden() -> Mapping {
    let body = mapping([
        ("error", text("forbidden")),
        ("message", text("Access is denied.")),
    ]);
    mapping([
        ("status", Value::Number(403.into())),
        ("body", Value::Mapping(body)),
    ])
}

/// An object of these members, in this order.
pub fn mapping<'k>(members: impl IntoIterator<Item = (&'k str, Value)>) -> Mapping {
    let members = members.into_iter();
    members.map(|(name, value)| (text(name), value)).collect()
}

/// A string.
pub fn text(text: impl AsRef<str>) -> Value {
    Value::String(text.as_ref().to_owned())
}

/// A list of strings.
pub fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> Value {
    items.into_iter().map(text).collect()
}
