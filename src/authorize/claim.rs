//! Claims that a caller must have, and their values.

use serde_json::Value;

use super::Input;
use crate::authenticate::jose::claims::{ClaimPath, is_one_of};

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
        let found = self.claim.find::<Value>(input.principal.claims());
        found.is_some_and(|found| match &self.expected {
            Expected::OneOf(values) => is_one_of(found, values),
            Expected::Parameter(name) => input.parameter(name).is_some_and(|bound| {
                let is_bound = |value: &Value| value.as_str() == Some(bound);
                match found {
                    Value::Array(items) => items.iter().any(is_bound),
                    value => is_bound(value),
                }
            }),
        })
    }
}
