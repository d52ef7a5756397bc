//! The JSON object of a response, as its schema describes it.

use serde::{Serialize, Serializer};

use crate::time::Timestamp;

/// The JSON object that explains why a request was denied. A member without a value is left out.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ErrorBody<'a> {
    /// The error code, for programs.
    pub error: &'static str,
    /// What is wrong, for people.
    pub message: &'a str,
    /// The status of the response.
    pub status: u16,
    /// The time of the decision.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub timestamp: Timestamp,
    /// The request's identifier, which the logs have too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub request_id: Option<&'a str>,
    /// The URL of the documentation of this error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "uri"))]
    pub documentation: Option<&'a str>,
    /// The URL where a caller can ask for access.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "uri"))]
    pub action: Option<&'a str>,
}

fn as_text<S: Serializer>(timestamp: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(timestamp)
}
