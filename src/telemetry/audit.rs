//! The audit line of a decision: one JSON object.
//!
//! The line is written by hand, in one pass into a buffer that the next line reuses. `serde_json` and `fmt` take several times
//! as long, and every denied request has a line.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::evaluate::{Decision, Verdict};
use crate::grammar::unprintable::is_unprintable;
use crate::json::write_string_escaping;
use crate::plan::Audit;
use crate::reject::Code;
use crate::request::RequestView;
use crate::response::Reply;
use crate::time::{Timestamp, TimestampText};

/// The greatest length in bytes of a logged path or method. It bounds the length of a log line.
const MAX_LOGGED: usize = 1024;

/// Whether a decision has an audit line.
pub fn is_audited(decision: &Decision<'_>, audit: Audit) -> bool {
    match audit {
        Audit::None => false,
        Audit::All => true,
        Audit::Denied => decision.refusal().is_some(),
    }
}

/// Writes audit lines. It allocates nothing once its buffer has had a line of the same length.
#[derive(Debug, Default)]
pub struct AuditLines {
    line: String,
    time: TimestampText,
}

impl AuditLines {
    /// The audit line of a decision. A member without a value is left out. Control characters and invisible characters are
    /// escaped.
    ///
    /// `client` is the client's address according to the host's settings for forwarded addresses.
    pub fn write(
        &mut self,
        decision: &Decision<'_>,
        reply: Option<&Reply>,
        request: &RequestView<'_>,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> &str {
        self.line.clear();
        let members = Members {
            event: match (&decision.verdict, decision.is_shadow) {
                (Verdict::Passes(_), _) => "allowed",
                (Verdict::Answers(_), _) => "answered",
                (Verdict::Refused(_), false) => "denied",
                (Verdict::Refused(_), true) => "shadow_denied",
            },
            status: reply.map(|reply| reply.status),
            error: reply.and_then(|reply| reply.error).map(Code::name),
            reason: decision.refusal().map(|reject| reject.reason().name()),
            rule: decision.rule_name(),
            provider: decision.provider,
            subject: decision.principal().and_then(|caller| caller.subject()),
            client,
            method: request.method(),
            path: request.path(),
            request_id: request.id(),
            time: self.time.of(now),
        };
        members.write(&mut self.line);
        &self.line
    }
}

/// The members of an audit line, in order.
#[derive(Debug, Clone, Copy)]
struct Members<'a> {
    event: &'static str,
    status: Option<u16>,
    error: Option<&'static str>,
    reason: Option<&'static str>,
    rule: Option<&'a str>,
    provider: Option<&'a str>,
    subject: Option<&'a str>,
    client: Option<IpAddr>,
    method: &'a [u8],
    path: &'a [u8],
    request_id: Option<&'a str>,
    time: &'a str,
}

impl Members<'_> {
    #[inline]
    fn write(&self, line: &mut String) {
        push(line, r#"{"event":""#);
        push(line, self.event);
        push(line, "\"");
        if let Some(status) = self.status {
            push(line, r#","status":"#);
            push_number(line, status);
        }
        push_word(line, r#","error":""#, self.error);
        push_word(line, r#","reason":""#, self.reason);
        push_text(line, r#","rule":""#, self.rule);
        push_text(line, r#","provider":""#, self.provider);
        push_text(line, r#","subject":""#, self.subject);
        if let Some(client) = self.client {
            push(line, r#","client":""#);
            push_address(line, client);
            push(line, "\"");
        }
        push_bytes(line, r#","method":""#, self.method);
        push_bytes(line, r#","path":""#, without_parameters(self.path));
        // [`RequestView::id`] has letters, digits, `.`, `_` and `-` alone.
        push_word(line, r#","request_id":""#, self.request_id);
        push_word(line, r#","time":""#, Some(self.time));
        push(line, "}");
    }
}

/// Appends a text as it is.
// Not inlined: a line has some twenty parts, and the code of each would be fetched for it alone.
#[inline(never)]
fn push(line: &mut String, text: &str) {
    line.push_str(text);
}

#[inline(never)]
fn push_number(line: &mut String, number: u16) {
    line.push_str(itoa::Buffer::new().format(number));
}

/// Appends a member whose value has no character that a JSON string escapes.
fn push_word(line: &mut String, start: &str, value: Option<&str>) {
    if let Some(value) = value {
        push(line, start);
        push(line, value);
        push(line, "\"");
    }
}

/// Appends a member whose value is any text.
fn push_text(line: &mut String, start: &str, value: Option<&str>) {
    if let Some(value) = value {
        push(line, start);
        write_string_escaping(line, value, is_unprintable);
        push(line, "\"");
    }
}

/// Appends a member whose value is what a client sent. Bytes that are not UTF-8 become U+FFFD.
fn push_bytes(line: &mut String, start: &str, value: &[u8]) {
    push(line, start);
    for chunk in value.get(..MAX_LOGGED).unwrap_or(value).utf8_chunks() {
        write_string_escaping(line, chunk.valid(), is_unprintable);
        if !chunk.invalid().is_empty() {
            line.push(char::REPLACEMENT_CHARACTER);
        }
    }
    push(line, "\"");
}

fn push_address(line: &mut String, address: IpAddr) {
    match address {
        // The four numbers with dots between them are all that `Display` prints, and it takes five times as long.
        IpAddr::V4(address) => {
            for (place, number) in address.octets().into_iter().enumerate() {
                push(line, if place == 0 { "" } else { "." });
                push_number(line, number.into());
            }
        }
        IpAddr::V6(address) => {
            // Writing to a string cannot fail.
            let _ = write!(line, "{address}");
        }
    }
}

/// A path up to what a server could read as its query, its parameters or its fragment: `?`, `;` and `#`, however often
/// encoded. A credential can be there.
fn without_parameters(path: &[u8]) -> &[u8] {
    let path = path.get(..MAX_LOGGED).unwrap_or(path);
    let is_end = |at: &usize| match path.get(*at..) {
        Some([b';' | b'#', ..]) => true,
        Some([b'%', escape @ ..]) => {
            let mut escape = escape;
            while let Some(inner) = escape.strip_prefix(b"25") {
                escape = inner;
            }
            matches!(
                escape,
                [b'3', b'F' | b'f' | b'B' | b'b', ..] | [b'2', b'3', ..]
            )
        }
        _ => false,
    };
    let end = (0..path.len()).find(is_end);
    end.and_then(|end| path.get(..end)).unwrap_or(path)
}

#[cfg(test)]
mod tests;
