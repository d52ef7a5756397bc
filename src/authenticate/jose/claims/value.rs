//! Which values of a claim are accepted.
//!
//! Types are not converted: a number never equals a string, and a string is not a list. A claim that is missing, `null`
//! or of another type does not match.

use serde_json::{Number, Value};

use super::{ClaimPath, Claims};
use crate::json::{Json, Tree, View};

/// A claim that a token must have, and its accepted values.
#[derive(Debug, Clone)]
pub struct RequiredValue {
    /// The claim.
    pub claim: ClaimPath,
    /// What the claim must equal one of or, if it is a list, contain one of.
    pub values: Vec<Value>,
}

impl RequiredValue {
    /// Whether the claims have one of the values.
    pub fn is_met(&self, claims: &Claims<'_>) -> bool {
        let found = self.claim.find::<Json<'_>>(claims);
        found.is_some_and(|found| is_one_of(found, &self.values))
    }
}

/// Whether a claim equals one of the values or, if it is a list, contains one. `null` equals nothing.
pub fn is_one_of<T: Tree>(found: &T, values: &[Value]) -> bool {
    let is_accepted = |item: &T| {
        let mut values = values.iter().filter(|own| !own.is_null());
        values.any(|own| are_equal(own, item))
    };
    match found.view() {
        View::Array(items) => items.iter().any(is_accepted),
        _ => is_accepted(found),
    }
}

/// Whether two values have the same type and are equal. `1` equals `1.0`.
fn are_equal<T: Tree>(own: &Value, other: &T) -> bool {
    match (own, other.view()) {
        (Value::Null, View::Null) => true,
        (Value::Bool(own), View::Bool(other)) => *own == other,
        (Value::Number(own), View::Number(other)) => are_equal_numbers(own, other),
        (Value::String(own), View::Text(other)) => own == other,
        (Value::Array(own), View::Array(other)) => {
            own.len() == other.len()
                && own
                    .iter()
                    .zip(other)
                    .all(|(own, other)| are_equal(own, other))
        }
        (Value::Object(own), View::Object(other)) => {
            let is_same = |(name, own): (&String, &Value)| {
                T::member(other, name).is_some_and(|other| are_equal(own, other))
            };
            own.len() == T::count(other) && own.iter().all(is_same)
        }
        _ => false,
    }
}

/// Whether two numbers are equal. A double that may have been rounded equals nothing.
fn are_equal_numbers(own: &Number, other: &Number) -> bool {
    match (own.is_f64(), other.is_f64()) {
        (false, false) => own == other,
        _ => is_exact(own) && is_exact(other) && own.as_f64() == other.as_f64(),
    }
}

/// Whether a number is exactly the one that was written: an integer of 64 bits, or a double below 2⁵³. Of larger doubles,
/// the last digits are lost.
pub fn is_exact(number: &Number) -> bool {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    !number.is_f64() || number.as_f64().is_some_and(|double| double.abs() < LIMIT)
}

#[cfg(test)]
mod tests {
    use super::super::tests::claims;
    use super::*;
    use serde_json::json;

    /// Whether the values accept a claim. It must be the same in both kinds of values.
    fn accept(values: &Value, found: &Value) -> bool {
        let values = values.as_array().unwrap();
        let kept = is_one_of(found, values);
        let required = RequiredValue {
            claim: ClaimPath::parse("claim").unwrap(),
            values: values.clone(),
        };
        assert_eq!(required.is_met(&claims(json!({"claim": found}))), kept);
        kept
    }

    #[test]
    fn values_are_compared_by_type() {
        for (own, found) in [
            (json!([3]), json!(3.0)),
            (json!([3.0]), json!(3)),
            (json!([2, 3]), json!([1, 3])),
            (json!([{"a": [1, null]}]), json!({"a": [1.0, null]})),
            (json!([[1, 2]]), json!([[1, 2]])),
            (json!([true]), json!(true)),
            (
                json!([9_007_199_254_740_993_u64]),
                json!(9_007_199_254_740_993_u64),
            ),
            (json!([u64::MAX]), json!(u64::MAX)),
        ] {
            assert!(accept(&own, &found), "{own} {found}");
        }
        for (own, found) in [
            (json!([3]), json!("3")),
            (json!(["3"]), json!(3)),
            (json!(["true"]), json!(true)),
            (json!([null]), json!(null)),
            (json!([null]), json!([null])),
            (json!([3]), json!(3.5)),
            (json!([[1, 2]]), json!([1, 2])),
            (json!([{"a": 1}]), json!({"a": 1, "b": 2})),
            (json!([{"a": 1, "b": 2}]), json!({"a": 1})),
            (json!(["a"]), json!({"a": 1})),
            (
                json!([9_007_199_254_740_993_u64]),
                json!(9_007_199_254_740_992.0),
            ),
            (
                json!([9_007_199_254_740_992.0]),
                json!(9_007_199_254_740_992_u64),
            ),
            (json!([1e23]), json!(1e23)),
            (json!([]), json!(1)),
        ] {
            assert!(!accept(&own, &found), "{own} {found}");
        }
    }
}
