//! Calls that are replaced by cheaper ones, or by ones that can be charged, when an expression is compiled.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};

use super::environment::{ANY, MATCHES};
use super::fault::FaultKind;
use super::limits;
use super::pattern::Pattern;

/// Compiles the pattern of `matches`: `text.matches('…')` becomes `@matches(meter, text, number)`.
///
/// Returns whether the call was replaced.
///
/// # Errors
/// The fault of the call, and the text in the expression that has it.
pub fn compile_pattern(
    expression: &mut IdedExpr,
    patterns: &mut Vec<Pattern>,
) -> Result<bool, (String, FaultKind)> {
    let Expr::Call(call) = &expression.expr else {
        return Ok(false);
    };
    let name = "matches";
    if call.func_name != name {
        return Ok(false);
    }
    let (text, pattern) = match (&call.target, call.args.as_slice()) {
        (Some(text), [pattern]) => (text.as_ref(), pattern),
        (None, [text, pattern]) => (text, pattern),
        _ => return Err((name.to_owned(), FaultKind::Arguments(name.to_owned()))),
    };
    let source = text_of(pattern).ok_or((name.to_owned(), FaultKind::PatternNotLiteral))?;
    let pattern = Pattern::compile(source)
        .map_err(|error| (source.to_owned(), FaultKind::Pattern(error.to_string())))?;
    let number = i64::try_from(patterns.len()).unwrap_or_default();
    let number = IdedExpr {
        id: expression.id,
        expr: Expr::Literal(LiteralValue::Int(number.into())),
    };
    patterns.push(pattern);
    expression.expr = metered(expression.id, MATCHES, [text.clone(), number]);
    Ok(true)
}

/// Replaces a loop by a search: `values.exists(x, x == value)` becomes `@any(meter, value, values)`.
///
/// `value` must be a literal or a variable of an outer loop, given in `locals`. The evaluation of another value could
/// fail, and `exists` does not evaluate it if there are no values.
pub fn shorten_loop(expression: &mut IdedExpr, locals: &[String]) {
    let Expr::Comprehension(comprehension) = &mut expression.expr else {
        return;
    };
    let Some(value) = compared_value(comprehension) else {
        return;
    };
    let cannot_fail = match &value.expr {
        Expr::Literal(_) => true,
        Expr::Ident(name) => locals.contains(name),
        _ => false,
    };
    if cannot_fail {
        let args = [value.clone(), std::mem::take(&mut comprehension.iter_range)];
        expression.expr = metered(expression.id, ANY, args);
    }
}

/// The value that each item is compared with in `values.exists(x, x == value)`. None for another loop.
fn compared_value(comprehension: &ComprehensionExpr) -> Option<&IdedExpr> {
    let is = |expression: &IdedExpr, name: &str| matches!(&expression.expr, Expr::Ident(own) if own == name);
    let Expr::Call(step) = &comprehension.loop_step.expr else {
        return None;
    };
    let (operators::LOGICAL_OR, [found, equal]) = (step.func_name.as_str(), step.args.as_slice())
    else {
        return None;
    };
    let Expr::Call(equal) = &equal.expr else {
        return None;
    };
    let (operators::EQUALS, [a, b]) = (equal.func_name.as_str(), equal.args.as_slice()) else {
        return None;
    };
    let item = comprehension.iter_var.as_str();
    let value = match (is(a, item), is(b, item)) {
        (true, false) => b,
        (false, true) => a,
        (true, true) | (false, false) => return None,
    };
    is(found, &comprehension.accu_var).then_some(value)
}

/// A call of one of the filter's own functions: `function(meter, args…)`.
pub fn metered(id: u64, function: &str, args: impl IntoIterator<Item = IdedExpr>) -> Expr {
    Expr::Call(CallExpr {
        func_name: function.to_owned(),
        target: None,
        args: std::iter::once(meter(id)).chain(args).collect(),
    })
}

/// The variable from which those functions read the meter.
pub fn meter(id: u64) -> IdedExpr {
    IdedExpr {
        id,
        expr: Expr::Ident(limits::NAME.to_owned()),
    }
}

/// The text of a string literal.
pub fn text_of(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
