//! A configuration file: one or more YAML documents, or one JSON document.

use std::path::Path;

use countersign::json::{self, JsonFault};
use serde_json::Value;

use crate::exit::Failure;
use crate::node::Node;
use crate::source::{self, Source, Tree};
use crate::{input, yaml};

/// A configuration file, parsed.
pub struct File {
    /// The text, and where its parts are.
    pub source: Source,
    /// What is wrong with the text as JSON.
    pub not_json: Option<NotJson>,
    /// Whether Envoy reads the file as YAML. It goes by the end of the name.
    pub is_yaml: bool,
    documents: Vec<Value>,
}

/// A text that looks like JSON and is not JSON: it has a trailing comma, a comment or a duplicate name.
///
/// It may be YAML, but the filter reads JSON only.
pub struct NotJson {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub fault: String,
    /// Whether the file must be JSON: its name does not end with `.yaml` or `.yml`.
    pub is_error: bool,
}

impl File {
    /// Reads and parses a file, or standard input if the file is `-`.
    pub fn read(file: &Path) -> Result<Self, Failure> {
        let name = input::name(file);
        let text = input::read_text(file)?;
        let format = Format::of(file, &text);
        let is_yaml = format != Format::Json;
        let (not_json, documents) = match (json::parse_strict(text.as_bytes()), format) {
            (Ok(value), _) => (None, vec![value]),
            (Err(JsonFault::Depth), Format::Json)
                if serde_json::from_str::<Value>(&text).is_ok() =>
            {
                (None, like_json(&text))
            }
            (Err(fault), Format::Json) => {
                let documents = like_json(&text);
                (Some(NotJson::new(text.clone(), fault, true)), documents)
            }
            (Err(fault), format) => {
                let (documents, trees) = documents(file, &text)?;
                let looks_like_json = format == Format::YamlLikeJson;
                let not_json = looks_like_json.then(|| NotJson::new(text.clone(), fault, false));
                return Ok(Self {
                    source: Source::new(name, text, trees),
                    not_json,
                    is_yaml,
                    documents,
                });
            }
        };
        let trees = match source::json_tree(&text) {
            Some(tree) => vec![tree],
            None => yaml::parse(&text).map_or_else(
                |_| Vec::new(),
                |documents| {
                    documents
                        .into_iter()
                        .map(|document| document.tree)
                        .collect()
                },
            ),
        };
        Ok(Self {
            source: Source::new(name, text, trees),
            not_json,
            is_yaml,
            documents,
        })
    }

    /// The name of the file in messages.
    pub fn name(&self) -> &str {
        &self.source.name
    }

    /// The root node of each document.
    ///
    /// The path of a root is empty if the file has one document, else `documents[0]`, `documents[1]`, ….
    pub fn roots(&self) -> Vec<Node<'_>> {
        let several = self.documents.len() > 1;
        let documents = self.documents.iter().enumerate();
        documents
            .map(|(index, value)| Node {
                path: source::root(index, several),
                value,
            })
            .collect()
    }
}

/// The documents of a YAML file, and where their parts are.
fn documents(file: &Path, text: &str) -> Result<(Vec<Value>, Vec<Tree>), Failure> {
    let documents = yaml::parse(text).map_err(|fault| {
        let failure = input::failure(file, |name| format!("cannot read `{name}`: {fault}"));
        failure.at(text, fault.line, fault.column)
    })?;
    let documents = documents.into_iter();
    Ok(documents
        .map(|document| (document.value, document.tree))
        .unzip())
}

/// The format of a file that is not JSON.
#[derive(PartialEq, Eq)]
enum Format {
    /// It must be JSON: Envoy reads a file as YAML only if its name ends with `.yaml` or `.yml`.
    Json,
    Yaml,
    /// YAML that begins like JSON.
    YamlLikeJson,
}

impl Format {
    fn of(file: &Path, text: &str) -> Self {
        let extension = file
            .extension()
            .map(|extension| extension.to_ascii_lowercase());
        let extension = extension.as_ref().and_then(|extension| extension.to_str());
        let begins_like_json = text
            .trim_start_matches('\u{feff}')
            .trim_start()
            .starts_with('{');
        match extension {
            Some("json") => Self::Json,
            Some("yaml" | "yml") if begins_like_json => Self::YamlLikeJson,
            Some("yaml" | "yml") => Self::Yaml,
            _ if begins_like_json => Self::Json,
            _ => Self::Yaml,
        }
    }
}

impl NotJson {
    fn new(text: String, fault: JsonFault, is_error: bool) -> Self {
        let syntax = serde_json::from_str::<Value>(&text).err();
        Self {
            fault: syntax.map_or_else(|| fault.to_string(), |syntax| syntax.to_string()),
            text,
            is_error,
        }
    }
}

/// How to correct a text that is not JSON, if its author wrote what other formats allow.
pub fn json_hint(text: &str) -> Option<&'static str> {
    let fault = serde_json::from_str::<Value>(text).err()?;
    let message = fault.to_string();
    let line = text.split('\n').nth(fault.line().checked_sub(1)?)?;
    let rest = line.as_bytes().get(fault.column().checked_sub(1)?..)?;
    match rest {
        _ if message.starts_with("trailing comma") => {
            Some("JSON has no trailing commas: remove the `,` before it")
        }
        [b'#', ..] | [b'/', b'/' | b'*', ..] => Some("JSON has no comments"),
        [b'\'', ..] => Some("use `\"` in place of `'`"),
        [letter, ..] if letter.is_ascii_alphabetic() && message.starts_with("key must") => {
            Some("quote each name with `\"`")
        }
        _ => None,
    }
}

/// What a text could mean that is not strict JSON; null if that is unknown.
fn like_json(text: &str) -> Vec<Value> {
    match serde_json::from_str(text) {
        Ok(value) => vec![value],
        Err(_) => yaml::values(text).unwrap_or_else(|_| vec![Value::Null]),
    }
}
