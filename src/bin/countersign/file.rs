//! A configuration file: one or more YAML documents, or one JSON document.

use std::path::Path;

use countersign::json;
use serde_json::Value;

use crate::exit::Failure;
use crate::node::Node;
use crate::{input, yaml};

/// A configuration file, parsed.
pub struct File {
    /// The name of the file in messages.
    pub name: String,
    documents: Vec<Value>,
}

impl File {
    /// Reads and parses a file, or standard input if the file is `-`.
    pub fn read(file: &Path) -> Result<Self, Failure> {
        let name = input::name(file);
        let text = input::read_text(file)?;
        let documents = match json::parse_strict(text.as_bytes()) {
            Ok(value) => vec![value],
            Err(_) => yaml::parse(&text).map_err(|fault| {
                input::failure(file, |name| format!("cannot read `{name}`: {fault}"))
            })?,
        };
        Ok(Self { name, documents })
    }

    /// The root node of each document.
    ///
    /// The path of a root is empty if the file has one document, else `documents[0]`, `documents[1]`, ….
    pub fn roots(&self) -> Vec<Node<'_>> {
        let several = self.documents.len() > 1;
        let documents = self.documents.iter().enumerate();
        documents
            .map(|(index, value)| Node {
                path: if several {
                    format!("documents[{index}]")
                } else {
                    String::new()
                },
                value,
            })
            .collect()
    }
}
