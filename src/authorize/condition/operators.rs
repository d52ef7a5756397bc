//! Operators of other languages in an expression that is not CEL.

use cel::parser::pratt_parser::{Token, TokenKind};

use super::fault::{Fault, FaultKind, Position};

/// Operators of other languages, and how CEL writes them.
const OPERATORS: [(&str, &str); 22] = [
    ("and", "&&"),
    ("&", "&&"),
    ("or", "||"),
    ("|", "||"),
    ("not", "!"),
    ("is", "=="),
    ("eq", "=="),
    ("=", "=="),
    ("===", "=="),
    ("ne", "!="),
    ("neq", "!="),
    ("!==", "!="),
    ("<>", "!="),
    ("=>", ">="),
    ("gte", ">="),
    ("=<", "<="),
    ("lte", "<="),
    ("contains", "text.contains('part')"),
    ("matches", "text.matches('pattern')"),
    ("like", "text.matches('pattern')"),
    ("=~", "text.matches('pattern')"),
    ("~=", "text.matches('pattern')"),
];

/// The first operator of another language.
pub fn foreign(text: &str, tokens: &[Token]) -> Option<Fault> {
    let mut before = TokenKind::TokEnd;
    for (index, token) in tokens.iter().enumerate() {
        let is_member = before == TokenKind::TokDot;
        before = token.kind;
        let written = written(text, token);
        let known = OPERATORS
            .iter()
            .find(|(foreign, _)| written.eq_ignore_ascii_case(foreign));
        let meant = match known {
            Some(("not", _)) if is_in(tokens.get(index + 1)) => "!(value in list)",
            Some((_, meant)) => meant,
            None if token.kind == TokenKind::TokEqual => "==",
            None => continue,
        };
        if !is_member {
            let found = written.to_owned();
            let position = Position::after(text, token.start);
            return Some(FaultKind::Operator { found, meant }.at(position));
        }
    }
    None
}

fn is_in(token: Option<&Token>) -> bool {
    token.is_some_and(|token| token.kind == TokenKind::TokIn)
}

/// A word, or all characters of operators from the beginning of a token.
fn written<'t>(text: &'t str, token: &Token) -> &'t str {
    let rest = text.get(token.start..).unwrap_or_default();
    let length = match token.kind {
        TokenKind::TokIdent | TokenKind::TokReservedWord => token.end.saturating_sub(token.start),
        _ => {
            let is_of_operator = |byte: &u8| b"=!<>~&|".contains(byte);
            rest.bytes().take_while(is_of_operator).count()
        }
    };
    rest.get(..length).unwrap_or_default()
}
