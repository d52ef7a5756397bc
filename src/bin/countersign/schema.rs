//! `schema`: the JSON Schema of what a user writes and of what a client gets.

use countersign::config::document::Document;
use countersign::response::body::ErrorBody;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

use crate::ending::{Failure, Report};

/// Prints a JSON Schema.
#[derive(clap::Args)]
pub struct Schema {
    /// Of what
    #[arg(value_enum, default_value_t = Of::Document)]
    of: Of,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Of {
    /// The document that configures the filter
    Document,
    /// The JSON body of a refusal
    Error,
}

impl Schema {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        let settings = SchemaSettings::draft2020_12();
        let text = match self.of {
            Of::Document => schema_of::<Document>(settings, "document", "Countersign document"),
            Of::Error => {
                schema_of::<ErrorBody<'_>>(settings.for_serialize(), "error", "Countersign error")
            }
        };
        text.map(Report::done)
    }
}

fn schema_of<T: JsonSchema>(
    settings: SchemaSettings,
    id: &str,
    title: &str,
) -> Result<String, Failure> {
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert(
        "$id".to_owned(),
        format!("urn:countersign:schema:{id}").into(),
    );
    schema.insert("title".to_owned(), title.into());
    serde_json::to_string_pretty(&schema).map_err(Failure::new)
}
