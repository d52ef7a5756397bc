//! Conditions on callers and requests, in the Common Expression Language (CEL, <https://cel.dev>).
//!
//! ```text
//! text ─ syntax, cost ─▶ what it looks at, and an expression that pays for its work ─ holds ─▶ whether it does
//! ```
//!
//! What a condition can see: `claims`, `subject`, `scopes`, `roles`, `groups`, `provider`, `params`, `request`
//! (`method`, `path`, `host`, `headers`, `scheme`), `source` (`address`) and `now`. Only what it looks at is built.
//! What is not known is not there: to look at it fails, `has()` says so.
//!
//! Work is bounded for any expression and any request: all of it is paid for (`cost`), and the conditions of one request
//! share a number of operations (`limits`). Once these are spent, each condition fails, whatever it evaluates to.

mod cost;
mod environment;
mod limits;
mod moment;
mod pattern;
mod syntax;
mod values;

use cel::Value;
use cel::parser::Expression;
use std::fmt;
use std::sync::Arc;

pub use self::limits::{Budget, OPERATIONS};
use self::pattern::Pattern;
pub use self::syntax::{Fault, FaultKind, Place};
use self::syntax::{Seen, Sights, Text};
use super::Asked;

/// An expression, compiled once.
pub struct Condition {
    expression: Expression,
    sights: Sights,
    /// The patterns of its `matches`, by number.
    patterns: Arc<[Pattern]>,
    /// What it costs, but for what depends on the request.
    price: u32,
}

/// That a condition could not be evaluated: what it looks at is not there, or of another type, or too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

impl Condition {
    /// Compiles an expression.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place in the text.
    pub fn compile(text: &str) -> Result<Self, Vec<Fault>> {
        let Text {
            expression,
            sights,
            patterns,
            price,
        } = syntax::read(text)?;
        let condition = Self {
            expression,
            sights,
            patterns: patterns.into(),
            price,
        };
        condition.refuse_constant()?;
        Ok(condition)
    }

    /// What depends on nothing is known now; it must at least be true or false.
    fn refuse_constant(&self) -> Result<(), Vec<Fault>> {
        if !self.sights.is_nothing() {
            return Ok(());
        }
        let purse = Budget::default().purse(&self.patterns);
        let context = values::nothing(&purse);
        let paid = purse.spend(self.price);
        let value = paid.map(|()| Value::resolve(&self.expression, &context));
        let fault = match value {
            _ if purse.is_exhausted() => FaultKind::AlwaysTooMuch,
            Some(Ok(Value::Bool(_))) => return Ok(()),
            Some(Ok(value)) => FaultKind::NoBool(value.type_of().to_string()),
            None | Some(Err(_)) => FaultKind::AlwaysFails,
        };
        Err(vec![fault.at(Place::START)])
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// [`Failed`] where that cannot be said: such a condition lets nobody pass.
    pub fn holds(&self, asked: Asked<'_>) -> Result<bool, Failed> {
        let purse = asked.budget.purse(&self.patterns);
        purse.spend(self.price).ok_or(Failed)?;
        let context = values::of(&self.sights, &purse, asked).ok_or(Failed)?;
        let value = Value::resolve(&self.expression, &context);
        match value {
            // An error beside `|| true` is none, but too much work is too much.
            _ if purse.is_exhausted() => Err(Failed),
            Ok(Value::Bool(truth)) => Ok(truth),
            Ok(_) | Err(_) => Err(Failed),
        }
    }

    /// Whether it looks at the method of the request.
    pub fn looks_at_method(&self) -> bool {
        self.sights.method
    }

    /// Whether it looks at the host of the request.
    pub fn looks_at_host(&self) -> bool {
        self.sights.host
    }

    /// Whether it looks at header fields that it does not name.
    pub fn looks_at_every_field(&self) -> bool {
        self.sights.headers == Seen::All
    }

    /// The header fields that it names.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.sights.headers.these()
    }

    /// Whether it looks at the path of the request.
    pub fn looks_at_path(&self) -> bool {
        self.sights.path
    }

    /// Whether it looks at the scheme of the request.
    pub fn looks_at_scheme(&self) -> bool {
        self.sights.scheme
    }

    /// Whether it looks at the address that the request comes from.
    pub fn looks_at_address(&self) -> bool {
        self.sights.address
    }

    /// The parameters of the path that it names, each with its place in the text.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Place)> {
        self.sights
            .parameters
            .iter()
            .map(|(name, place)| (name.as_str(), *place))
    }
}

/// What it looks at is the document's matter.
impl fmt::Debug for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Condition").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
