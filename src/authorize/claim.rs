//! Claims that a caller must have, and their values.
//!
//! Types are not converted: a number never equals a string, and a string is not a list. A claim that is missing, `null`
//! or of another type does not match.

use serde_json::{Number, Value};

use super::Input;
use crate::authenticate::jose::claims::ClaimPath;

/// A required claim, and its expected values.
#[derive(Debug, Clone)]
pub struct ClaimRequirement {
    /// The claim.
    pub claim: ClaimPath,
    /// What the claim must equal or, if it is a list, contain.
    pub expected: Expected,
}

/// The expected value of a claim.
#[derive(Debug, Clone)]
pub enum Expected {
    /// One of these values.
    OneOf(Vec<Value>),
    /// The value of this path parameter. So a rule can limit callers to their own resources.
    Parameter(String),
}

impl ClaimRequirement {
    /// Whether the caller has the claim with an expected value.
    #[inline(never)]
    pub fn is_met(&self, input: Input<'_>) -> bool {
        let Some(found) = self.claim.find_kept(input.principal.claims()) else {
            return false;
        };
        let is_expected = |value: &Value| match &self.expected {
            Expected::OneOf(values) => values.iter().any(|own| are_equal(own, value)),
            Expected::Parameter(name) => {
                let bound = input.parameter(name);
                bound.is_some() && bound == value.as_str()
            }
        };
        match found {
            Value::Array(items) => items.iter().any(is_expected),
            value => is_expected(value),
        }
    }
}

/// Whether two values have the same type and are equal. `1` equals `1.0`. `null` equals nothing.
fn are_equal(own: &Value, other: &Value) -> bool {
    match (own, other) {
        (Value::Null, _) => false,
        (Value::Number(own), Value::Number(other)) => {
            own == other || as_exact(own).is_some() && as_exact(own) == as_exact(other)
        }
        _ => own == other,
    }
}

/// A number as a double, if a double represents it exactly.
fn as_exact(number: &Number) -> Option<f64> {
    const MAX: f64 = 9_007_199_254_740_992.0;
    number.as_f64().filter(|double| double.abs() < MAX)
}

#[cfg(test)]
mod tests {
    use super::are_equal;
    use serde_json::json;

    #[test]
    fn values_are_compared_by_type() {
        assert!(are_equal(&json!(3), &json!(3.0)));
        assert!(are_equal(&json!({"a": [1]}), &json!({"a": [1]})));
        for (own, other) in [
            (json!(3), json!("3")),
            (json!("true"), json!(true)),
            (json!(1), json!(true)),
            (json!(null), json!(null)),
            (json!("a"), json!(["a"])),
            (json!("A"), json!("a")),
            (
                json!(9_007_199_254_740_993_u64),
                json!(9_007_199_254_740_992.0),
            ),
        ] {
            assert!(!are_equal(&own, &other), "{own} {other}");
        }
    }
}
