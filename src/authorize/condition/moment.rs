//! The timestamps and durations of CEL: `google.protobuf.Timestamp` and `google.protobuf.Duration`.
//!
//! The parts of a timestamp are read in UTC or at a fixed offset, such as `+02:00`. Names of time zones are not
//! supported: their table would be as large as the rest of the filter.

use std::any::Any;
use std::cmp::Ordering;

use cel::ExecutionError;
use cel::common::functions::Function;
use cel::common::traits::{Adder, Comparer, Subtractor};
use cel::common::types::{CelInt, CelString, DURATION_TYPE, TIMESTAMP_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, UtcOffset};

use crate::time::Timestamp;

static TIMESTAMP: Type = TIMESTAMP_TYPE;
static DURATION: Type = DURATION_TYPE;

/// The methods that return a part of a timestamp, each with an offset or without. Months, days of the month, days of
/// the week and days of the year count from 0, except for `getDate`. A week begins on Sunday.
pub const GETTERS: [(&str, Function); 10] = [
    ("getFullYear", |args| read(&args, |at| at.year().into())),
    ("getMonth", |args| {
        read(&args, |at| i64::from(u8::from(at.month())) - 1)
    }),
    ("getDate", |args| read(&args, |at| at.day().into())),
    ("getDayOfMonth", |args| {
        read(&args, |at| i64::from(at.day()) - 1)
    }),
    ("getDayOfWeek", |args| {
        read(&args, |at| at.weekday().number_days_from_sunday().into())
    }),
    ("getDayOfYear", |args| {
        read(&args, |at| i64::from(at.ordinal()) - 1)
    }),
    ("getHours", |args| read(&args, |at| at.hour().into())),
    ("getMinutes", |args| read(&args, |at| at.minute().into())),
    ("getSeconds", |args| read(&args, |at| at.second().into())),
    ("getMilliseconds", |args| {
        read(&args, |at| at.millisecond().into())
    }),
];

/// A timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(OffsetDateTime);

/// A duration, which may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

impl Moment {
    /// The timestamp. None if its year does not have four digits.
    pub fn new(timestamp: Timestamp) -> Option<Self> {
        let millis = Duration::milliseconds(timestamp.millis());
        OffsetDateTime::UNIX_EPOCH.checked_add(millis).map(Self)
    }

    /// Parses a timestamp of RFC 3339.
    pub fn parse(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        moment.checked_to_offset(UtcOffset::UTC).map(Self)
    }
}

impl Span {
    /// Parses a duration such as `1h30m` or `-1.5s`: an optional sign, then numbers with the units `h`, `m`, `s`, `ms`,
    /// `us`, `ns`.
    pub fn parse(text: &str) -> Option<Self> {
        let (is_negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Some(Self(Duration::ZERO));
        }
        let mut nanos: i64 = 0;
        loop {
            let (number, after) = rest.split_at_checked(rest.find(char::is_alphabetic)?)?;
            let end = after.find(|c: char| !c.is_alphabetic());
            let (unit, after) = after.split_at_checked(end.unwrap_or(after.len()))?;
            nanos = nanos.checked_add(nanos_of(number, unit)?)?;
            if after.is_empty() {
                let nanos = if is_negative { -nanos } else { nanos };
                return Some(Self(Duration::nanoseconds(nanos)));
            }
            rest = after;
        }
    }
}

/// A decimal number of a unit, in nanoseconds. It is never negative.
fn nanos_of(number: &str, unit: &str) -> Option<i64> {
    let unit: i64 = match unit {
        "h" => 3_600_000_000_000,
        "m" => 60_000_000_000,
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" => 1_000,
        "ns" => 1,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let whole: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut nanos = whole.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.bytes() {
        place /= 10;
        nanos = nanos.checked_add(i64::from(digit - b'0') * place)?;
    }
    Some(nanos)
}

/// Parses an offset such as `+02:00`, of less than a day.
pub fn offset(text: &str) -> Option<UtcOffset> {
    let (sign, digits) = match text.as_bytes() {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let [hours @ .., b':', m, n] = digits else {
        return None;
    };
    let [h, i] = hours else { return None };
    if ![h, i, m, n].iter().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number =
        |tens: &u8, ones: &u8| i8::try_from((tens - b'0') * 10 + (ones - b'0')).unwrap_or(i8::MAX);
    let (hours, minutes) = (number(h, i), number(m, n));
    if hours > 23 {
        return None;
    }
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
}

fn read<'b, 'v>(
    args: &[CowVal<'b, 'v>],
    what: impl Fn(OffsetDateTime) -> i64,
) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let zone = match args.get(1) {
        None => Some(UtcOffset::UTC),
        Some(zone) => zone
            .downcast_ref::<CelString<'_>>()
            .and_then(|text| offset(text.inner())),
    };
    let moment = args.first().and_then(|own| own.downcast_ref::<Moment>());
    moment
        .zip(zone)
        .and_then(|(moment, zone)| moment.0.checked_to_offset(zone))
        .map(|at| CowVal::owned(CelInt::from(what(at))))
        .ok_or_else(|| fault("no moment at a fixed offset"))
}

/// `timestamp('2027-01-01T00:00:00Z')`, `timestamp(1798761600)`.
pub fn timestamp<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let arg = args.first();
    let of_text = || Moment::parse(arg?.downcast_ref::<CelString<'_>>()?.inner());
    let of_seconds = || {
        let seconds = *arg?.downcast_ref::<CelInt>()?.inner();
        OffsetDateTime::from_unix_timestamp(seconds)
            .ok()
            .map(Moment)
    };
    of_text()
        .or_else(of_seconds)
        .map(CowVal::owned)
        .ok_or_else(|| fault("no moment"))
}

/// `duration('1h')`.
pub fn duration<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    args.first()
        .and_then(|arg| Span::parse(arg.downcast_ref::<CelString<'_>>()?.inner()))
        .map(CowVal::owned)
        .ok_or_else(|| fault("no duration"))
}

/// `int(now)`: seconds since 1970.
pub fn seconds<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    args.first()
        .and_then(|arg| arg.downcast_ref::<Moment>())
        .map(|moment| CowVal::owned(CelInt::from(moment.0.unix_timestamp())))
        .ok_or_else(|| fault("no moment"))
}

fn fault(what: &str) -> ExecutionError {
    ExecutionError::function_error("time", what)
}

fn found<'v, T: Val + 'v>(value: Option<T>) -> Result<CowVal<'static, 'v>, ExecutionError> {
    value
        .map(CowVal::owned)
        .ok_or_else(|| fault("out of range, or of another type"))
}

impl Adder for Moment {
    fn add<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let span = other.downcast_ref::<Span>();
        found(span.and_then(|span| self.0.checked_add(span.0)).map(Self))
    }
}

impl Subtractor for Moment {
    fn sub<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        if let Some(moment) = other.downcast_ref::<Self>() {
            return Ok(CowVal::owned(Span(self.0 - moment.0)));
        }
        let span = other.downcast_ref::<Span>();
        found(span.and_then(|span| self.0.checked_sub(span.0)).map(Self))
    }
}

impl Adder for Span {
    fn add<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        if let Some(moment) = other.downcast_ref::<Moment>() {
            return found(moment.0.checked_add(self.0).map(Moment));
        }
        let span = other.downcast_ref::<Self>();
        found(span.and_then(|span| self.0.checked_add(span.0)).map(Self))
    }
}

impl Subtractor for Span {
    fn sub<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let span = other.downcast_ref::<Self>();
        found(span.and_then(|span| self.0.checked_sub(span.0)).map(Self))
    }
}

macro_rules! value {
    ($own:ty, $type:ident) => {
        impl Val for $own {
            fn get_type(&self) -> &Type {
                &$type
            }

            fn cel_type() -> &'static Type {
                &$type
            }

            fn as_adder<'b, 'v>(&'b self) -> Option<&'b (dyn Adder + 'v)> {
                Some(self)
            }

            fn as_comparer(&self) -> Option<&dyn Comparer> {
                Some(self)
            }

            fn as_subtractor<'b, 'v>(&'b self) -> Option<&'b (dyn Subtractor + 'v)> {
                Some(self)
            }

            fn equals(&self, other: &dyn Val) -> bool {
                other.downcast_ref::<Self>() == Some(self)
            }

            fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
                Box::new(*self)
            }

            fn as_any(&self) -> Option<&dyn Any> {
                Some(self)
            }
        }

        impl StaticVal for $own {}

        impl Comparer for $own {
            fn compare(&self, other: &dyn Val) -> Result<Ordering, ExecutionError> {
                let other = other.downcast_ref::<Self>();
                other
                    .map(|other| self.cmp(other))
                    .ok_or_else(|| fault("of another type"))
            }
        }
    };
}

value!(Moment, TIMESTAMP);
value!(Span, DURATION);
