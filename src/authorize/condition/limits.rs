//! What the conditions of one request may cost together.
//!
//! Work is counted in operations, never by a clock. [`cost`](super::cost) prices an expression when it is compiled; what
//! depends on the request is counted here while the expression is evaluated. A request whose conditions need more than
//! [`OPERATIONS`] fails them.

use std::any::Any;
use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::cost::{COPIED, FRACTION, SEARCHED};
use super::pattern::Pattern;
use cel::ExecutionError;
use cel::common::types::{
    CelBool, CelBytes, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelString, Type,
};
use cel::common::value::{CowVal, StaticVal, Val};

/// How many operations the conditions of one request may spend. Where they were priced, the dearest take 17 ns each in
/// Envoy (`cargo run --example conditions`), so that all take 20 ms on a machine of half that speed. Each holds 32 bytes of
/// memory at most, 16 in wasm (`tests/core/work.rs`).
pub const OPERATIONS: u32 = 600_000;

/// As many bytes of a text count like a value.
const BYTES_FOR_ONE: usize = 32;

/// The name of the purse in expressions, which none can write.
pub const NAME: &str = "@purse";

pub static TYPE: Type = Type::new_unspecified_type("purse");

/// What the conditions of one request share: what they have left to spend, and what is made once of the request. Without
/// a condition it costs nothing.
#[derive(Debug, Default)]
pub struct Budget {
    left: OnceCell<Arc<AtomicU32>>,
    /// The path and the host, if they are texts.
    path: OnceCell<Option<String>>,
    host: OnceCell<Option<String>>,
}

impl Budget {
    /// How many operations were spent.
    pub fn spent(&self) -> u32 {
        let left = self.left.get().map(|left| left.load(Ordering::Relaxed));
        left.map_or(0, |left| OPERATIONS.saturating_sub(left))
    }

    /// The path of the request, made when the first condition looks at it.
    pub(super) fn path(&self, make: impl FnOnce() -> Option<String>) -> Option<&str> {
        self.path.get_or_init(make).as_deref()
    }

    /// The host of the request, made when the first condition looks at it.
    pub(super) fn host(&self, make: impl FnOnce() -> Option<String>) -> Option<&str> {
        self.host.get_or_init(make).as_deref()
    }

    /// The purse of one condition.
    pub(super) fn purse(&self, patterns: &Arc<[Pattern]>) -> Purse {
        let left = self
            .left
            .get_or_init(|| Arc::new(AtomicU32::new(OPERATIONS)));
        Purse {
            left: Arc::clone(left),
            patterns: Arc::clone(patterns),
        }
    }
}

/// What an expression pays from, and the patterns that it pays for.
#[derive(Debug, Clone)]
pub struct Purse {
    /// 0 once something could not be paid for, and forever after.
    left: Arc<AtomicU32>,
    patterns: Arc<[Pattern]>,
}

impl Purse {
    /// Whether something could not be paid for. `||` and its kin ignore an error beside what decides, so the caller of the
    /// interpreter must ask.
    pub fn is_exhausted(&self) -> bool {
        self.left() == 0
    }

    fn left(&self) -> u32 {
        self.left.load(Ordering::Relaxed)
    }

    /// Pays so many operations; none if there are too few.
    pub fn spend(&self, cost: u32) -> Option<()> {
        self.keep(self.left().checked_sub(cost))
    }

    fn keep(&self, left: Option<u32>) -> Option<()> {
        let left = left.filter(|left| *left > 0);
        self.left.store(left.unwrap_or_default(), Ordering::Relaxed);
        left.map(drop)
    }

    /// Pays `weight` for every value in a value, and for every [`BYTES_FOR_ONE`] bytes of its texts.
    fn spend_on(&self, weight: u32, value: &dyn Val) -> Option<()> {
        self.keep(rest(self.left(), weight, value))
    }
}

/// The price of a text: as for a value, and some bytes more.
pub fn of_text(text: &str) -> u32 {
    of_bytes(text.len())
}

pub fn of_bytes(length: usize) -> u32 {
    small(1 + length / BYTES_FOR_ONE)
}

/// A count, where all that is larger is as unaffordable.
pub fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What is left after paying for a value: none if there is too little, and then the rest of the value is not looked at.
fn rest(left: u32, weight: u32, value: &dyn Val) -> Option<u32> {
    let pay = |left: u32, count: u32| left.checked_sub(weight.saturating_mul(count));
    if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        pay(left, of_text(text.inner()))
    } else if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        let mut items = list.inner().iter();
        items.try_fold(pay(left, 1)?, |left, item| {
            rest(left, weight, item.as_ref())
        })
    } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        let mut members = map.inner().iter();
        // Each key is hashed, and a map has a table of its own.
        members.try_fold(pay(left, 2)?, |left, (key, value)| {
            let of_key = match key {
                CelMapKey::String(text) => of_text(text.inner()),
                CelMapKey::Bool(_) | CelMapKey::Int(_) | CelMapKey::UInt(_) => 1,
            };
            rest(pay(left, of_key.saturating_mul(3))?, weight, value.as_ref())
        })
    } else if let Some(bytes) = value.downcast_ref::<CelBytes<'_>>() {
        pay(left, of_bytes(bytes.inner().len()))
    } else {
        pay(left, 1)
    }
}

/// How many values a loop goes through, or a search; none where there can be neither.
fn length(value: &dyn Val) -> usize {
    if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        list.inner().len()
    } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        map.inner().len()
    } else {
        0
    }
}

/// `@pay(purse, weight, value)`: the value, paid for by its size.
pub fn pay<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let Ok([purse, weight, value]) = <[_; 3]>::try_from(args) else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let paid = of(&purse)?.spend_on(number(&weight)?, value.as_ref());
    paid.map(|()| value).ok_or_else(too_much)
}

/// `@each(purse, price, weight, range)`: the range of a loop, whose turns are all paid for before the first.
pub fn each<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let Ok([purse, price, weight, range]) = <[_; 4]>::try_from(args) else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let turns = length(range.as_ref());
    let (purse, weight) = (of(&purse)?, number(&weight)?);
    let paid = purse
        .spend(small(turns).saturating_mul(number(&price)?))
        .and_then(|()| purse.spend_on(weight, range.as_ref()));
    paid.map(|()| range).ok_or_else(too_much)
}

/// `@write(purse, value)`: the value that `string` writes, paid for by its size, or as a fraction.
pub fn write<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let Ok([purse, value]) = <[_; 2]>::try_from(args) else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let own = of(&purse)?;
    let paid = match value.downcast_ref::<CelDouble>() {
        Some(_) => own.spend(FRACTION),
        None => own.spend_on(COPIED, value.as_ref()),
    };
    paid.map(|()| value).ok_or_else(too_much)
}

/// `@equal(purse, a, b)`: whether two values are equal, paid for by what is compared and copied.
pub fn equal<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [purse, a, b] = args.as_slice() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let purse = of(purse)?;
    let texts = (
        a.downcast_ref::<CelString<'_>>(),
        b.downcast_ref::<CelString<'_>>(),
    );
    let paid = match texts {
        // Texts of two lengths are not looked at.
        (Some(a), Some(b)) if a.inner().len() != b.inner().len() => purse.spend(SEARCHED),
        (Some(a), Some(_)) => purse.spend(SEARCHED.saturating_add(of_text(a.inner()))),
        _ => purse
            .spend_on(COPIED, a.as_ref())
            .and_then(|()| purse.spend_on(COPIED, b.as_ref())),
    };
    paid.ok_or_else(too_much)?;
    Ok(CowVal::owned(CelBool::from(a == b)))
}

/// `@search(purse, value, values)`: whether the value is one of them, paid for by what is compared and copied.
pub fn search<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [purse, value, values] = args.as_slice() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let Some(container) = values.as_container() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    pay_for_search(of(purse)?, value.as_ref(), values.as_ref()).ok_or_else(too_much)?;
    let contains = container.contains(value.as_ref())?;
    Ok(CowVal::owned(CelBool::from(contains)))
}

/// `@any(purse, value, values)`: whether a loop over the values finds one that is equal.
pub fn any<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [purse, value, values] = args.as_slice() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let Some(iterable) = values.as_iterable() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    pay_for_search(of(purse)?, value.as_ref(), values.as_ref()).ok_or_else(too_much)?;
    let mut items = iterable.iter();
    let is_found = std::iter::from_fn(|| items.next()).any(|item| item.equals(value.as_ref()));
    Ok(CowVal::owned(CelBool::from(is_found)))
}

fn pay_for_search(purse: &Purse, value: &dyn Val, values: &dyn Val) -> Option<()> {
    let copies = compared(purse, value, values)?;
    purse.spend_on(COPIED.saturating_mul(copies.saturating_add(1)), value)
}

/// Pays for the values that a value is compared with; returns how often it may be copied. A number copies what it is
/// compared with. Texts are compared only with texts, and their bytes only with as many.
fn compared(purse: &Purse, value: &dyn Val, values: &dyn Val) -> Option<u32> {
    let Some(list) = values.downcast_ref::<CelList<'_>>() else {
        purse.spend_on(COPIED, values)?;
        return Some(small(length(values)));
    };
    let text = value.downcast_ref::<CelString<'_>>();
    purse.spend(SEARCHED.saturating_mul(small(list.inner().len())))?;
    let mut copies = 0;
    for item in list.inner() {
        let Some(item) = item.downcast_ref::<CelString<'_>>() else {
            purse.spend_on(COPIED, item.as_ref())?;
            copies += 1;
            continue;
        };
        if text.is_some_and(|text| text.inner().len() == item.inner().len()) {
            purse.spend(small(item.inner().len() / BYTES_FOR_ONE))?;
        }
    }
    Some(copies)
}

/// `@matches(purse, text, number)`: whether the pattern of that number is found in the text.
pub fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [purse, text, place] = args.as_slice() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let purse = of(purse)?;
    let text = text.downcast_ref::<CelString<'_>>();
    let pattern = purse.patterns.get(number(place)? as usize);
    let (Some(text), Some(pattern)) = (text, pattern) else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let is_in = pattern.is_in(text.inner(), |price| purse.spend(price));
    Ok(CowVal::owned(CelBool::from(is_in.ok_or_else(too_much)?)))
}

fn of<'b>(value: &'b CowVal<'_, '_>) -> Result<&'b Purse, ExecutionError> {
    value
        .downcast_ref::<Purse>()
        .ok_or_else(ExecutionError::missing_argument_or_target)
}

/// A number that [`cost`](super::cost) has written into an expression.
fn number(value: &CowVal<'_, '_>) -> Result<u32, ExecutionError> {
    let number = value.downcast_ref::<CelInt>();
    number
        .and_then(|number| u32::try_from(*number.inner()).ok())
        .ok_or_else(ExecutionError::missing_argument_or_target)
}

fn too_much() -> ExecutionError {
    ExecutionError::function_error("", "too many operations")
}

impl Val for Purse {
    fn get_type(&self) -> &Type {
        &TYPE
    }

    fn cel_type() -> &'static Type {
        &TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Purse {}
