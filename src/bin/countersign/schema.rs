//! `schema`: the JSON Schema of the configuration and of the error body.

use countersign::config::document::Document;
use countersign::response::body::ErrorBody;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

use crate::exit::{Failure, Report};

/// Prints a JSON Schema.
#[derive(clap::Args)]
pub struct Schema {
    /// What the schema describes
    #[arg(value_enum, default_value_t = Of::Document)]
    of: Of,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Of {
    /// The configuration of the filter
    Document,
    /// The JSON body of a denied request
    Error,
}

impl Schema {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        let settings = SchemaSettings::draft2020_12();
        let text = match self.of {
            Of::Document => {
                schema_of::<Document>(settings, "document", "Countersign configuration")
            }
            Of::Error => {
                schema_of::<ErrorBody<'_>>(settings.for_serialize(), "error", "Countersign error")
            }
        };
        text.map(Report::success)
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
