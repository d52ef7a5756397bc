//! Claims that a caller must have, with the values that are asked for.
//!
//! Nothing is converted: a number is no string, a string no list. What is missing, `null`, or of another type denies.

use serde_json::{Number, Value};

use super::Asked;
use crate::authenticate::claims::ClaimPath;

/// A claim, and the values of which it must have one.
#[derive(Debug, Clone)]
pub struct ClaimRequirement {
    /// The claim.
    pub claim: ClaimPath,
    /// What it must be; or, where it is a list, hold.
    pub expected: Expected,
}

/// What a claim must be.
#[derive(Debug, Clone)]
pub enum Expected {
    /// One of these.
    OneOf(Vec<Value>),
    /// The text that the path has bound to this parameter: what belongs to the caller is the caller's.
    Parameter(String),
}

impl ClaimRequirement {
    /// Whether the caller has it.
    #[inline(never)]
    pub fn is_met(&self, asked: Asked<'_>) -> bool {
        let Some(found) = self.claim.find_kept(asked.principal.claims()) else {
            return false;
        };
        let is_expected = |value: &Value| match &self.expected {
            Expected::OneOf(values) => values.iter().any(|own| are_equal(own, value)),
            Expected::Parameter(name) => {
                let bound = asked.parameter(name);
                bound.is_some() && bound == value.as_str()
            }
        };
        match found {
            Value::Array(items) => items.iter().any(is_expected),
            value => is_expected(value),
        }
    }
}

/// Whether two values are of one type and equal; `1` and `1.0` are one number.
fn are_equal(own: &Value, other: &Value) -> bool {
    match (own, other) {
        (Value::Null, _) => false,
        (Value::Number(own), Value::Number(other)) => {
            own == other || as_exact(own).is_some() && as_exact(own) == as_exact(other)
        }
        _ => own == other,
    }
}

/// A number as a double, where that is exactly what it is.
fn as_exact(number: &Number) -> Option<f64> {
    const MOST: f64 = 9_007_199_254_740_992.0;
    number.as_f64().filter(|double| double.abs() < MOST)
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
