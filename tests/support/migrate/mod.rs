//! The examples of `tests/migrate/`: configurations of other filters, each with requests that it decides on.
//!
//! [`Example`] is one folder. It yields the connection manager with the old filters and the one with the filter and the
//! configuration that `countersign migrate` wrote. [`requests`] makes random requests for it.

pub mod compare;
mod filter;
mod gateway;
pub mod grammar;
mod istio;
mod listeners;
pub mod requests;
pub mod translated;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use self::requests::Requests;
use super::in_repository;

/// One folder of `tests/migrate/`.
pub struct Example {
    /// The name of the folder.
    pub name: String,
    /// What `countersign migrate` reads.
    pub files: Vec<PathBuf>,
    /// What the requests consist of.
    pub requests: Requests,
    /// Of a hundred requests that the old filters permitted, so many are still permitted with every `--assume`.
    pub kept: usize,
    workload: Option<istio::Workload>,
}

fn usually_kept() -> usize {
    50
}

/// `requests.yaml` of an example.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    /// See [`Example::kept`].
    #[serde(default = "usually_kept")]
    kept: usize,
    /// Istio: the workload in front of which the filters run.
    workload: Option<istio::Workload>,
    requests: Requests,
}

/// Every example, in order of their names.
///
/// # Panics
/// A file is not as the others are.
pub fn examples() -> Vec<Example> {
    let folder = in_repository("tests/migrate");
    let entries = fs::read_dir(&folder).expect("tests/migrate is there");
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.iter().map(|folder| Example::read(folder)).collect()
}

impl Example {
    fn read(folder: &Path) -> Self {
        let name = folder
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let file = folder.join("requests.yaml");
        let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        // By way of JSON, since YAML has tags for the variants of an enumeration.
        let value: Value =
            serde_yaml_ng::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let description: Description =
            serde_json::from_value(value).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let entries = fs::read_dir(folder).expect("a folder");
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|kind| kind == "yaml") && *path != file)
            .collect();
        files.sort();
        Self {
            name,
            files,
            requests: description.requests,
            kept: description.kept,
            workload: description.workload,
        }
    }

    /// The segments of all paths that the files name.
    pub fn segments(&self) -> BTreeSet<String> {
        let mut segments = BTreeSet::new();
        for document in self.documents() {
            add_segments(&document, &mut segments);
        }
        segments
    }

    /// The YAML documents of all files.
    fn documents(&self) -> Vec<Value> {
        let texts = self.files.iter().map(fs::read_to_string);
        let texts: Vec<String> = texts.map(|text| text.expect("a file of text")).collect();
        texts.iter().flat_map(|text| documents(text)).collect()
    }
}

fn add_segments(value: &Value, segments: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.contains('/') => {
            // A regular expression or a template has other characters behind the text of a segment.
            let is_text = |letter: char| letter.is_alphanumeric() || "-._".contains(letter);
            let named = text.split('/').map(|segment| {
                segment
                    .split(|letter| !is_text(letter))
                    .next()
                    .unwrap_or_default()
            });
            segments.extend(
                named
                    .filter(|segment| !segment.is_empty())
                    .map(str::to_owned),
            );
        }
        Value::Array(items) => items.iter().for_each(|item| add_segments(item, segments)),
        Value::Object(members) => members
            .values()
            .for_each(|member| add_segments(member, segments)),
        _ => {}
    }
}

/// The documents of a YAML file.
///
/// # Panics
/// The text is not YAML.
pub fn documents(text: &str) -> Vec<Value> {
    let documents = serde_yaml_ng::Deserializer::from_str(text);
    documents
        .map(|document| Value::deserialize(document).unwrap_or_else(|e| panic!("{e}: {text}")))
        .filter(|document| !document.is_null())
        .collect()
}
