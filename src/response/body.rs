//! The content of a refusal: one explanation, in the form that the client wants.

use std::fmt::Write;

use serde::{Serialize, Serializer};

use super::page::Page;
use crate::reject::Code;
use crate::time::Timestamp;

/// What a body says. A form leaves out what is not known.
#[derive(Debug, Clone, Copy)]
pub struct Explanation<'a> {
    /// The error code, with its title and its advice.
    pub code: Code,
    /// What is wrong with this request.
    pub message: &'a str,
    /// The status code of the response.
    pub status: u16,
    /// Where it was refused; pages alone say it.
    pub realm: &'a str,
    /// When it was refused.
    pub timestamp: Timestamp,
    /// The request's identifier in the logs.
    pub request_id: Option<&'a str>,
    /// The address of the page that describes errors, without a fragment.
    pub documentation: Option<&'a str>,
    /// The address to ask for access at.
    pub action: Option<&'a str>,
}

/// A form of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The members of [`ErrorBody`].
    Json,
    /// RFC 9457.
    Problem,
    /// A sentence.
    Text,
    /// A page for a person.
    Html,
    /// Nothing.
    None,
}

/// The content of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Its type, where there is any.
    pub content_type: Option<&'static str>,
    /// The content.
    pub text: String,
}

/// Writes an explanation in a form; a page has a link to sign in at, where the address is a web page's.
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

/// The JSON that explains a refusal; what is not known is left out.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ErrorBody<'a> {
    /// What is wrong, in a word that programs compare.
    pub error: &'static str,
    /// What is wrong, in words for a person.
    pub message: &'a str,
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
    /// Where the error is described.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        not(target_arch = "wasm32"),
        schemars(with = "String", extend("format" = "uri"))
    )]
    pub documentation: Option<&'a str>,
    /// Where to ask for access.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        not(target_arch = "wasm32"),
        schemars(with = "String", extend("format" = "uri"))
    )]
    pub action: Option<&'a str>,
}

impl ErrorBody<'_> {
    /// The body as JSON text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// RFC 9457: the members of [`ErrorBody`] are extensions (§3.2), but `status`, which it has of its own.
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
    explanation.members(link.as_deref()).to_json()
}

fn problem(explanation: &Explanation<'_>) -> String {
    let link = explanation.link();
    let problem = Problem {
        kind: link.as_deref(),
        // Without a type it is `about:blank`, whose title is the status's own (§4.2.1).
        title: match link {
            Some(_) => explanation.code.title(),
            None => phrase_of(explanation.status).unwrap_or(explanation.code.title()),
        },
        detail: explanation.message,
        extensions: explanation.members(link.as_deref()),
    };
    serde_json::to_string(&problem).unwrap_or_default()
}

/// A sentence, and a line for each address: every other control character would be an order to a terminal.
fn text(explanation: &Explanation<'_>) -> String {
    let mut text = sentence(explanation.message);
    let lines = [
        ("What this means: ", explanation.link()),
        ("Ask for access: ", explanation.action.map(str::to_owned)),
    ];
    for (label, address) in lines {
        if let Some(address) = address {
            text.push('\n');
            text.push_str(label);
            text.extend(address.chars().filter(|character| !character.is_control()));
        }
    }
    text.push('\n');
    text
}

fn as_text<S: Serializer>(timestamp: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(timestamp)
}

impl<'a> Explanation<'a> {
    /// Where the error is described.
    pub fn link(&self) -> Option<String> {
        let base = self.documentation?;
        Some(format!("{base}#{}", self.code))
    }

    /// The moment as RFC 3339 writes it; empty beyond the year 9999, which it cannot write.
    pub fn moment(&self) -> String {
        let mut moment = String::new();
        match write!(moment, "{}", self.timestamp) {
            Ok(()) => moment,
            Err(_) => String::new(),
        }
    }

    fn members<'b>(&self, link: Option<&'b str>) -> ErrorBody<'b>
    where
        'a: 'b,
    {
        ErrorBody {
            error: self.code.name(),
            message: self.message,
            status: self.status,
            timestamp: self.timestamp,
            request_id: self.request_id,
            documentation: link,
            action: self.action,
        }
    }
}

/// A message as a person reads it: in one line, and with a full stop, which challenges leave out.
pub fn sentence(message: &str) -> String {
    let mut sentence = message.replace(char::is_control, " ");
    if sentence.ends_with(|last: char| last.is_ascii_alphanumeric()) {
        sentence.push('.');
    }
    sentence
}

/// The reason phrase of a status that the filter sends (RFC 9110 §15, RFC 6585 §4).
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
