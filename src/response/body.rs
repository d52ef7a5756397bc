//! The content of a response that explains why a request was denied, in one of five forms.

use serde::{Serialize, Serializer};

use crate::presentation::Form;
use crate::presentation::explanation::Explanation;
use crate::presentation::page::Page;
use crate::time::Timestamp;

/// The content of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The value of `content-type`; none if there is no content.
    pub content_type: Option<&'static str>,
    /// The content.
    pub text: String,
}

/// Writes an explanation in a form. A page links to `sign_in`, the URL where a person can sign in.
pub fn render(
    form: Form,
    explanation: &Explanation<'_>,
    page: &Page,
    sign_in: Option<&str>,
) -> Body {
    let (content_type, text) = match form {
        Form::Json => (Some("application/json"), json(explanation)),
        Form::Problem => (Some("application/problem+json"), problem(explanation)),
        Form::Text => (Some("text/plain; charset=utf-8"), text(explanation)),
        Form::Html => (
            Some("text/html; charset=utf-8"),
            page.fill(explanation, sign_in),
        ),
        Form::None => (None, String::new()),
    };
    Body { content_type, text }
}

/// The JSON object that explains why a request was denied. A member without a value is left out.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ErrorBody<'a> {
    /// The error code, for programs.
    pub error: &'static str,
    /// What is wrong, for people.
    pub message: &'a str,
    /// The status of the response.
    pub status: u16,
    /// The time of the decision.
    #[serde(serialize_with = "as_text")]
    #[cfg_attr(
        not(target_arch = "wasm32"),
        schemars(with = "String", extend("format" = "date-time"))
    )]
    pub timestamp: Timestamp,
    /// The request's identifier, which the logs have too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(with = "String"))]
    pub request_id: Option<&'a str>,
    /// The URL of the documentation of this error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        not(target_arch = "wasm32"),
        schemars(with = "String", extend("format" = "uri"))
    )]
    pub documentation: Option<&'a str>,
    /// The URL where a caller can ask for access.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        not(target_arch = "wasm32"),
        schemars(with = "String", extend("format" = "uri"))
    )]
    pub action: Option<&'a str>,
}

impl ErrorBody<'_> {
    /// The object as text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A problem (RFC 9457). The members of [`ErrorBody`] are its extensions (§3.2), except `status`, which RFC 9457
/// defines.
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    title: &'static str,
    detail: &'a str,
    #[serde(flatten)]
    extensions: ErrorBody<'a>,
}

fn json(explanation: &Explanation<'_>) -> String {
    let link = explanation.link();
    members(explanation, link.as_deref()).to_json()
}

fn problem(explanation: &Explanation<'_>) -> String {
    let link = explanation.link();
    let problem = Problem {
        kind: link.as_deref(),
        // Without a type, the type is `about:blank`, and its title is the reason phrase of the status (§4.2.1).
        title: match link {
            Some(_) => explanation.code.title(),
            None => phrase_of(explanation.status).unwrap_or(explanation.code.title()),
        },
        detail: explanation.message,
        extensions: members(explanation, link.as_deref()),
    };
    serde_json::to_string(&problem).unwrap_or_default()
}

/// A sentence, then one line for each URL. Other control characters are removed: a terminal could obey them.
fn text(explanation: &Explanation<'_>) -> String {
    let mut text = explanation.sentence();
    let lines = [
        ("What this means: ", explanation.link()),
        ("Ask for access: ", explanation.action.map(str::to_owned)),
    ];
    for (label, url) in lines {
        if let Some(url) = url {
            text.push('\n');
            text.push_str(label);
            text.extend(url.chars().filter(|character| !character.is_control()));
        }
    }
    text.push('\n');
    text
}

fn as_text<S: Serializer>(timestamp: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(timestamp)
}

fn members<'a>(explanation: &Explanation<'a>, link: Option<&'a str>) -> ErrorBody<'a> {
    ErrorBody {
        error: explanation.code.name(),
        message: explanation.message,
        status: explanation.status,
        timestamp: explanation.timestamp,
        request_id: explanation.request_id,
        documentation: link,
        action: explanation.action,
    }
}

/// The reason phrase of a status (RFC 9110 §15, RFC 6585 §4); none for a status that only the configuration can choose.
pub fn phrase_of(status: u16) -> Option<&'static str> {
    Some(match status {
        200 => "OK",
        204 => "No Content",
        302 => "Found",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
