//! What an expression costs, in operations. It is priced when it is compiled, and charged when it is evaluated.
//!
//! 1. Every node has a price. The whole expression is charged before it is evaluated, whichever of its branches are
//!    taken.
//! 2. The body of a loop has its own price. A loop charges all its iterations before the first, by the length of its
//!    range.
//! 3. An operand can be as large as the data of the request. It is charged by its size before the operator receives it.
//!
//! So no work is done that was not charged, also after a charge has failed: the price of the node and the sizes of the
//! operands cover the work of the operator, whether it succeeds or fails. `cargo run --example conditions` measures the
//! most expensive expressions.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators,
};

use super::environment::{ANY, CHARGE, EACH, EQUAL, MATCHES, SEARCH, WRITE};
use super::limits;
use super::rewrite::{meter, metered};

/// An evaluation, apart from its expression: the context.
const EVALUATION: u32 = 50;

/// A literal, the check for an error, the step between two nodes.
const NODE: u32 = 1;

/// A lookup of a name in the scope of one loop. Names are looked up in each loop around them.
const SCOPE: u32 = 1;

/// A lookup of a member, by its hash.
const MEMBER: u32 = 8;

/// `&&`, `||`, `!`, `?:`, `==`, `!=`.
const LOGIC: u32 = 3;

/// Any other operator or function, if its operands have no size.
const CALL: u32 = 10;

/// A call that charges, apart from the lookup of the meter.
const CHARGING: u32 = 6;

/// An entry of a map.
const ENTRY: u32 = 14;

/// A loop, apart from its iterations.
const LOOP: u32 = 12;

/// An iteration of a loop, apart from its body.
const TURN: u32 = 4;

/// An operand that is copied, searched, compared or converted, or that an error copies.
pub const COPIED: u32 = 4;

/// A text in which another is searched, or that is read as a number or a timestamp. Literals are charged this too.
pub const READ: u32 = 16;

/// An item of a list that is searched.
pub const SEARCHED: u32 = 2;

/// A text that is read as a fraction, or a fraction that is written. For some fractions, every digit decides the last
/// bit.
pub const FRACTION: u32 = 400;
const READ_AS_FRACTION: u32 = 48;

/// The name of a loop's accumulator.
const RESULT: &str = "@result";

/// Inserts the calls that charge operands and loops into an expression. Returns the price of the rest.
pub fn instrument(expression: &mut IdedExpr) -> u32 {
    // The interpreter copies the result, which should be of type bool.
    charged(expression, COPIED, 0).saturating_add(EVALUATION)
}

/// The price of an expression that is within so many loops.
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
            sum(elements.map(|element| charged(element, COPIED, loops)))
        }
        Expr::Map(map) => sum(map.entries.iter_mut().map(|entry| match &mut entry.expr {
            EntryExpr::StructField(_) => NODE,
            EntryExpr::MapEntry(entry) => sum([
                ENTRY,
                charged(&mut entry.key, COPIED, loops),
                charged(&mut entry.value, COPIED, loops),
            ]),
        })),
        Expr::Comprehension(comprehension) => of_loop(comprehension, loops),
    };
    price.saturating_add(NODE)
}

/// The price of an operand that is charged by its size.
fn charged(expression: &mut IdedExpr, weight: u32, loops: u32) -> u32 {
    let price = price_of(expression, loops);
    // For an operand without size, its price is enough.
    if weight <= COPIED && !has_size(expression) {
        return price;
    }
    wrap(expression, CHARGE, &[weight]);
    sum([price, CHARGING, of_name(limits::NAME, loops)])
}

/// The price of a call. Inserts the calls that charge its operands.
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
        // A comparison with a literal visits at most as much as the literal has.
        (operators::EQUALS | operators::NOT_EQUALS, [a, b]) if is_text(a) || is_literal(b) => {
            (LOGIC, None)
        }
        (operators::EQUALS | operators::NOT_EQUALS, [a, b]) if !has_size(a) && !has_size(b) => {
            (LOGIC, None)
        }
        (operators::EQUALS, _) => return of_paying(call, EQUAL, LOGIC, loops),
        (operators::NOT_EQUALS, _) => return of_not_equal(call, loops),
        // The lookup of a member by name, or of an item by number, does not depend on the size of the map or list.
        (operators::INDEX, [_, key]) if is_key(key) => (CALL, None),
        (operators::IN, [value, of]) => match &of.expr {
            // A comparison of values other than numbers copies nothing, and an error costs as much as a call.
            Expr::List(list) if is_text(of) || is_literal(of) && !has_size(value) => {
                let item = if is_text(of) { LOGIC } else { CALL };
                let items = item.saturating_mul(limits::small(list.elements.len()));
                (CALL.saturating_add(items), None)
            }
            _ => return of_paying(call, SEARCH, CALL, loops),
        },
        // These charge by the length of the text, and for each of the values.
        (MATCHES | ANY, _) => (CALL, None),
        // `map` and `filter` append to their accumulator, and the items are charged.
        (operators::ADD, [a, _]) if matches!(&a.expr, Expr::Ident(name) if name == RESULT) => {
            (CALL, None)
        }
        ("contains" | "duration" | "int" | "timestamp" | "uint", _) => (CALL, Some(READ)),
        ("double", _) => (FRACTION, Some(READ_AS_FRACTION)),
        _ => (CALL, Some(COPIED)),
    };
    let target = call.target.as_deref_mut().into_iter();
    let operands = target.chain(&mut call.args).map(|operand| match weight {
        Some(weight) => charged(operand, weight, loops),
        None => price_of(operand, loops),
    });
    sum(operands).saturating_add(price)
}

/// `string(value)` becomes `string(@write(meter, value))`.
fn of_string(call: &mut CallExpr, loops: u32) -> u32 {
    let target = call.target.as_deref_mut().into_iter();
    let operands = target.chain(&mut call.args).map(|operand| {
        let price = price_of(operand, loops);
        wrap(operand, WRITE, &[]);
        sum([price, CHARGING, of_name(limits::NAME, loops)])
    });
    sum(operands).saturating_add(CALL)
}

/// `a != b` becomes `!@equal(meter, a, b)`.
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

/// `value in values` becomes `@search(meter, value, values)`, and `a == b` becomes `@equal(meter, a, b)`.
fn of_paying(call: &mut CallExpr, function: &str, price: u32, loops: u32) -> u32 {
    let operands = sum(call.args.iter_mut().map(|operand| price_of(operand, loops)));
    call.func_name = function.to_owned();
    call.args.insert(0, meter(0));
    sum([operands, price, CHARGING, of_name(limits::NAME, loops)])
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
        CHARGING,
        of_name(limits::NAME, loops),
        price_of(&mut comprehension.accu_init, loops),
        price_of(&mut comprehension.result, within),
    ])
}

/// The price of the lookup of `a.b.c`, which looks up `a.b.c`, `a.b` and `a` in each scope.
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

/// Whether the value of an expression can be larger than a number.
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

/// Whether an expression is a literal, or a list of literals.
fn is_literal(expression: &IdedExpr) -> bool {
    match &expression.expr {
        Expr::Literal(_) => true,
        Expr::List(list) => list.elements.iter().all(is_literal),
        _ => false,
    }
}

/// Whether an expression is a string literal, or a list of them. A comparison with a number would copy it.
fn is_text(expression: &IdedExpr) -> bool {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(_)) => true,
        Expr::List(list) => list.elements.iter().all(is_text),
        _ => false,
    }
}

/// Whether an expression is the literal name of a member or number of an item. A fraction is not a valid index, and the
/// error copies the operand.
fn is_key(expression: &IdedExpr) -> bool {
    matches!(
        &expression.expr,
        Expr::Literal(LiteralValue::String(_) | LiteralValue::Int(_) | LiteralValue::UInt(_))
    )
}

/// `value` becomes `function(meter, numbers…, value)`.
fn wrap(expression: &mut IdedExpr, function: &str, numbers: &[u32]) {
    let id = expression.id;
    let node = |expr| IdedExpr { id, expr };
    let numbers = numbers
        .iter()
        .map(|number| node(Expr::Literal(LiteralValue::Int(i64::from(*number).into()))));
    let args: Vec<IdedExpr> = numbers.chain([std::mem::take(expression)]).collect();
    expression.id = id;
    expression.expr = metered(id, function, args);
}

fn sum(prices: impl IntoIterator<Item = u32>) -> u32 {
    prices.into_iter().fold(0, u32::saturating_add)
}
