//! The faults that an expression can have, each with its position and its message.

use std::fmt;

use super::limits;

/// The maximum length of an expression, in bytes.
pub(super) const MAX_LENGTH: usize = 2048;

/// The maximum depth of an expression. Parser and interpreter recurse.
pub(super) const MAX_DEPTH: usize = 40;

/// A position in a text. Lines and columns count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    line: usize,
    column: usize,
}

impl Position {
    /// The beginning of a text.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The position after the first `bytes` bytes of a text.
    pub(super) fn after(text: &str, bytes: usize) -> Self {
        text.get(..bytes)
            .unwrap_or(text)
            .chars()
            .fold(Self::START, |position, character| match character {
                '\n' => Self {
                    line: position.line + 1,
                    column: 1,
                },
                _ => Self {
                    column: position.column + 1,
                    ..position
                },
            })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 1 {
            write!(formatter, "line {}, ", self.line)?;
        }
        write!(formatter, "column {}", self.column)
    }
}

/// A fault of an expression, and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The position.
    pub position: Position,
    /// The fault.
    pub kind: FaultKind,
}

/// A fault of an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// It has this many bytes, which is too long.
    #[error("expected an expression of at most {MAX_LENGTH} bytes, found {0}")]
    Length(usize),
    /// It is nested too deep.
    #[error("expected an expression that is nested at most {MAX_DEPTH} deep")]
    Depth,
    /// It is not CEL. The message is the parser's.
    #[error("{0}")]
    Syntax(String),
    /// It has an operator of another language, or a quote that is not one of CEL.
    #[error("expected `{meant}`, found `{found}`")]
    Operator {
        /// What it has.
        found: String,
        /// What CEL has instead.
        meant: &'static str,
    },
    /// It has an unknown name.
    #[error("there is no {what} `{name}`")]
    Unknown {
        /// What the name should be of: a variable or a function, for example.
        what: &'static str,
        /// The name.
        name: String,
        /// The names that exist.
        known: &'static [&'static str],
    },
    /// It calls this function or macro with the wrong arguments.
    #[error("wrong arguments for `{0}`")]
    Arguments(String),
    /// It refers to a header by a name that `request.headers` never has.
    #[error("{0}")]
    Header(&'static str),
    /// The pattern of `matches` is not a literal.
    #[error("expected the pattern of `matches` as a string literal")]
    PatternNotLiteral,
    /// The pattern of `matches` is not valid. The message is the pattern compiler's.
    #[error("invalid pattern: {0}")]
    Pattern(String),
    /// A literal is not a valid timestamp, duration or offset.
    #[error("{0}")]
    Time(&'static str),
    /// It has this type instead of bool.
    #[error("expected an expression of type bool, found {0}")]
    NotBool(String),
    /// It refers to nothing, and its evaluation fails.
    #[error("this expression fails for every request")]
    AlwaysFails,
    /// It refers to nothing, and its evaluation exceeds the budget.
    #[error(
        "this expression needs more than {} operations for every request",
        limits::OPERATIONS
    )]
    AlwaysTooExpensive,
}

impl FaultKind {
    /// The fault at a position.
    pub fn at(self, position: Position) -> Fault {
        Fault {
            position,
            kind: self,
        }
    }
}
