//! Decision → what is counted, logged and shown to access logs. No secret is ever part of it.

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use crate::evaluate::Decision;
use crate::plan::Audit;
use crate::request::RequestView;
use crate::response::Reply;
use crate::time::Timestamp;

/// Paths and methods are logged up to this length, in bytes: a log line does not grow with the request.
const MAX_LOGGED: usize = 1024;

/// The counter of a decision.
pub fn counter(reply: Option<&Reply>) -> String {
    match reply {
        None => "countersign.allowed".to_owned(),
        Some(reply) => format!("countersign.denied.{}.{}", reply.status, reply.error),
    }
}

/// What access logs can show of a decision, as `%FILTER_STATE(wasm.countersign.<name>:PLAIN)%`.
pub fn filter_state<'d>(
    decision: &'d Decision<'_>,
) -> impl Iterator<Item = (&'static str, &'d str)> {
    let reason = decision
        .verdict
        .as_ref()
        .err()
        .map(|reject| reject.reason());
    [
        ("countersign.reason", reason),
        ("countersign.rule", decision.rule),
        ("countersign.provider", decision.provider),
        ("countersign.subject", subject(decision)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}

/// Whether a decision is to be logged.
pub fn is_audited(decision: &Decision<'_>, audit: Audit) -> bool {
    match audit {
        Audit::None => false,
        Audit::All => true,
        Audit::Denied => decision.verdict.is_err(),
    }
}

/// The audit line of a decision: one JSON object; what is not known is left out.
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
    request_id: Option<String>,
    time: String,
}

/// The audit line of a decision.
///
/// `client` is the address of the caller, as the host's settings for forwarded addresses have it.
pub fn audit_line(
    decision: &Decision<'_>,
    reply: Option<&Reply>,
    request: &RequestView<'_>,
    client: Option<SocketAddr>,
    now: Timestamp,
) -> String {
    let reason = decision
        .verdict
        .as_ref()
        .err()
        .map(|reject| reject.reason());
    let line = AuditLine {
        event: if reply.is_some() { "denied" } else { "allowed" },
        status: reply.map(|reply| reply.status),
        error: reply.map(|reply| reply.error),
        reason,
        rule: decision.rule,
        provider: decision.provider,
        subject: subject(decision),
        client: client.map(|address| address.ip()),
        method: shortened(request.method()),
        path: shortened(request.path()),
        request_id: request.values(b"x-request-id").next().map(shortened),
        time: now.to_string(),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

fn subject<'d>(decision: &'d Decision<'_>) -> Option<&'d str> {
    decision.principal.as_ref()?.subject()
}

fn shortened(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..MAX_LOGGED).unwrap_or(bytes)).into_owned()
}
