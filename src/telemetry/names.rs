//! The names of metrics.
//!
//! The elements of a name are separated by dots. An element that is a name of the configuration has no dot, and an element
//! without a value is `-`. So the number of elements does not depend on the configuration, and no element is a byte of a
//! request.

use crate::evaluate::Decision;

/// The counter of allowed requests.
pub const ALLOWED: &str = "countersign.allowed";

/// The element of a name that has no value.
const NONE: &str = "-";

/// The element for the rules and providers that have no counter of their own.
const OTHER: &str = "other";

/// The metric of a name of the configuration: its kind, what it counts or measures, and the name.
pub fn metric_of(kind: &str, what: &str, name: &str) -> String {
    format!("countersign.{kind}.{what}.{}", element(name))
}

/// The counter of a denied request. `is_other` says that the counter is not of one rule and one provider.
pub(super) fn denied(
    (status, error, reason): (u16, &str, &str),
    decision: &Decision<'_>,
    is_other: bool,
) -> String {
    let event = match decision.is_shadow {
        true => "shadow_denied",
        false => "denied",
    };
    let or_other = |name: Option<&str>| match is_other {
        true => element(OTHER),
        false => element(name.unwrap_or(NONE)),
    };
    let rule = or_other(decision.rule_name());
    let provider = or_other(decision.provider);
    format!("countersign.{event}.{status}.{error}.{reason}.{rule}.{provider}")
}

/// A name of the configuration as an element. Characters that have a meaning in names of metrics, or for a parser of them,
/// are replaced. Names that differ only in these have one metric. An Envoy without a name for the filter has an empty one.
fn element(name: &str) -> String {
    if name.is_empty() {
        return NONE.to_owned();
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_configuration_is_one_element() {
        assert_eq!(
            metric_of("lists", "age", "my-keys_1"),
            "countersign.lists.age.my-keys_1"
        );
        assert_eq!(
            metric_of("jwks", "keys", "a.b c:\"é\n"),
            "countersign.jwks.keys.a_b_c____"
        );
        assert_eq!(
            metric_of("configuration", "hash", ""),
            "countersign.configuration.hash.-"
        );
    }
}
