//! Conditions on the caller and the request, in the Common Expression Language (CEL, <https://cel.dev>).
//!
//! ```text
//! text ─ syntax, cost ─▶ references, and an expression that is charged for its work ─ holds ─▶ true or false
//! ```
//!
//! A condition can refer to `claims`, `subject`, `scopes`, `roles`, `groups`, `provider`, `callers`, `params`, `request`
//! (`method`, `path`, `host`, `headers`, `scheme`), `source` (`address`) and `now`. Only the values that it refers to
//! are built. A value that is not known is absent: a reference to it fails, and `has()` returns false.
//!
//! The work is bounded for every expression and every request. Each operation is charged (`cost`), and all conditions
//! of a request share one budget (`limits`). When the budget is exhausted, every condition of the request fails.

mod cost;
mod environment;
mod fault;
mod limits;
mod moment;
mod operators;
mod pattern;
mod reader;
mod references;
mod rewrite;
mod syntax;
mod values;
#[cfg(not(target_arch = "wasm32"))]
mod why;

use cel::Value;
use cel::parser::Expression;
use std::fmt;
use std::sync::Arc;

pub use self::fault::{Fault, FaultKind, Position};
pub use self::limits::{Budget, OPERATIONS};
use self::pattern::Pattern;
use self::references::{Members, References};
use self::syntax::Text;
#[cfg(not(target_arch = "wasm32"))]
pub use self::why::{Operand, Reference, Why};
use super::Input;

/// A compiled expression.
pub struct Condition {
    expression: Expression,
    references: References,
    /// The patterns of its `matches`, by number.
    patterns: Arc<[Pattern]>,
    /// The part of its cost that does not depend on the request.
    price: u32,
    /// The text, for `countersign explain`.
    #[cfg(not(target_arch = "wasm32"))]
    text: Box<str>,
}

/// The error of a condition that could not be evaluated: a value is absent or of another type, or the budget is
/// exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

impl Condition {
    /// Compiles an expression.
    ///
    /// # Errors
    /// All faults of the expression, each with its position in the text.
    pub fn compile(text: &str) -> Result<Self, Vec<Fault>> {
        let Text {
            expression,
            references,
            patterns,
            price,
        } = syntax::read(text)?;
        let condition = Self {
            expression,
            references,
            patterns: patterns.into(),
            price,
            #[cfg(not(target_arch = "wasm32"))]
            text: text.into(),
        };
        condition.reject_constant()?;
        Ok(condition)
    }

    /// Rejects an expression that refers to nothing if its evaluation fails, costs too much, or is not of type bool.
    fn reject_constant(&self) -> Result<(), Vec<Fault>> {
        if !self.references.is_empty() {
            return Ok(());
        }
        let meter = Budget::default().meter(&self.patterns);
        let context = values::nothing(&meter);
        let charged = meter.spend(self.price);
        let value = charged.map(|()| Value::resolve(&self.expression, &context));
        let fault = match value {
            _ if meter.is_exhausted() => FaultKind::AlwaysTooExpensive,
            Some(Ok(Value::Bool(_))) => return Ok(()),
            Some(Ok(value)) => FaultKind::NotBool(value.type_of().to_string()),
            None | Some(Err(_)) => FaultKind::AlwaysFails,
        };
        Err(vec![fault.at(Position::START)])
    }

    /// Whether the condition holds.
    ///
    /// # Errors
    /// [`Failed`] if the condition cannot be evaluated. The request is then denied.
    pub fn holds(&self, input: Input<'_>) -> Result<bool, Failed> {
        let meter = input.budget.meter(&self.patterns);
        meter.spend(self.price).ok_or(Failed)?;
        let context = values::of(&self.references, &meter, input).ok_or(Failed)?;
        let value = Value::resolve(&self.expression, &context);
        match value {
            // CEL ignores an error in `… || true`, but an exhausted budget always fails the condition.
            _ if meter.is_exhausted() => Err(Failed),
            Ok(Value::Bool(truth)) => Ok(truth),
            Ok(_) | Err(_) => Err(Failed),
        }
    }

    /// Whether the condition refers to the method of the request.
    pub fn looks_at_method(&self) -> bool {
        self.references.method
    }

    /// Whether the condition refers to the host of the request.
    pub fn looks_at_host(&self) -> bool {
        self.references.host
    }

    /// Whether the condition refers to all headers.
    pub fn looks_at_every_field(&self) -> bool {
        self.references.headers == Members::All
    }

    /// The headers that the condition refers to by name.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.references.headers.named()
    }

    /// Whether the condition refers to the path of the request.
    pub fn looks_at_path(&self) -> bool {
        self.references.path
    }

    /// Whether the condition refers to the scheme of the request.
    pub fn looks_at_scheme(&self) -> bool {
        self.references.scheme
    }

    /// Whether the condition refers to the client's address.
    pub fn looks_at_address(&self) -> bool {
        self.references.address
    }

    /// Whether the condition refers to this claim of the caller, or to all claims. Of a path, only the first name is compared.
    pub fn looks_at_claim(&self, claim: &str) -> bool {
        let first = claim.split('.').next().unwrap_or_default();
        self.references.claims.contains(claim) || self.references.claims.contains(first)
    }

    /// Whether the condition refers to path parameters.
    pub fn looks_at_parameters(&self) -> bool {
        self.references.params != Members::None
    }

    /// The providers that the condition names in `callers`, each with its position in the text.
    pub fn providers(&self) -> impl Iterator<Item = (&str, Position)> {
        let providers = self.references.providers.iter();
        providers.map(|(name, position)| (name.as_str(), *position))
    }

    /// The path parameters that the condition names, each with its position in the text.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Position)> {
        self.references
            .parameters
            .iter()
            .map(|(name, position)| (name.as_str(), *position))
    }
}

/// Prints nothing of the expression, which is part of the configuration.
impl fmt::Debug for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Condition").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
