//! `schema`: the JSON Schema of the configuration and of the error body, and the reference page of the configuration.

mod annotation;
mod flow;
mod kind;
mod page;

use countersign::config::document::Document;
use countersign::response::body::ErrorBody;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema as JsonSchemaObject};
use serde_json::Value;

use crate::exit::{Failure, Report};

/// Prints a JSON Schema.
#[derive(clap::Args)]
pub struct Schema {
    /// What the schema describes
    #[arg(value_enum, default_value_t = Of::Document)]
    of: Of,
    /// The form: JSON Schema, or a Markdown page (only of the configuration)
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Of {
    /// The configuration of the filter
    Document,
    /// The JSON body of a denied request
    Error,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// JSON Schema, draft 2020-12
    Json,
    /// Every key with its type, default, bounds and an example: `docs/configuration.md`
    Markdown,
}

impl Schema {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        let settings = SchemaSettings::draft2020_12();
        let schema = match self.of {
            Of::Document => {
                schema_of::<Document>(settings, "document", "Countersign configuration")
            }
            Of::Error => {
                schema_of::<ErrorBody<'_>>(settings.for_serialize(), "error", "Countersign error")
            }
        };
        let mut schema = Value::from(schema);
        match (self.format, self.of) {
            (Format::Markdown, Of::Document) => Ok(Report::success(page::render(&schema))),
            (Format::Markdown, Of::Error) => Err(Failure::usage(
                "error: `--format markdown` is only for `document`".to_owned(),
            )),
            (Format::Json, Of::Document | Of::Error) => {
                annotation::fold(&mut schema);
                // Prints `$id`, `title` and `description` first.
                let schema = JsonSchemaObject::try_from(schema).map_err(Failure::new)?;
                let text = serde_json::to_string_pretty(&schema).map_err(Failure::new)?;
                Ok(Report::success(text))
            }
        }
    }
}

fn schema_of<T: JsonSchema>(settings: SchemaSettings, id: &str, title: &str) -> JsonSchemaObject {
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert(
        "$id".to_owned(),
        format!("urn:countersign:schema:{id}").into(),
    );
    schema.insert("title".to_owned(), title.into());
    schema
}
