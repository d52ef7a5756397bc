//! Responses that are sent as the user wrote them.

use serde_json::Value;

use super::Compiler;
use crate::config::at::At;
use crate::config::document::responses::Respond;
use crate::config::fault::{Fault, InvalidHeader, InvalidResponse};
use crate::config::read::{Entries, Optional};
use crate::grammar::{is_header_name, is_token};
use crate::presentation::fixed::FixedReply;

/// Headers that the host sets: they frame the message, or belong to the connection (RFC 9110 §7.6.1).
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

/// Whether a header's value begins like a challenge: with the name of a scheme before a space, a comma or the end
/// (RFC 9110 §11.6.1).
fn begins_a_challenge(value: &str) -> bool {
    is_token(value.split([' ', ',']).next().unwrap_or_default())
}

impl Compiler<'_> {
    pub(super) fn fixed_reply(&mut self, at: &At<'_>, document: &Respond) -> FixedReply {
        let status = self.fixed_status(at, document);
        let mut reply = FixedReply {
            status: status.unwrap_or_default(),
            headers: self.fixed_headers(&at.member("headers"), document),
            body: String::new(),
            message: None,
        };
        let content_type = match document.body.given() {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => {
                reply.body.clone_from(text);
                // With another content type, an HTML page for example, the body is not a message.
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
        if matches!(reply.status, 204 | 205 | 304) && !reply.body.is_empty() {
            self.report(&at.member("body"), InvalidResponse::Body(reply.status));
        }
        if let Some(content_type) = content_type.filter(|_| !reply.sets("content-type")) {
            let header = ("content-type".to_owned(), content_type.to_owned());
            reply.headers.push(header);
        }
        self.require_challenge(at, document, &reply);
        reply
    }

    fn fixed_status(&mut self, at: &At<'_>, document: &Respond) -> Option<u16> {
        let typed = document.status.ok()?;
        match u16::try_from(typed) {
            Ok(status @ 200..=599) => Some(status),
            Ok(_) | Err(_) => {
                let fault = Fault::Status {
                    least: 200,
                    found: Some(typed),
                };
                self.report(&at.member("status"), fault);
                None
            }
        }
    }

    /// Rejects a 401 or a 407 without a challenge.
    fn require_challenge(&mut self, at: &At<'_>, document: &Respond, reply: &FixedReply) {
        let header = match reply.status {
            401 => "www-authenticate",
            407 => "proxy-authenticate",
            _ => return,
        };
        let mut challenges = reply.headers.iter().filter(|(name, _)| name == header);
        let has_challenge = challenges.any(|(_, value)| begins_a_challenge(value));
        // A value that could not be read may be the challenge.
        if !has_challenge && document.headers.whole().is_ok() {
            let status = reply.status;
            let fault = InvalidResponse::NoChallenge { status, header };
            self.report(&at.member("headers"), fault);
        }
    }

    fn fixed_headers(&mut self, at: &At<'_>, document: &Respond) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, value) in document.headers.entries() {
            let header = name.to_ascii_lowercase();
            let is_value = value.trim() == value
                && value
                    .bytes()
                    .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
            let fault = if !is_header_name(name) {
                Some(InvalidHeader::Name)
            } else if OF_THE_HOST.contains(&header.as_str()) {
                Some(InvalidHeader::OfTheHost)
            } else if headers.iter().any(|(known, _)| *known == header) {
                Some(InvalidHeader::Duplicate)
            } else if !is_value {
                Some(InvalidHeader::ValueToSend)
            } else {
                None
            };
            if let Some(fault) = fault {
                self.report(&at.member(name), fault);
            }
            headers.push((header, value.to_owned()));
        }
        headers
    }
}
