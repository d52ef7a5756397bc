//! The type of a value, in words.

use serde_json::Value;

use super::annotation::{self, RANGE, TYPE};

/// Types that have a name for the reader.
const NAMED: [(&str, &str, &str); 6] = [
    ("AudienceList", "list of strings, or `any`", ""),
    ("ClaimPath", "claim", "claims"),
    ("Duration", "[duration](#values)", "durations"),
    ("Header", "string, or list of strings", "values"),
    ("Ha1", "map of strings", ""),
    (
        "Secret",
        "string, or [`{env: NAME}`](#secrets)",
        "[secrets](#secrets)",
    ),
];

/// The type of a value.
#[derive(Default)]
pub struct Kind {
    /// In words, with links to objects.
    pub text: String,
    /// The values that can be chosen, and what each means.
    pub choices: Vec<(String, String)>,
}

/// A schema, and the whole schema that it is a part of.
#[derive(Clone, Copy)]
pub struct Part<'s> {
    /// The whole schema.
    pub whole: &'s Value,
    /// The part.
    pub own: &'s Value,
}

impl<'s> Part<'s> {
    /// The type, where `anchor` is the anchor of an object.
    pub fn kind(self, anchor: &impl Fn(&str) -> String) -> Kind {
        let mut kind = self.unbounded(anchor);
        if let Some(text) = self.own.get(TYPE).and_then(Value::as_str) {
            text.clone_into(&mut kind.text);
        }
        let bounds = match self.own.get(RANGE) {
            Some(range) => annotation::range(range),
            None => self.minimum_and_maximum(),
        };
        if let Some(bounds) = bounds {
            kind.text.push_str(", ");
            kind.text.push_str(&bounds);
        }
        kind
    }

    /// The objects that the value can be or have, each by its name, and whether it is an item of a list.
    pub fn objects(self) -> Vec<(&'s str, bool)> {
        if let Some((name, own)) = self.definition() {
            return match own.get("properties") {
                // An object with fixed keys, which is described within the text of its key.
                Some(_) if own.get(annotation::KEYS).is_none() => Vec::new(),
                Some(_) => vec![(name, false)],
                None => Part { own, ..self }.objects(),
            };
        }
        let alternatives = self.alternatives().flat_map(Self::objects);
        let items = self.own.get("items").into_iter();
        let items = items.flat_map(|own| Part { own, ..self }.objects());
        let items = items.map(|(name, _)| (name, true));
        let members = self.own.get("additionalProperties").into_iter();
        let members = members.flat_map(|own| Part { own, ..self }.objects());
        alternatives.chain(items).chain(members).collect()
    }

    fn unbounded(self, anchor: &impl Fn(&str) -> String) -> Kind {
        if let Some((name, own)) = self.definition() {
            return match NAMED.iter().find(|(known, _, _)| *known == name) {
                Some((_, text, _)) => Kind::text(text),
                None if own.get(annotation::KEYS).is_some() => {
                    Kind::text(&format!("[object](#{})", anchor(name)))
                }
                None => Part { own, ..self }.kind(anchor),
            };
        }
        let alternatives: Vec<Part<'_>> = self.alternatives().collect();
        if !alternatives.is_empty() {
            return Self::one_of(&alternatives, anchor);
        }
        match self.type_name() {
            Some("array") => {
                let own = self.own.get("items").unwrap_or(&Value::Null);
                let item = Part { own, ..self }.kind(anchor);
                Kind {
                    text: format!(
                        "{}list of {}",
                        self.emptiness(),
                        Part { own, ..self }.plural(&item)
                    ),
                    ..item
                }
            }
            Some("object") => {
                let own = self.own.get("additionalProperties").unwrap_or(&Value::Null);
                let member = Part { own, ..self }.kind(anchor);
                let members = Part { own, ..self }.plural(&member);
                Kind::text(&format!("{}map of {members}", self.emptiness()))
            }
            Some("string") if self.own.get("format").is_some() => Kind::text("time"),
            Some(name) => Kind::text(name),
            None => Kind::text("any value"),
        }
    }

    /// One of several values. The constants are choices.
    fn one_of(alternatives: &[Part<'_>], anchor: &impl Fn(&str) -> String) -> Kind {
        let mut choices = Vec::new();
        let mut texts = Vec::new();
        for part in alternatives {
            let text = |key| part.own.get(key).and_then(Value::as_str);
            match text("const") {
                Some(name) => {
                    let about = text("description").unwrap_or_default();
                    choices.push((name.to_owned(), about.to_owned()));
                    texts.push(format!("`{name}`"));
                }
                None => {
                    let kind = part.kind(anchor);
                    choices.extend(kind.choices);
                    texts.push(kind.text);
                }
            }
        }
        texts.dedup();
        Kind {
            text: either(&texts),
            choices,
        }
    }

    /// The alternatives other than `null`.
    fn alternatives(self) -> impl Iterator<Item = Part<'s>> {
        let lists = ["anyOf", "oneOf"].into_iter();
        let lists = lists.filter_map(move |key| self.own.get(key)?.as_array());
        let alternatives = lists.flatten().map(move |own| Part { own, ..self });
        alternatives.filter(|part| part.type_name() != Some("null"))
    }

    /// The definition that this refers to.
    fn definition(self) -> Option<(&'s str, &'s Value)> {
        let name = self.own.get("$ref")?.as_str()?;
        let name = name.strip_prefix("#/$defs/")?;
        let own = self.whole.get("$defs")?.get(name)?;
        Some((name, own))
    }

    /// The name of the type, if it is not `null`.
    fn type_name(self) -> Option<&'s str> {
        match self.own.get("type")? {
            Value::String(name) => Some(name),
            names => {
                let mut names = names.as_array()?.iter().filter_map(Value::as_str);
                names.find(|name| *name != "null")
            }
        }
    }

    fn minimum_and_maximum(self) -> Option<String> {
        let bound = |key| self.own.get(key).and_then(Value::as_u64);
        let (least, most) = (bound("minimum")?, bound("maximum")?);
        Some(format!("{least} to {most}"))
    }

    /// Whether a list or a map can be empty.
    fn emptiness(self) -> &'static str {
        let least = ["minItems", "minProperties"].into_iter();
        let mut least = least.filter_map(|key| self.own.get(key));
        match least.any(|least| *least == 1) {
            true => "non-empty ",
            false => "",
        }
    }

    /// The type of the items of a list, in the plural.
    fn plural(self, kind: &Kind) -> String {
        let named = self.definition().and_then(|(name, _)| {
            NAMED
                .iter()
                .find(|(known, _, plural)| *known == name && !plural.is_empty())
        });
        if let Some((_, _, plural)) = named {
            return (*plural).to_owned();
        }
        match kind.text.strip_prefix("[object]") {
            Some(link) => format!("[objects]{link}"),
            None if !kind.choices.is_empty() => kind.text.clone(),
            None if kind.text.starts_with("list of ") => kind.text.replacen("list", "lists", 1),
            None if kind.text == "any value" => "values".to_owned(),
            None if kind.text.contains(' ') => format!("values, each {}", kind.text),
            None => format!("{}s", kind.text),
        }
    }
}

impl Kind {
    fn text(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            choices: Vec::new(),
        }
    }
}

/// `a`, `a or b`, `a, b or c`.
fn either(texts: &[String]) -> String {
    match texts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
