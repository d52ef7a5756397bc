//! Text → expression: checks the length, the depth, the syntax and the type of an expression, then reads it.

use cel::common::ast::{Expr, IdedExpr, LiteralValue};
use cel::parser::pratt_parser::{Lexer, Token, TokenKind};
use cel::parser::{Expression, ParseErrors, PrattParser};

use super::fault::{Fault, FaultKind, MAX_DEPTH, MAX_LENGTH, Position};
use super::pattern::Pattern;
use super::reader::Reader;
use super::references::References;
use super::{cost, moment, operators};

/// A text that was read.
pub struct Text {
    pub expression: Expression,
    pub references: References,
    /// The patterns of its `matches`, by number.
    pub patterns: Vec<Pattern>,
    /// The part of its cost that does not depend on the request.
    pub price: u32,
}

/// Reads a text.
///
/// # Errors
/// All faults, by position.
pub fn read(text: &str) -> Result<Text, Vec<Fault>> {
    if text.len() > MAX_LENGTH {
        return Err(vec![FaultKind::Length(text.len()).at(Position::START)]);
    }
    let tokens = tokens(text);
    if let Some(token) = too_deep(&tokens) {
        return Err(vec![
            FaultKind::Depth.at(Position::after(text, token.start)),
        ]);
    }
    let mut expression =
        PrattParser::new().parse(text).map_err(|errors| {
            match operators::foreign(text, &tokens) {
                Some(fault) => vec![fault],
                None => syntax_faults(text, &errors),
            }
        })?;
    let mut reader = Reader::new(text, tokens);
    if let Some(kind) = type_of(&expression) {
        reader.add(FaultKind::NotBool(kind.to_owned()).at(Position::START));
    }
    reader.read(&mut expression, 0);
    let (references, patterns) = reader.finish()?;
    Ok(Text {
        price: cost::instrument(&mut expression),
        expression,
        references,
        patterns,
    })
}

/// The tokens of a text, without spaces and comments.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer::new(text);
    let is_token = |token: &Token| token.kind != TokenKind::TokEnd;
    let all = std::iter::from_fn(|| Some(lexer.lex()).filter(is_token));
    // A token has at least one byte.
    let is_significant =
        |token: &Token| !matches!(token.kind, TokenKind::TokWhitespace | TokenKind::TokComment);
    all.take(MAX_LENGTH).filter(is_significant).collect()
}

/// The first bracket or conditional that is nested too deep for the parser.
fn too_deep(tokens: &[Token]) -> Option<&Token> {
    let mut depth = 0_usize;
    tokens.iter().find(|token| {
        match token.kind {
            TokenKind::TokLeftParen
            | TokenKind::TokLeftBracket
            | TokenKind::TokLeftBrace
            | TokenKind::TokQuestion => depth += 1,
            TokenKind::TokRightParen | TokenKind::TokRightBracket | TokenKind::TokRightBrace => {
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        depth > MAX_DEPTH
    })
}

/// The first syntax error. Most others are consequences of it.
fn syntax_faults(text: &str, errors: &ParseErrors) -> Vec<Fault> {
    let fault = |error: &cel::ParseError| {
        let number = |number: isize| {
            usize::try_from(number)
                .unwrap_or_default()
                .saturating_sub(1)
        };
        let lines = text.split_inclusive('\n').take(number(error.pos.0));
        let bytes = lines.map(str::len).sum::<usize>() + number(error.pos.1);
        let rest = text.get(bytes..).unwrap_or_default();
        let kind = match rest.chars().next() {
            Some(quote @ ('“' | '”' | '„' | '‘' | '’' | '‚')) => FaultKind::Operator {
                found: quote.to_string(),
                meant: "'",
            },
            _ => FaultKind::Syntax(error.msg.clone()),
        };
        kind.at(Position::after(text, bytes))
    };
    errors.errors.iter().take(1).map(fault).collect()
}

/// The type of an expression, if the expression is certainly not of type bool.
fn type_of(expression: &IdedExpr) -> Option<&'static str> {
    match &expression.expr {
        Expr::Literal(literal) => match literal {
            LiteralValue::Boolean(_) => None,
            LiteralValue::Bytes(_) => Some("bytes"),
            LiteralValue::Double(_) => Some("double"),
            LiteralValue::Int(_) => Some("int"),
            LiteralValue::Null => Some("null_type"),
            LiteralValue::String(_) => Some("string"),
            LiteralValue::UInt(_) => Some("uint"),
        },
        Expr::List(_) => Some("list"),
        Expr::Map(_) => Some("map"),
        Expr::Ident(name) => match name.as_str() {
            "scopes" | "roles" | "groups" => Some("list"),
            "callers" | "claims" | "params" | "request" | "source" => Some("map"),
            "subject" | "provider" => Some("string"),
            "now" => Some("google.protobuf.Timestamp"),
            _ => None,
        },
        Expr::Call(call) => match call.func_name.as_str() {
            "size" | "int" => Some("int"),
            "string" => Some("string"),
            "double" => Some("double"),
            "uint" => Some("uint"),
            "bytes" => Some("bytes"),
            "timestamp" => Some("google.protobuf.Timestamp"),
            "duration" => Some("google.protobuf.Duration"),
            name if moment::GETTERS.iter().any(|(getter, _)| *getter == name) => Some("int"),
            _ => None,
        },
        _ => None,
    }
}
