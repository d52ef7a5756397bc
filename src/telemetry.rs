//! Decision → counters, the audit line, and filter state for access logs. They contain no secret.

mod definitions;
mod denied;
mod names;
mod state;

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Serialize;

pub use self::definitions::Definitions;
pub use self::denied::{DeniedCounters, MOST_DENIED};
pub use self::names::{ALLOWED, metric_of};
pub use self::state::{CHANGED, filter_state};
use crate::evaluate::{Decision, Verdict};
use crate::grammar::unprintable::escaped;
use crate::plan::Audit;
use crate::reject::Code;
use crate::request::RequestView;
use crate::response::Reply;
use crate::time::Timestamp;

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

/// The audit line of a decision: one JSON object. A member without a value is left out.
#[derive(Serialize)]
struct AuditLine<'a> {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<IpAddr>,
    method: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    time: String,
}

/// The audit line of a decision. Its control characters and invisible characters are escaped.
///
/// `client` is the client's address according to the host's settings for forwarded addresses.
pub fn audit_line(
    decision: &Decision<'_>,
    reply: Option<&Reply>,
    request: &RequestView<'_>,
    client: Option<IpAddr>,
    now: Timestamp,
) -> String {
    let line = AuditLine {
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
        subject: subject(decision),
        client,
        method: shortened(request.method()),
        path: shortened(without_parameters(request.path())),
        request_id: request.id(),
        time: now.to_string(),
    };
    let line = serde_json::to_string(&line).unwrap_or_default();
    match escaped(&line) {
        Cow::Borrowed(_) => line,
        Cow::Owned(line) => line,
    }
}

fn subject<'d>(decision: &'d Decision<'_>) -> Option<&'d str> {
    decision.principal()?.subject()
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

fn shortened(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..MAX_LOGGED).unwrap_or(bytes)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::jose::signature::Pure;
    use crate::evaluate::{Circumstances, Outcome, evaluate};
    use crate::plan::Plan;

    fn line_for(fields: &[(&str, &[u8])]) -> serde_json::Value {
        serde_json::from_str(&text_for(fields)).unwrap()
    }

    fn text_for(fields: &[(&str, &[u8])]) -> String {
        let fields = fields.iter().map(|(name, value)| (name.as_bytes(), *value));
        let request = RequestView::new(fields.collect());
        let (plan, now) = (Plan::refuse_all(), Timestamp::from_millis(0));
        let store = plan.empty_store();
        let circumstances = Circumstances::new(&Pure, now);
        match evaluate(&plan, &request, &store, circumstances, &mut ()) {
            Outcome::Decided(decision, _) => audit_line(&decision, None, &request, None, now),
            Outcome::Needs(..) => panic!("there is no document"),
        }
    }

    #[test]
    fn a_line_has_only_a_request_id_that_a_response_would_repeat() {
        let line = line_for(&[("x-request-id", b"4bf92f35-77b3.A_1")]);
        assert_eq!(line["request_id"], "4bf92f35-77b3.A_1");
        for ids in [
            &["\u{9b}2J".as_bytes()][..],
            &["\u{202e}".as_bytes()],
            &[b"a b"],
            &[b"\x7f"],
            &[&[b'a'; 129]],
            &[b"a", b"b"],
        ] {
            let fields: Vec<_> = ids.iter().map(|id| ("x-request-id", *id)).collect();
            assert!(line_for(&fields).get("request_id").is_none(), "{ids:?}");
        }
    }

    #[test]
    fn characters_that_change_how_a_line_is_shown_are_escaped() {
        let sent = "/\u{0}\u{1f}\u{7f}\u{9b}2J\u{2028}\u{202e}\u{2069}\u{200b}\u{e0041}é";
        let shown = r"/\u0000\u001f\u007f\u009b2J\u2028\u202e\u2069\u200b\udb40\udc41é";
        for name in [":path", ":method"] {
            let line = text_for(&[(name, sent.as_bytes())]);
            assert!(line.contains(&format!("\"{shown}\"")), "{line}");
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            let member = name.trim_start_matches(':');
            assert_eq!(read[member], sent, "it is the same once it is read");
        }
    }

    #[test]
    fn a_line_does_not_show_what_a_server_could_read_as_a_query_or_as_parameters() {
        for rest in [
            "?",
            "%3F",
            "%3f",
            "%253F",
            "%25252525253f",
            ";",
            "%3B",
            "%253b",
            "#",
            "%23",
            "%252523",
        ] {
            let line = line_for(&[(":path", format!("/a%20b%2525/c{rest}key=secret").as_bytes())]);
            assert_eq!(line["path"], "/a%20b%2525/c", "{rest}");
        }
        for path in ["/a%", "/a%2", "/a%3", "/a%253", "/%25%253Ax"] {
            assert_eq!(line_for(&[(":path", path.as_bytes())])["path"], path);
        }
    }

    #[test]
    fn a_line_does_not_grow_with_the_request() {
        let long = [b'a'; 60_000];
        let line = line_for(&[
            (":path", &long),
            (":method", &long),
            ("x-request-id", &long),
        ]);
        assert!(line.to_string().len() < 3 * MAX_LOGGED);
    }
}
