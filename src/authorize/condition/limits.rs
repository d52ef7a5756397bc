//! The budget of the conditions of one request.
//!
//! Work is counted in operations, never by a clock. [`cost`](super::cost) prices an expression when it is compiled.
//! Work that depends on the request is charged here, during the evaluation. If the conditions of a request need more
//! than [`OPERATIONS`], they fail.

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

/// How many operations the conditions of one request may use.
///
/// On the machine where the prices were measured, the most expensive operations take 17 ns each in Envoy (`cargo run
/// --example conditions`), so that a full budget takes 20 ms on a machine of half that speed. Each operation holds at
/// most 32 bytes of memory, and 16 in wasm (`tests/core/work.rs`).
pub const OPERATIONS: u32 = 600_000;

/// How many bytes of a text cost as much as one value.
const BYTES_PER_VALUE: usize = 32;

/// The name of the meter in expressions, which no text can contain.
pub const NAME: &str = "@meter";

pub static TYPE: Type = Type::new_unspecified_type("meter");

/// What the conditions of one request share: the remaining operations, and values that are built once. It allocates
/// nothing until the first condition is evaluated.
#[derive(Debug, Default)]
pub struct Budget {
    left: OnceCell<Arc<AtomicU32>>,
    /// The path and the host, if they are UTF-8.
    path: OnceCell<Option<String>>,
    host: OnceCell<Option<String>>,
}

impl Budget {
    /// How many operations were used.
    pub fn spent(&self) -> u32 {
        let left = self.left.get().map(|left| left.load(Ordering::Relaxed));
        left.map_or(0, |left| OPERATIONS.saturating_sub(left))
    }

    /// The path of the request, which is built for the first condition that refers to it.
    pub(super) fn path(&self, make: impl FnOnce() -> Option<String>) -> Option<&str> {
        self.path.get_or_init(make).as_deref()
    }

    /// The host of the request, which is built for the first condition that refers to it.
    pub(super) fn host(&self, make: impl FnOnce() -> Option<String>) -> Option<&str> {
        self.host.get_or_init(make).as_deref()
    }

    /// The meter of one condition.
    pub(super) fn meter(&self, patterns: &Arc<[Pattern]>) -> Meter {
        let left = self
            .left
            .get_or_init(|| Arc::new(AtomicU32::new(OPERATIONS)));
        Meter {
            left: Arc::clone(left),
            patterns: Arc::clone(patterns),
        }
    }
}

/// Charges the operations of one condition to the budget. It also holds the condition's patterns.
#[derive(Debug, Clone)]
pub struct Meter {
    /// The remaining operations. 0 after a charge that exceeded them, and no later charge succeeds.
    left: Arc<AtomicU32>,
    patterns: Arc<[Pattern]>,
}

impl Meter {
    /// Whether a charge exceeded the budget. CEL ignores an error in an operand of `||` and `&&` if the other operand
    /// decides, so that [`Condition::holds`](super::Condition::holds) must check this.
    pub fn is_exhausted(&self) -> bool {
        self.left() == 0
    }

    fn left(&self) -> u32 {
        self.left.load(Ordering::Relaxed)
    }

    /// Charges so many operations. None if fewer are left.
    pub fn spend(&self, cost: u32) -> Option<()> {
        self.keep(self.left().checked_sub(cost))
    }

    fn keep(&self, left: Option<u32>) -> Option<()> {
        let left = left.filter(|left| *left > 0);
        self.left.store(left.unwrap_or_default(), Ordering::Relaxed);
        left.map(drop)
    }

    /// Charges `weight` operations for each value in a value, and for each [`BYTES_PER_VALUE`] bytes of its texts.
    fn spend_on(&self, weight: u32, value: &dyn Val) -> Option<()> {
        self.keep(rest(self.left(), weight, value))
    }
}

/// The price of a text: that of one value, and of its bytes.
pub fn of_text(text: &str) -> u32 {
    of_bytes(text.len())
}

pub fn of_bytes(length: usize) -> u32 {
    small(1 + length / BYTES_PER_VALUE)
}

/// A count as a price. A count that is too large becomes a price that exceeds every budget.
pub fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The remaining operations after a value was charged. None if fewer are left: then the rest of the value is not
/// visited.
fn rest(left: u32, weight: u32, value: &dyn Val) -> Option<u32> {
    let charge = |left: u32, count: u32| left.checked_sub(weight.saturating_mul(count));
    if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        charge(left, of_text(text.inner()))
    } else if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        let mut items = list.inner().iter();
        items.try_fold(charge(left, 1)?, |left, item| {
            rest(left, weight, item.as_ref())
        })
    } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        let mut members = map.inner().iter();
        // A map allocates a table, and each key is hashed.
        members.try_fold(charge(left, 2)?, |left, (key, value)| {
            let of_key = match key {
                CelMapKey::String(text) => of_text(text.inner()),
                CelMapKey::Bool(_) | CelMapKey::Int(_) | CelMapKey::UInt(_) => 1,
            };
            rest(
                charge(left, of_key.saturating_mul(3))?,
                weight,
                value.as_ref(),
            )
        })
    } else if let Some(bytes) = value.downcast_ref::<CelBytes<'_>>() {
        charge(left, of_bytes(bytes.inner().len()))
    } else {
        charge(left, 1)
    }
}

/// How many values a loop or a search visits. 0 for a value that has no items.
fn length(value: &dyn Val) -> usize {
    if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        list.inner().len()
    } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        map.inner().len()
    } else {
        0
    }
}

/// `@charge(meter, weight, value)`: charges the value by its size, and returns it.
pub fn charge<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let Ok([meter, weight, value]) = <[_; 3]>::try_from(args) else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let charged = of(&meter)?.spend_on(number(&weight)?, value.as_ref());
    charged.map(|()| value).ok_or_else(too_much)
}

/// `@each(meter, price, weight, range)`: charges all iterations of a loop before the first, and returns its range.
pub fn each<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let Ok([meter, price, weight, range]) = <[_; 4]>::try_from(args) else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let turns = length(range.as_ref());
    let (meter, weight) = (of(&meter)?, number(&weight)?);
    let charged = meter
        .spend(small(turns).saturating_mul(number(&price)?))
        .and_then(|()| meter.spend_on(weight, range.as_ref()));
    charged.map(|()| range).ok_or_else(too_much)
}

/// `@write(meter, value)`: charges the conversion of a value by `string`, by its size or as a fraction, and returns the
/// value.
pub fn write<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let Ok([meter, value]) = <[_; 2]>::try_from(args) else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let own = of(&meter)?;
    let charged = match value.downcast_ref::<CelDouble>() {
        Some(_) => own.spend(FRACTION),
        None => own.spend_on(COPIED, value.as_ref()),
    };
    charged.map(|()| value).ok_or_else(too_much)
}

/// `@equal(meter, a, b)`: whether two values are equal. It charges what is compared and copied.
pub fn equal<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [meter, a, b] = args.as_slice() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let meter = of(meter)?;
    let texts = (
        a.downcast_ref::<CelString<'_>>(),
        b.downcast_ref::<CelString<'_>>(),
    );
    let charged = match texts {
        // Texts of different lengths are not compared.
        (Some(a), Some(b)) if a.inner().len() != b.inner().len() => meter.spend(SEARCHED),
        (Some(a), Some(_)) => meter.spend(SEARCHED.saturating_add(of_text(a.inner()))),
        _ => meter
            .spend_on(COPIED, a.as_ref())
            .and_then(|()| meter.spend_on(COPIED, b.as_ref())),
    };
    charged.ok_or_else(too_much)?;
    Ok(CowVal::owned(CelBool::from(a == b)))
}

/// `@search(meter, value, values)`: whether `value in values`. It charges what is compared and copied.
pub fn search<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [meter, value, values] = args.as_slice() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let Some(container) = values.as_container() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    charge_for_search(of(meter)?, value.as_ref(), values.as_ref()).ok_or_else(too_much)?;
    let contains = container.contains(value.as_ref())?;
    Ok(CowVal::owned(CelBool::from(contains)))
}

/// `@any(meter, value, values)`: whether `values.exists(x, x == value)`. It charges what is compared and copied.
pub fn any<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [meter, value, values] = args.as_slice() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let Some(iterable) = values.as_iterable() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    charge_for_search(of(meter)?, value.as_ref(), values.as_ref()).ok_or_else(too_much)?;
    let mut items = iterable.iter();
    let is_found = std::iter::from_fn(|| items.next()).any(|item| item.equals(value.as_ref()));
    Ok(CowVal::owned(CelBool::from(is_found)))
}

fn charge_for_search(meter: &Meter, value: &dyn Val, values: &dyn Val) -> Option<()> {
    let copies = compared(meter, value, values)?;
    meter.spend_on(COPIED.saturating_mul(copies.saturating_add(1)), value)
}

/// Charges the values that a value is compared with. Returns how often the value may be copied.
///
/// A number copies the value that it is compared with. A text is compared only with texts, and byte by byte only with
/// texts of its length.
fn compared(meter: &Meter, value: &dyn Val, values: &dyn Val) -> Option<u32> {
    let Some(list) = values.downcast_ref::<CelList<'_>>() else {
        meter.spend_on(COPIED, values)?;
        return Some(small(length(values)));
    };
    let text = value.downcast_ref::<CelString<'_>>();
    meter.spend(SEARCHED.saturating_mul(small(list.inner().len())))?;
    let mut copies = 0;
    for item in list.inner() {
        let Some(item) = item.downcast_ref::<CelString<'_>>() else {
            meter.spend_on(COPIED, item.as_ref())?;
            copies += 1;
            continue;
        };
        if text.is_some_and(|text| text.inner().len() == item.inner().len()) {
            meter.spend(small(item.inner().len() / BYTES_PER_VALUE))?;
        }
    }
    Some(copies)
}

/// `@matches(meter, text, number)`: whether the text contains a match of the pattern of that number.
pub fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [meter, text, place] = args.as_slice() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let meter = of(meter)?;
    let text = text.downcast_ref::<CelString<'_>>();
    let pattern = meter.patterns.get(number(place)? as usize);
    let (Some(text), Some(pattern)) = (text, pattern) else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let is_in = pattern.is_in(text.inner(), |price| meter.spend(price));
    Ok(CowVal::owned(CelBool::from(is_in.ok_or_else(too_much)?)))
}

fn of<'b>(value: &'b CowVal<'_, '_>) -> Result<&'b Meter, ExecutionError> {
    value
        .downcast_ref::<Meter>()
        .ok_or_else(ExecutionError::missing_argument_or_target)
}

/// A number that [`cost`](super::cost) or [`rewrite`](super::rewrite) has written into an expression.
fn number(value: &CowVal<'_, '_>) -> Result<u32, ExecutionError> {
    let number = value.downcast_ref::<CelInt>();
    number
        .and_then(|number| u32::try_from(*number.inner()).ok())
        .ok_or_else(ExecutionError::missing_argument_or_target)
}

fn too_much() -> ExecutionError {
    ExecutionError::function_error("", "too many operations")
}

impl Val for Meter {
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

impl StaticVal for Meter {}
