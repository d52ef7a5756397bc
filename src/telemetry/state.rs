//! The filter state of a decision, for access logs and for the filters behind this one.

use std::borrow::Cow;

use crate::evaluate::Decision;
use crate::grammar::unprintable::escaped_uniquely;
use crate::plan::StateName;

/// The filter state that tells later filters that this filter removed something from the request.
pub const CHANGED: &str = "countersign.changed";

/// The filter state of a decision, which access logs show with `%FILTER_STATE(wasm.countersign.<name>:PLAIN)%`: the `names`
/// that have a value. Each costs a call to the host.
///
/// A subject is text of the token. Its control characters and invisible characters are escaped, so that different subjects
/// stay different.
pub fn filter_state<'d>(
    decision: &'d Decision<'_>,
    names: &'d [StateName],
) -> impl Iterator<Item = (&'static str, Cow<'d, str>)> {
    names.iter().filter_map(|name| {
        let value = match name {
            StateName::Reason => Cow::Borrowed(decision.refusal()?.reason().name()),
            StateName::Rule => Cow::Borrowed(decision.rule_name()?),
            StateName::Provider => Cow::Borrowed(decision.provider?),
            StateName::Subject => escaped_uniquely(decision.principal()?.subject()?),
        };
        Some((name.key(), value))
    })
}
