//! The body of a refusal.

use serde::{Serialize, Serializer};

use crate::time::Timestamp;

/// The JSON that explains a refusal; what is not known is left out.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ErrorBody<'a> {
    /// What is wrong, in a word that programs compare.
    pub error: &'static str,
    /// What is wrong, in words for a person.
    pub message: &'static str,
    /// The status code of the response.
    pub status: u16,
    /// When it was refused.
    #[serde(serialize_with = "as_text")]
    #[cfg_attr(
        not(target_arch = "wasm32"),
        schemars(with = "String", extend("format" = "date-time"))
    )]
    pub timestamp: Timestamp,
    /// The request's identifier in the logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(with = "String"))]
    pub request_id: Option<&'a str>,
}

impl ErrorBody<'_> {
    /// The body as JSON text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn as_text<S: Serializer>(timestamp: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(timestamp)
}
