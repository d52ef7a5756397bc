//! `docs/configuration.md`: it is what the command prints, and what it says about each key is true.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use countersign::config::{self, Loaded};
use serde_json::Value;

use crate::support::in_repository;

const PAGE: &str = "docs/configuration.md";
/// The key by which a context marks the object of a section.
const HERE: &str = "here";

/// A key of an object, as a row of the page describes it.
struct Row {
    /// The anchor of the section.
    section: String,
    key: String,
    kind: String,
    default: String,
    meaning: String,
    examples: Vec<String>,
}

#[test]
fn the_page_is_what_the_command_prints() {
    let printed = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["schema", "document", "--format", "markdown"])
        .output()
        .expect("the command runs");
    assert!(printed.status.success());
    let page = fs::read(in_repository(PAGE)).unwrap_or_default();
    assert!(
        printed.stdout == page,
        "{PAGE} is out of date: `dist/countersign schema document --format markdown > {PAGE}`"
    );
}

#[test]
fn every_key_of_the_schema_has_a_row() {
    let schema: Value =
        serde_json::from_slice(&fs::read(in_repository("docs/schema/document.json")).unwrap())
            .unwrap();
    let objects = schema["$defs"].as_object().unwrap().values();
    // The hashes of a Digest user are a map whose keys are known.
    let keys = objects
        .chain([&schema])
        .filter_map(|own| own["properties"].as_object())
        .flat_map(|keys| keys.keys())
        .filter(|key| !["SHA-256", "MD5"].contains(&key.as_str()))
        .count();
    assert_eq!(rows().len(), keys);
}

#[test]
fn every_row_is_complete() {
    for row in rows() {
        let Row { section, key, .. } = &row;
        let is_sentence = row.meaning.ends_with('.') && row.meaning.len() > 2;
        assert!(is_sentence, "{section} {key}: {:?}", row.meaning);
        assert!(!row.kind.is_empty(), "{section} {key}: no type");
        assert!(!row.default.is_empty(), "{section} {key}: no default");
        assert!(!row.examples.is_empty(), "{section} {key}: no example");
    }
}

#[test]
fn every_example_loads() {
    let contexts = contexts();
    for row in rows() {
        for example in &row.examples {
            let example: Value = serde_yaml_ng::from_str(example)
                .unwrap_or_else(|fault| panic!("{} {example}: {fault}", row.section));
            let faults = row.faults(&contexts, &example[&row.key]);
            assert!(faults.is_none(), "{} {example}: {faults:?}", row.section);
        }
    }
}

#[test]
fn every_default_is_the_default() {
    let contexts = contexts();
    let mut compared = 0;
    for row in rows() {
        let Some(default) = code(&row.default) else {
            continue;
        };
        let default: Value = serde_yaml_ng::from_str(default).expect("a value");
        let plans = row.contexts(&contexts).find_map(|context| {
            let without = load(&put(context, &row.key, None)).ok()?;
            let with = load(&put(context, &row.key, Some(&default))).ok()?;
            Some((format!("{:?}", without.plan), format!("{:?}", with.plan)))
        });
        let (without, with) = plans.unwrap_or_else(|| panic!("{} {}", row.section, row.key));
        assert_eq!(without, with, "{} {}", row.section, row.key);
        compared += 1;
    }
    assert!(compared > 40, "only {compared} defaults");
}

#[test]
fn every_bound_is_the_bound() {
    let contexts = contexts();
    let mut tried = 0;
    for row in rows() {
        let Some((least, most)) = bounds(&row.kind) else {
            continue;
        };
        let is_accepted = |value: &Value| row.faults(&contexts, value).is_none();
        for (bound, beyond) in [(Some(least), -1), (most, 1)] {
            let Some(bound) = bound else { continue };
            assert!(is_accepted(&bound), "{} {}: {bound}", row.section, row.key);
            if let Some(beyond) = neighbour(&bound, beyond) {
                assert!(
                    !is_accepted(&beyond),
                    "{} {}: {beyond}",
                    row.section,
                    row.key
                );
                tried += 1;
            }
        }
    }
    assert!(tried >= 20, "only {tried} bounds");
}

/// The configurations with the object of each section.
fn contexts() -> BTreeMap<String, Vec<Value>> {
    let text = fs::read_to_string(in_repository("tests/project/contexts.yaml")).unwrap();
    serde_yaml_ng::from_str(&text).unwrap()
}

/// Every row of the page.
fn rows() -> Vec<Row> {
    let page = fs::read_to_string(in_repository(PAGE)).unwrap();
    let (_, tables) = page.split_once("\n## Top level\n").expect("the tables");
    let mut section = String::from("top-level");
    let mut rows = Vec::new();
    for line in tables.lines() {
        if let Some(rest) = line.strip_prefix("<a id=\"") {
            rest.split('"').next().unwrap().clone_into(&mut section);
        }
        let line = line.replace("\\|", "\0");
        let cells: Vec<String> = line
            .trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim().replace('\0', "|"))
            .collect();
        if let [key, kind, default, meaning] = cells.as_slice()
            && let Some(key) = code(key.rsplit('>').next().unwrap())
        {
            let mut parts = meaning.split("<br>Example: ");
            rows.push(Row {
                section: section.clone(),
                key: key.to_owned(),
                kind: kind.clone(),
                default: default.clone(),
                meaning: parts.next().unwrap().to_owned(),
                examples: parts
                    .map(|example| code(example).expect("an example").to_owned())
                    .collect(),
            });
        }
    }
    rows
}

impl Row {
    fn contexts<'c>(
        &self,
        contexts: &'c BTreeMap<String, Vec<Value>>,
    ) -> impl Iterator<Item = &'c Value> {
        contexts[&self.section].iter()
    }

    /// The faults of the first context, if the value is accepted in none.
    fn faults(
        &self,
        contexts: &BTreeMap<String, Vec<Value>>,
        value: &Value,
    ) -> Option<Vec<String>> {
        let loaded = self
            .contexts(contexts)
            .map(|context| load(&put(context, &self.key, Some(value))));
        let mut first = None;
        for loaded in loaded {
            match loaded {
                Ok(_) => return None,
                Err(faults) => first = first.or(Some(faults)),
            }
        }
        first
    }
}

fn load(configuration: &Value) -> Result<Loaded, Vec<String>> {
    let environment = |_: &str| Some(String::from("a secret of some length"));
    config::load_value_in(&environment, configuration)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

/// The context with a key in the marked object. Without a value, the context alone.
fn put(context: &Value, key: &str, value: Option<&Value>) -> Value {
    let mut configuration = context.clone();
    let object = marked(&mut configuration).expect("a marked object");
    object.remove(HERE);
    if let Some(value) = value {
        object.insert(key.to_owned(), value.clone());
    }
    configuration
}

fn marked(value: &mut Value) -> Option<&mut serde_json::Map<String, Value>> {
    match value {
        Value::Array(items) => items.iter_mut().find_map(marked),
        Value::Object(members) => match members.contains_key(HERE) {
            true => Some(members),
            false => members.values_mut().find_map(marked),
        },
        _ => None,
    }
}

/// The text of a code span that is a whole cell.
fn code(cell: &str) -> Option<&str> {
    let text = cell.strip_prefix('`')?.strip_suffix('`')?;
    (!text.contains('`')).then_some(text)
}

/// The least and the greatest value of a type.
fn bounds(kind: &str) -> Option<(Value, Option<Value>)> {
    let (_, range) = kind.rsplit_once(", ")?;
    let value = |text: &str| -> Option<Value> {
        match code(text) {
            Some(duration) => Some(duration.into()),
            None => text.parse::<u64>().ok().map(Value::from),
        }
    };
    if let Some(least) = range.strip_prefix("at least ") {
        return Some((value(least)?, None));
    }
    let (least, most) = range.split_once(" to ")?;
    Some((value(least)?, Some(value(most)?)))
}

/// The next value in a direction, if there is one: a millisecond or one away.
fn neighbour(value: &Value, direction: i64) -> Option<Value> {
    let step = |number: u64| number.checked_add_signed(direction);
    match value.as_u64() {
        Some(number) => step(number).map(Value::from),
        None => {
            let span = humantime::parse_duration(value.as_str()?).expect("a duration");
            let millis = step(u64::try_from(span.as_millis()).unwrap())?;
            let next = Duration::from_millis(millis);
            Some(humantime::format_duration(next).to_string().into())
        }
    }
}
