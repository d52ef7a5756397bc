//! What an expression costs, in operations: priced when it is compiled, paid when it is evaluated.
//!
//! 1. Every node has a price. The whole expression is paid for before it is evaluated, whichever of its branches are
//!    taken.
//! 2. The body of a loop has a price of its own. A loop pays for all turns before the first, by the length of its range.
//! 3. An operand can be as large as what the request carries. It pays for its size before the operator sees it.
//!
//! So nothing is done that was not paid for, also once a payment has failed: what an operator costs, in success and
//! failure, the node's price and the operands' sizes cover. `cargo run --example conditions` measures the dearest.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators,
};

use super::environment::{ANY, EACH, EQUAL, MATCHES, PAY, SEARCH, WRITE};
use super::limits;

/// What an evaluation costs that is not in its expression: its context.
const EVALUATION: u32 = 50;

/// A literal, the look at an error, the step from node to node.
const NODE: u32 = 1;

/// A name is looked for in the scope of each loop around it.
const SCOPE: u32 = 1;

/// A member is looked for by its hash.
const MEMBER: u32 = 8;

/// `&&`, `||`, `!`, `?:`, `==`, `!=`.
const LOGIC: u32 = 3;

/// Any other operator or function, for operands without size.
const CALL: u32 = 10;

/// A payment, but for the name of the purse.
const PAYMENT: u32 = 6;

/// An entry of a map.
const ENTRY: u32 = 14;

/// A loop without a turn.
const LOOP: u32 = 12;

/// A turn of a loop without its body.
const TURN: u32 = 4;

/// An operand that is copied, searched, compared or converted, or whose error holds a copy.
pub const COPIED: u32 = 4;

/// A text that is searched for another, or read as a number or a moment. Literals pay this as well.
pub const READ: u32 = 16;

/// An item of a list that is searched.
pub const SEARCHED: u32 = 2;

/// A text that is read as a fraction, or a fraction that is written: of some, every digit is needed for the last bit.
pub const FRACTION: u32 = 400;
const READ_AS_FRACTION: u32 = 48;

/// The name of what a loop has so far.
const RESULT: &str = "@result";

/// Has an expression pay for its operands and loops; returns what the rest of it costs.
pub fn meter(expression: &mut IdedExpr) -> u32 {
    // The interpreter copies the value, which should be true or false.
    paid(expression, COPIED, 0).saturating_add(EVALUATION)
}

/// The price of an expression within so many loops.
fn price_of(expression: &mut IdedExpr, loops: u32) -> u32 {
    if let Some(names) = names(expression) {
        return of_names(&names, loops);
    }
    let price = match &mut expression.expr {
        Expr::Literal(LiteralValue::String(text)) => limits::of_text(text.inner()),
        Expr::Literal(LiteralValue::Bytes(bytes)) => limits::of_bytes(bytes.inner().len()),
        Expr::Literal(_) | Expr::Ident(_) | Expr::Struct(_) | Expr::Unspecified => NODE,
        Expr::Select(select) => {
            let operand = price_of(&mut select.operand, loops);
            sum([operand, MEMBER, limits::of_text(&select.field)])
        }
        Expr::Call(call) => of_call(call, loops),
        Expr::List(list) => {
            let elements = list.elements.iter_mut();
            sum(elements.map(|element| paid(element, COPIED, loops)))
        }
        Expr::Map(map) => sum(map.entries.iter_mut().map(|entry| match &mut entry.expr {
            EntryExpr::StructField(_) => NODE,
            EntryExpr::MapEntry(entry) => sum([
                ENTRY,
                paid(&mut entry.key, COPIED, loops),
                paid(&mut entry.value, COPIED, loops),
            ]),
        })),
        Expr::Comprehension(comprehension) => of_loop(comprehension, loops),
    };
    price.saturating_add(NODE)
}

/// The price of an operand, which pays for its size.
fn paid(expression: &mut IdedExpr, weight: u32, loops: u32) -> u32 {
    let price = price_of(expression, loops);
    // What has no size is paid for by its price.
    if weight <= COPIED && !has_size(expression) {
        return price;
    }
    wrap(expression, PAY, &[weight]);
    sum([price, PAYMENT, of_name(limits::NAME, loops)])
}

/// Prices a call, and has its operands pay.
fn of_call(call: &mut CallExpr, loops: u32) -> u32 {
    if call.func_name == "string" {
        return of_string(call, loops);
    }
    let (price, weight) = match (call.func_name.as_str(), call.args.as_slice()) {
        (
            operators::LOGICAL_AND
            | operators::LOGICAL_OR
            | operators::LOGICAL_NOT
            | operators::NOT_STRICTLY_FALSE
            | operators::CONDITIONAL,
            _,
        ) => (LOGIC, None),
        // What is equal to a literal is looked at no further than that.
        (operators::EQUALS | operators::NOT_EQUALS, [a, b]) if is_text(a) || is_literal(b) => {
            (LOGIC, None)
        }
        (operators::EQUALS | operators::NOT_EQUALS, [a, b]) if !has_size(a) && !has_size(b) => {
            (LOGIC, None)
        }
        (operators::EQUALS, _) => return of_paying(call, EQUAL, LOGIC, loops),
        (operators::NOT_EQUALS, _) => return of_not_equal(call, loops),
        // A member is found by its name, an item by its number, whatever the size of what they are in.
        (operators::INDEX, [_, key]) if is_key(key) => (CALL, None),
        (operators::IN, [value, of]) => match &of.expr {
            // What is no number cannot be compared with one, and an error costs what a call does.
            Expr::List(list) if is_text(of) || is_literal(of) && !has_size(value) => {
                let item = if is_text(of) { LOGIC } else { CALL };
                let items = item.saturating_mul(limits::small(list.elements.len()));
                (CALL.saturating_add(items), None)
            }
            _ => return of_paying(call, SEARCH, CALL, loops),
        },
        // They pay by the length of the text, and for each of the values.
        (MATCHES | ANY, _) => (CALL, None),
        // The accumulator of `map` and `filter` is appended to, and its items pay.
        (operators::ADD, [a, _]) if matches!(&a.expr, Expr::Ident(name) if name == RESULT) => {
            (CALL, None)
        }
        ("contains" | "duration" | "int" | "timestamp" | "uint", _) => (CALL, Some(READ)),
        ("double", _) => (FRACTION, Some(READ_AS_FRACTION)),
        _ => (CALL, Some(COPIED)),
    };
    let target = call.target.as_deref_mut().into_iter();
    let operands = target.chain(&mut call.args).map(|operand| match weight {
        Some(weight) => paid(operand, weight, loops),
        None => price_of(operand, loops),
    });
    sum(operands).saturating_add(price)
}

/// `string(value)` becomes `string(@write(purse, value))`.
fn of_string(call: &mut CallExpr, loops: u32) -> u32 {
    let target = call.target.as_deref_mut().into_iter();
    let operands = target.chain(&mut call.args).map(|operand| {
        let price = price_of(operand, loops);
        wrap(operand, WRITE, &[]);
        sum([price, PAYMENT, of_name(limits::NAME, loops)])
    });
    sum(operands).saturating_add(CALL)
}

/// `a != b` becomes `!@equal(purse, a, b)`.
fn of_not_equal(call: &mut CallExpr, loops: u32) -> u32 {
    let price = of_paying(call, EQUAL, LOGIC, loops);
    let equal = std::mem::take(call);
    call.func_name = operators::LOGICAL_NOT.to_owned();
    call.args = vec![IdedExpr {
        id: 0,
        expr: Expr::Call(equal),
    }];
    sum([price, LOGIC, NODE])
}

/// `value in values` becomes `@search(purse, value, values)`, `a == b` becomes `@equal(purse, a, b)`.
fn of_paying(call: &mut CallExpr, function: &str, price: u32, loops: u32) -> u32 {
    let operands = sum(call.args.iter_mut().map(|operand| price_of(operand, loops)));
    call.func_name = function.to_owned();
    let purse = Expr::Ident(limits::NAME.to_owned());
    call.args.insert(0, IdedExpr { id: 0, expr: purse });
    sum([operands, price, PAYMENT, of_name(limits::NAME, loops)])
}

fn of_loop(comprehension: &mut ComprehensionExpr, loops: u32) -> u32 {
    let range = price_of(&mut comprehension.iter_range, loops);
    let within = loops + 1;
    let turn = sum([
        TURN,
        limits::of_text(&comprehension.iter_var),
        price_of(&mut comprehension.loop_cond, within),
        price_of(&mut comprehension.loop_step, within),
    ]);
    wrap(&mut comprehension.iter_range, EACH, &[turn, COPIED]);
    sum([
        LOOP,
        range,
        PAYMENT,
        of_name(limits::NAME, loops),
        price_of(&mut comprehension.accu_init, loops),
        price_of(&mut comprehension.result, within),
    ])
}

/// The price of looking for `a.b.c`: each scope is asked for `a.b.c`, `a.b` and `a`.
fn of_names(names: &[&str], loops: u32) -> u32 {
    let count = limits::small(names.len());
    let texts = sum(names.iter().map(|name| limits::of_text(name)));
    let looked_for = SCOPE.saturating_mul(loops + 1).saturating_mul(count);
    sum([looked_for, texts, MEMBER.saturating_mul(count - 1)])
}

fn of_name(name: &str, loops: u32) -> u32 {
    of_names(&[name], loops)
}

/// The names in `a.b.c`.
fn names(expression: &IdedExpr) -> Option<Vec<&str>> {
    match &expression.expr {
        Expr::Ident(name) => Some(vec![name]),
        Expr::Select(SelectExpr {
            operand,
            field,
            test: false,
        }) => {
            let mut names = names(operand)?;
            names.push(field);
            Some(names)
        }
        _ => None,
    }
}

/// Whether a value of the expression can be larger than a number.
fn has_size(expression: &IdedExpr) -> bool {
    match &expression.expr {
        Expr::Ident(name) => name != RESULT,
        Expr::Literal(_) | Expr::Unspecified => false,
        Expr::Select(select) => !select.test,
        Expr::List(_) | Expr::Map(_) | Expr::Struct(_) => true,
        Expr::Call(call) => matches!(
            call.func_name.as_str(),
            operators::ADD | operators::INDEX | operators::CONDITIONAL | "bytes" | "dyn" | "string"
        ),
        Expr::Comprehension(comprehension) => matches!(comprehension.accu_init.expr, Expr::List(_)),
    }
}

/// Whether it is a literal, or a list of them.
fn is_literal(expression: &IdedExpr) -> bool {
    match &expression.expr {
        Expr::Literal(_) => true,
        Expr::List(list) => list.elements.iter().all(is_literal),
        _ => false,
    }
}

/// Whether it is a literal text, or a list of them: a number copies what it is compared with.
fn is_text(expression: &IdedExpr) -> bool {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(_)) => true,
        Expr::List(list) => list.elements.iter().all(is_text),
        _ => false,
    }
}

/// Whether it is the literal name of a member, or number of an item. What a fraction cannot index is copied for the error.
fn is_key(expression: &IdedExpr) -> bool {
    matches!(
        &expression.expr,
        Expr::Literal(LiteralValue::String(_) | LiteralValue::Int(_) | LiteralValue::UInt(_))
    )
}

/// `value` becomes `function(purse, numbers…, value)`.
fn wrap(expression: &mut IdedExpr, function: &str, numbers: &[u32]) {
    let id = expression.id;
    let node = |expr| IdedExpr { id, expr };
    let numbers = numbers
        .iter()
        .map(|number| node(Expr::Literal(LiteralValue::Int(i64::from(*number).into()))));
    let args = std::iter::once(node(Expr::Ident(limits::NAME.to_owned())))
        .chain(numbers)
        .chain([std::mem::take(expression)])
        .collect();
    expression.id = id;
    expression.expr = Expr::Call(CallExpr {
        func_name: function.to_owned(),
        target: None,
        args,
    });
}

fn sum(prices: impl IntoIterator<Item = u32>) -> u32 {
    prices.into_iter().fold(0, u32::saturating_add)
}
