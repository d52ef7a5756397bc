//! Answers that stand in the document as they are sent.

use serde_json::Value;

use super::Compiler;
use crate::config::document::Respond;
use crate::grammar::is_token;
use crate::presentation::fixed::FixedReply;

/// Fields that are the host's: they frame the message, or belong to the connection (RFC 9110 §7.6.1).
const OF_THE_HOST: [&str; 8] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a field's value begins as a challenge does: with the name of a scheme, and nothing else before a space or the next
/// (RFC 9110 §11.6.1).
fn begins_a_challenge(value: &str) -> bool {
    is_token(value.split([' ', ',']).next().unwrap_or_default())
}

impl Compiler<'_> {
    pub(super) fn fixed_reply(&mut self, path: &str, document: &Respond) -> FixedReply {
        let status = u16::try_from(document.status).unwrap_or_default();
        if !(200..=599).contains(&status) {
            self.invalid(
                format!("{path}.status"),
                "a response has a status from 200 to 599",
            );
        }
        let mut reply = FixedReply {
            status,
            headers: self.fixed_headers(path, document),
            body: String::new(),
            message: None,
        };
        let content_type = match &document.body {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => {
                reply.body.clone_from(text);
                // A page, say, is nothing that a caller could be told in a line.
                reply.message = (!reply.sets("content-type")).then(|| text.clone());
                Some("text/plain; charset=utf-8")
            }
            Some(json) => {
                reply.body = json.to_string();
                let message = json.get("message").and_then(Value::as_str);
                reply.message = message.map(str::to_owned);
                Some("application/json")
            }
        };
        if matches!(status, 204 | 205 | 304) && !reply.body.is_empty() {
            self.invalid(
                format!("{path}.body"),
                "a response of this status has no content",
            );
        }
        if let Some(content_type) = content_type.filter(|_| !reply.sets("content-type")) {
            let field = ("content-type".to_owned(), content_type.to_owned());
            reply.headers.push(field);
        }
        for (status, field) in [(401, "www-authenticate"), (407, "proxy-authenticate")] {
            let challenges = reply.headers.iter().filter(|(name, _)| name == field);
            let is_there = challenges
                .map(|(_, value)| value)
                .any(|value| begins_a_challenge(value));
            if reply.status == status && !is_there {
                self.invalid(
                    format!("{path}.headers"),
                    format!("a {status} needs its `{field}` (RFC 9110 §15.5)"),
                );
            }
        }
        reply
    }

    fn fixed_headers(&mut self, path: &str, document: &Respond) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, value) in document.headers.iter().flatten() {
            let field = name.to_ascii_lowercase();
            let is_value = value.trim() == value
                && value
                    .bytes()
                    .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
            let fault = if !is_token(name) {
                Some("this is no header field's name")
            } else if OF_THE_HOST.contains(&field.as_str()) {
                Some("this field is the host's to set")
            } else if headers.iter().any(|(known, _)| *known == field) {
                Some("this field is here twice: names have no case")
            } else if !is_value {
                Some("no field has this value: it has space around it, or other than visible ASCII")
            } else {
                None
            };
            if let Some(fault) = fault {
                self.invalid(format!("{path}.headers.{name}"), fault);
            }
            headers.push((field, value.clone()));
        }
        headers
    }
}
