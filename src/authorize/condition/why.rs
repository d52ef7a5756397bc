//! Why a condition does not hold, for `countersign explain`: which operand of `&&` and `||` fails, and by which values.

use std::sync::Arc;

use cel::parser::pratt_parser::{Token, TokenKind};
use cel::parser::{Expression, PrattParser};
use cel::{ExecutionError, Value};
use serde_json::{Value as Json, json};

use super::limits::OPERATIONS;
use super::pattern::Pattern;
use super::reader::Reader;
use super::references::{References, VARIABLES};
use super::{Budget, Condition, Input, cost, syntax, values};

/// Why a condition does not hold.
#[derive(Debug)]
pub struct Why {
    /// The text of the condition.
    pub text: String,
    /// What is wrong with the condition as a whole: none if it is false.
    pub error: Option<String>,
    /// The operands that decide: if they were true, the condition would hold.
    pub operands: Vec<Operand>,
}

/// An operand of `&&` or `||` that is false, or that could not be evaluated.
#[derive(Debug)]
pub struct Operand {
    /// The text of the operand.
    pub text: String,
    /// Why it could not be evaluated: none if it is false.
    pub error: Option<String>,
    /// The values that it refers to.
    pub values: Vec<Reference>,
}

/// A variable, with the members after it.
#[derive(Debug)]
pub struct Reference {
    /// The names, such as `request`, `headers`, `x-tenant`.
    pub names: Vec<String>,
    /// The text of the reference.
    pub text: String,
    /// Its value: none if there is none.
    pub value: Option<Json>,
}

impl Condition {
    /// Why the condition does not hold; none if it holds.
    pub fn why_not(&self, input: Input<'_>) -> Option<Why> {
        let error = match self.holds(input) {
            Ok(true) => return None,
            Ok(false) => None,
            Err(_) => {
                let result = Part::new(&self.text).map(|part| part.evaluate(input));
                result.and_then(Result::err)
            }
        };
        let mut operands = Vec::new();
        collect(&self.text, input, &mut operands);
        Some(Why {
            text: self.text.to_string(),
            error,
            operands,
        })
    }
}

/// A part of an expression, of any type.
struct Part {
    expression: Expression,
    references: References,
    patterns: Arc<[Pattern]>,
    price: u32,
}

impl Part {
    fn new(text: &str) -> Option<Self> {
        let mut expression = PrattParser::new().parse(text).ok()?;
        let mut reader = Reader::new(text, syntax::tokens(text));
        reader.read(&mut expression, 0);
        let (references, patterns) = reader.finish().ok()?;
        Some(Self {
            price: cost::instrument(&mut expression),
            expression,
            references,
            patterns: patterns.into(),
        })
    }

    /// The value, or why there is none. Each part has a budget of its own.
    fn evaluate(&self, input: Input<'_>) -> Result<Value, String> {
        let budget = Budget::default();
        let input = Input {
            budget: &budget,
            ..input
        };
        let too_expensive = || format!("it needs more than {OPERATIONS} operations");
        let meter = budget.meter(&self.patterns);
        meter.spend(self.price).ok_or_else(too_expensive)?;
        let context = values::of(&self.references, &meter, input);
        let context = context.ok_or_else(|| match meter.is_exhausted() {
            true => too_expensive(),
            false => "a part of the request that it refers to is not UTF-8".to_owned(),
        })?;
        let value = Value::resolve(&self.expression, &context);
        match value {
            _ if meter.is_exhausted() => Err(too_expensive()),
            Ok(value) => Ok(value),
            Err(error) => Err(in_words(&error)),
        }
    }
}

/// Collects the operands that keep a text from being true.
fn collect(text: &str, input: Input<'_>, operands: &mut Vec<Operand>) {
    let Some(part) = Part::new(text) else {
        return;
    };
    let result = part.evaluate(input);
    if matches!(result, Ok(Value::Bool(true))) {
        return;
    }
    let parts = operands_of(text);
    if parts.len() > 1 {
        for part in parts {
            collect(part, input, operands);
        }
        return;
    }
    operands.push(Operand {
        text: text.to_owned(),
        error: match result {
            Ok(Value::Bool(_)) => None,
            Ok(value) => Some(format!("expected a bool, found {}", value.type_of())),
            Err(error) => Some(error),
        },
        values: references_in(text, input),
    });
}

/// The operands of a text that is `a || b` or `a && b`, without the parentheses around it; otherwise the text alone.
fn operands_of(text: &str) -> Vec<&str> {
    let text = text.trim();
    let tokens = syntax::tokens(text);
    let mut depth = 0_usize;
    let mut at_top = Vec::new();
    // The position at which the first bracket is closed.
    let mut closed = None;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::TokLeftParen | TokenKind::TokLeftBracket | TokenKind::TokLeftBrace => {
                depth += 1;
            }
            TokenKind::TokRightParen | TokenKind::TokRightBracket | TokenKind::TokRightBrace => {
                depth = depth.saturating_sub(1);
                if depth == 0 && closed.is_none() {
                    closed = Some(index);
                }
            }
            _ if depth == 0 => at_top.push(token),
            _ => {}
        }
    }
    let is_paren = |token: Option<&Token>, kind| token.is_some_and(|token| token.kind == kind);
    let is_enclosed = is_paren(tokens.first(), TokenKind::TokLeftParen)
        && closed.is_some_and(|closed| closed + 1 == tokens.len());
    if is_enclosed && let (Some(first), Some(last)) = (tokens.first(), tokens.last()) {
        return operands_of(text.get(first.end..last.start).unwrap_or_default());
    }
    let has = |kind: TokenKind| at_top.iter().any(|token| token.kind == kind);
    // `a ? b : c` is evaluated as a whole. `&&` binds closer than `||`.
    let separator = if has(TokenKind::TokQuestion) {
        return vec![text];
    } else if has(TokenKind::TokLogicalOr) {
        TokenKind::TokLogicalOr
    } else {
        TokenKind::TokLogicalAnd
    };
    let mut parts = Vec::new();
    let mut start = 0;
    for token in at_top.iter().filter(|token| token.kind == separator) {
        parts.extend(text.get(start..token.start).map(str::trim));
        start = token.end;
    }
    parts.extend(text.get(start..).map(str::trim));
    parts
}

/// The variables in a text, each with the members after it, and their values.
fn references_in(text: &str, input: Input<'_>) -> Vec<Reference> {
    let tokens = syntax::tokens(text);
    let content = |token: &Token| text.get(token.start..token.end).unwrap_or_default();
    let kind = |index: usize| tokens.get(index).map(|token| token.kind);
    let mut found: Vec<Reference> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let name = content(token);
        let is_member = index > 0 && kind(index - 1) == Some(TokenKind::TokDot);
        if token.kind != TokenKind::TokIdent || is_member || !VARIABLES.contains(&name) {
            continue;
        }
        let mut names = vec![name.to_owned()];
        let (mut next, mut end) = (index + 1, token.end);
        loop {
            let (step, member) = match (kind(next), kind(next + 1), kind(next + 2)) {
                // What is before `(` is a function.
                (Some(TokenKind::TokDot), Some(TokenKind::TokIdent), after)
                    if after != Some(TokenKind::TokLeftParen) =>
                {
                    (2, tokens.get(next + 1))
                }
                (
                    Some(TokenKind::TokLeftBracket),
                    Some(TokenKind::TokString),
                    Some(TokenKind::TokRightBracket),
                ) => (3, tokens.get(next + 1)),
                _ => break,
            };
            let Some(member) = member else { break };
            names.push(content(member).trim_matches(['\'', '"']).to_owned());
            next += step;
            end = tokens.get(next - 1).map_or(end, |token| token.end);
        }
        let text = text.get(token.start..end).unwrap_or_default();
        if found.iter().any(|known| known.text == text) {
            continue;
        }
        let value = Part::new(text).and_then(|part| part.evaluate(input).ok());
        found.push(Reference {
            names,
            text: text.to_owned(),
            value: value.as_ref().map(to_json),
        });
    }
    found
}

/// An error of the evaluation. The messages of `cel` name internal functions, and types of Rust.
fn in_words(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(name) | ExecutionError::UndeclaredReference(name) => {
            format!("`{name}` is missing")
        }
        ExecutionError::NoSuchOverload(_)
        | ExecutionError::UnexpectedType { .. }
        | ExecutionError::ValuesNotComparable(..)
        | ExecutionError::UnsupportedTargetType { .. } => {
            "a value has another type than the operation expects".to_owned()
        }
        ExecutionError::FunctionError { function, message } if !function.starts_with('@') => {
            format!("`{function}`: {message}")
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "division by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "the result is out of range".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "the index is out of range".to_owned(),
        _ => "a value cannot be used so".to_owned(),
    }
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(map) => {
            let mut members: Vec<_> = map
                .map
                .iter()
                .map(|(key, value)| (key.to_string(), to_json(value)))
                .collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Json::Object(members.into_iter().collect())
        }
        Value::Int(number) => json!(number),
        Value::UInt(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::String(text) => json!(text.as_str()),
        Value::Bool(truth) => json!(truth),
        Value::Null => Json::Null,
        other => json!(other.type_of().to_string()),
    }
}
