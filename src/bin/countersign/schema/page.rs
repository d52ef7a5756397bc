//! The reference page: `docs/configuration.md`. Each object has a section with a table of its keys.
//!
//! The anchor of an object is the path of keys to it, joined by `-`: `providers-jwt-jwks-remote`. That of a key is the same
//! with the key. An object that several keys have has one section, at the first of them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::annotation::{DEFAULT, KEYS};
use super::flow;
use super::kind::Part;

/// What is before the tables.
const INTRODUCTION: &str = include_str!("introduction.md");
/// Where the introduction has the contents.
const CONTENTS: &str = "<!-- contents -->\n";
/// The keys of the top level whose objects are first on the page. The others follow in the order of the code.
const FIRST: [&str; 5] = ["providers", "rules", "require", "identity", "responses"];

/// The page, of the schema with its annotations.
pub fn render(schema: &Value) -> String {
    let mut page = Page {
        schema,
        sections: Vec::new(),
        uses: BTreeMap::new(),
        homes: BTreeMap::new(),
    };
    page.visit_all();
    let mut tables = String::from("## Top level\n\n");
    page.write_table(&mut tables, schema, &Path::default());
    for section in &page.sections {
        page.write_section(&mut tables, section);
    }
    let (before, after) = INTRODUCTION
        .split_once(CONTENTS)
        .unwrap_or((INTRODUCTION, ""));
    format!("{before}{}{after}\n{tables}", page.contents())
}

/// The path of keys to a value.
#[derive(Clone, Default)]
struct Path {
    keys: Vec<String>,
    /// As messages show it: `providers[].jwt`.
    shown: String,
}

/// The objects of one key.
struct Section<'s> {
    path: Path,
    objects: Vec<&'s str>,
}

struct Page<'s> {
    schema: &'s Value,
    sections: Vec<Section<'s>>,
    /// The paths of the keys that have each object.
    uses: BTreeMap<&'s str, Vec<String>>,
    /// The anchor of the section of each object.
    homes: BTreeMap<&'s str, String>,
}

impl Path {
    fn member(&self, key: &str, is_list: bool) -> Self {
        let dot = if self.keys.is_empty() { "" } else { "." };
        let brackets = if is_list { "[]" } else { "" };
        let mut keys = self.keys.clone();
        keys.push(key.to_owned());
        Self {
            keys,
            shown: format!("{}{dot}{key}{brackets}", self.shown),
        }
    }

    fn anchor(&self) -> String {
        self.keys.join("-")
    }
}

impl<'s> Page<'s> {
    /// Adds the sections of every object of the configuration.
    fn visit_all(&mut self) {
        let mut keys = keys(self.schema);
        let place = |key: &&str| FIRST.iter().position(|first| first == key);
        keys.sort_by_key(|key| place(key).unwrap_or(FIRST.len()));
        for key in keys {
            self.visit(self.schema, &[key], &Path::default());
        }
    }

    /// Adds the sections of the objects that keys of an object have, and of those that these have.
    fn visit(&mut self, object: &'s Value, keys: &[&str], path: &Path) {
        let mut new = Vec::new();
        for key in keys {
            let own = property(object, key);
            let objects = self.part(own).objects();
            let is_list = objects.iter().all(|(_, is_item)| *is_item);
            let path = path.member(key, is_list);
            let mut claimed = Vec::new();
            for (name, _) in objects {
                let uses = self.uses.entry(name).or_default();
                if uses.contains(&path.shown) {
                    continue;
                }
                uses.push(path.shown.clone());
                if !self.homes.contains_key(name) {
                    self.homes.insert(name, path.anchor());
                    claimed.push(name);
                }
            }
            if !claimed.is_empty() {
                new.push(Section {
                    path,
                    objects: claimed,
                });
            }
        }
        for section in new {
            let (objects, path) = (section.objects.clone(), section.path.clone());
            self.sections.push(section);
            for name in objects {
                let object = self.definition(name);
                self.visit(object, &self::keys(object), &path);
            }
        }
    }

    /// Links to the sections: a line for each object of the top level.
    fn contents(&self) -> String {
        let mut lines = vec![String::from("- [Top level](#top-level)")];
        for section in &self.sections {
            let link = |shown: &str| format!("[`{shown}`](#{})", section.path.anchor());
            match (section.path.keys.as_slice(), lines.last_mut()) {
                ([_, rest @ ..], Some(line)) if !rest.is_empty() => {
                    let separator = if line.contains(": ") { ", " } else { ": " };
                    line.push_str(separator);
                    line.push_str(&link(&rest.join(".")));
                }
                _ => lines.push(format!("- {}", link(&section.path.anchor()))),
            }
        }
        lines.join("\n") + "\n"
    }

    fn write_section(&self, page: &mut String, section: &Section<'_>) {
        let Section { path, objects } = section;
        let level = if path.keys.len() == 1 { "##" } else { "###" };
        let anchor = path.anchor();
        let _ = writeln!(
            page,
            "\n<a id=\"{anchor}\"></a>\n\n{level} `{}`",
            path.shown
        );
        for name in objects {
            let object = self.definition(name);
            let _ = writeln!(page, "\n{}\n", text(object, "description"));
            let uses = self.uses.get(name).into_iter().flatten();
            let others: Vec<String> = uses
                .filter(|shown| **shown != path.shown)
                .map(|shown| format!("`{shown}`"))
                .collect();
            if !others.is_empty() {
                let _ = writeln!(page, "The same keys: {}.\n", others.join(", "));
            }
            self.write_table(page, object, path);
        }
    }

    fn write_table(&self, page: &mut String, object: &Value, path: &Path) {
        page.push_str("| key | type | default | meaning |\n|---|---|---|---|\n");
        let required = object.get("required").and_then(Value::as_array);
        let order = |names: &[&str], one: &str, other: &str| self.order(names, one, other);
        for key in keys(object) {
            let own = property(object, key);
            let is_required = required.is_some_and(|names| names.iter().any(|name| name == key));
            let anchor = path.member(key, false).anchor();
            let is_section = self.homes.values().any(|home| *home == anchor);
            let anchor = match is_section {
                true => String::new(),
                false => format!("<a id=\"{anchor}\"></a>"),
            };
            let home = |name: &str| self.homes.get(name).cloned().unwrap_or_default();
            let kind = self.part(own).kind(&home);
            let mut meaning = text(own, "description").to_owned();
            for (name, about) in &kind.choices {
                let _ = write!(meaning, "<br>`{name}`: {about}");
            }
            let default = match (is_required, own.get("default")) {
                (true, _) => "required".to_owned(),
                (false, Some(default)) => format!("`{}`", flow::value(default, &order)),
                (false, None) => match text(own, DEFAULT) {
                    "" if kind.text.starts_with("[object]") => "those of its keys".to_owned(),
                    default => default.to_owned(),
                },
            };
            let examples = own.get("examples").and_then(Value::as_array);
            for example in examples.into_iter().flatten() {
                let example = flow::member(key, example, &order);
                let _ = write!(meaning, "<br>Example: `{example}`");
            }
            let cells = [kind.text, default, meaning];
            let cells = cells.map(|cell| cell.replace('|', "\\|").replace('\n', " "));
            let _ = writeln!(page, "| {anchor}`{key}` | {} |", cells.join(" | "));
        }
    }

    /// The order of two keys of an object, which is known by the names of all its keys.
    fn order(&self, names: &[&str], one: &str, other: &str) -> Ordering {
        let definitions = self.schema.get("$defs").and_then(Value::as_object);
        let mut objects = definitions.into_iter().flatten().map(|(_, own)| keys(own));
        let keys = objects.find(|keys| names.iter().all(|name| keys.contains(name)));
        let place = |name| keys.as_ref()?.iter().position(|key| *key == name);
        place(one).cmp(&place(other))
    }

    fn part(&self, own: &'s Value) -> Part<'s> {
        Part {
            whole: self.schema,
            own,
        }
    }

    fn definition(&self, name: &str) -> &'s Value {
        let definitions = self.schema.get("$defs");
        let definition = definitions.and_then(|definitions| definitions.get(name));
        definition.unwrap_or(&Value::Null)
    }
}

/// The keys of an object, in the order of the code.
fn keys(object: &Value) -> Vec<&str> {
    let keys = object.get(KEYS).and_then(Value::as_array);
    keys.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn property<'v>(object: &'v Value, key: &str) -> &'v Value {
    let properties = object.get("properties");
    let property = properties.and_then(|properties| properties.get(key));
    property.unwrap_or(&Value::Null)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
