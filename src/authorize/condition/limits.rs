//! What an evaluation may cost.
//!
//! An expression is short, so without a loop its work is bounded by what it reads. Within a loop, and where texts or lists
//! are put together, each reading is paid for by its size: what is made of it is not larger, and takes no longer than that
//! by more than the length of the expression.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cel::ExecutionError;
use cel::common::types::{CelBool, CelBytes, CelInt, CelList, CelMap, CelMapKey, CelString, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use regex_lite::{Error, Regex, RegexBuilder};

/// What an evaluation may spend: one for each value that is read, and for each 32 bytes of its text; the weight of a
/// pattern for each byte that it is held against. It is some tens of milliseconds.
const PURSE: u32 = 200_000;

const BYTES_FOR_ONE: usize = 32;

/// The name of the purse in expressions, which none can write.
pub const NAME: &str = "@purse";

pub static TYPE: Type = Type::new_unspecified_type("purse");

/// How large a compiled pattern may be, in KiB: the time to look for one grows with it.
const HEAVIEST: usize = 16;

/// A pattern of `matches`.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    /// How large it is at the most, in KiB.
    weight: usize,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// It is none, or too large.
    pub fn compile(text: &str) -> Result<Self, Error> {
        let of = |weight| {
            let regex = RegexBuilder::new(text).size_limit(weight * 1024).build();
            regex.map(|regex| Self { regex, weight })
        };
        let lighter = [1, 2, 4, 8].into_iter().find_map(|weight| of(weight).ok());
        lighter.map_or_else(|| of(HEAVIEST), Ok)
    }
}

/// What is left to spend, and the patterns that it is spent on.
#[derive(Debug, Clone)]
pub struct Purse {
    left: Arc<AtomicU32>,
    patterns: Arc<[Pattern]>,
}

impl Purse {
    pub fn new(patterns: Arc<[Pattern]>) -> Self {
        Self {
            left: Arc::new(AtomicU32::new(PURSE)),
            patterns,
        }
    }

    fn spend(&self, cost: usize) -> Result<(), ExecutionError> {
        let left = self.left.load(Ordering::Relaxed);
        match u32::try_from(cost)
            .ok()
            .and_then(|cost| left.checked_sub(cost))
        {
            Some(left) => {
                self.left.store(left, Ordering::Relaxed);
                Ok(())
            }
            None => {
                self.left.store(0, Ordering::Relaxed);
                Err(ExecutionError::function_error("", "too much work"))
            }
        }
    }
}

/// `@read(purse, value)`: the value, paid for.
pub fn read<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let Ok([purse, value]) = <[_; 2]>::try_from(args) else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    of(&purse)?.spend(cost(value.as_ref()))?;
    Ok(value)
}

/// `@matches(purse, text, number)`: whether the pattern of that number is found in the text.
pub fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [purse, text, number] = args.as_slice() else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let purse = of(purse)?;
    let text = text.downcast_ref::<CelString<'_>>();
    let number = number.downcast_ref::<CelInt>();
    let number = number.and_then(|number| usize::try_from(*number.inner()).ok());
    let pattern = number.and_then(|number| purse.patterns.get(number));
    let (Some(text), Some(pattern)) = (text, pattern) else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let length = text.inner().len().saturating_add(1);
    purse.spend(length.saturating_mul(pattern.weight))?;
    Ok(CowVal::owned(CelBool::from(
        pattern.regex.is_match(text.inner()),
    )))
}

fn of<'b>(value: &'b CowVal<'_, '_>) -> Result<&'b Purse, ExecutionError> {
    value
        .downcast_ref::<Purse>()
        .ok_or_else(ExecutionError::missing_argument_or_target)
}

/// Depth is that of claims, and of expressions.
fn cost(value: &dyn Val) -> usize {
    let of_bytes = |length: usize| 1 + length / BYTES_FOR_ONE;
    if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        of_bytes(text.inner().len())
    } else if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        let items = list.inner().iter();
        items.fold(1, |sum, item| sum.saturating_add(cost(item.as_ref())))
    } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        map.inner().iter().fold(1, |sum, (key, value)| {
            let of_key = match key {
                CelMapKey::String(text) => of_bytes(text.inner().len()),
                CelMapKey::Bool(_) | CelMapKey::Int(_) | CelMapKey::UInt(_) => 1,
            };
            sum.saturating_add(of_key)
                .saturating_add(cost(value.as_ref()))
        })
    } else if let Some(bytes) = value.downcast_ref::<CelBytes<'_>>() {
        of_bytes(bytes.inner().len())
    } else {
        1
    }
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
