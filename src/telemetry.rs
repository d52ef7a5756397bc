//! Decision → counters, the audit line, and filter state for access logs. They contain no secret.

mod audit;
mod definitions;
mod denied;
mod names;

use std::borrow::Cow;

pub use self::audit::{AuditLines, is_audited};
pub use self::definitions::Definitions;
pub use self::denied::{DeniedCounters, MOST_DENIED};
pub use self::names::{ALLOWED, metric_of};
use crate::evaluate::Decision;
use crate::grammar::unprintable::escaped_uniquely;

/// The filter state that tells later filters that this filter removed something from the request.
pub const CHANGED: &str = "countersign.changed";

/// The filter state of a decision, which access logs show with `%FILTER_STATE(wasm.countersign.<name>:PLAIN)%`.
///
/// A subject is text of the token. Its control characters and invisible characters are escaped, so that different subjects
/// stay different.
pub fn filter_state<'d>(
    decision: &'d Decision<'_>,
) -> impl Iterator<Item = (&'static str, Cow<'d, str>)> {
    let reason = decision.refusal().map(|reject| reject.reason().name());
    [
        ("countersign.reason", reason.map(Cow::Borrowed)),
        ("countersign.rule", decision.rule_name().map(Cow::Borrowed)),
        ("countersign.provider", decision.provider.map(Cow::Borrowed)),
        (
            "countersign.subject",
            subject(decision).map(escaped_uniquely),
        ),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}

fn subject<'d>(decision: &'d Decision<'_>) -> Option<&'d str> {
    decision.principal()?.subject()
}
