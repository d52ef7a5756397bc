//! The time of one evaluation. A host is asked for it only if something depends on it, because the question costs a call.

use std::cell::Cell;

use super::Timestamp;

/// A clock that is read once: everything that depends on the time sees the same time.
#[derive(Debug)]
pub struct Clock {
    read: fn() -> Option<Timestamp>,
    /// What was read; none if nothing was read yet.
    time: Cell<Option<Option<Timestamp>>>,
}

/// The time of an evaluation.
#[derive(Debug, Clone, Copy)]
pub enum Now<'c> {
    /// This time.
    At(Timestamp),
    /// The time of this clock.
    Of(&'c Clock),
}

impl Clock {
    /// What the time is if the clock cannot be read. The caller must not rely on it: see [`Now::is_unknown`].
    const UNKNOWN: Timestamp = Timestamp::from_millis(0);

    /// A clock that was not read yet. `read` returns `None` if the host does not tell the time.
    pub const fn new(read: fn() -> Option<Timestamp>) -> Self {
        Self {
            read,
            time: Cell::new(None),
        }
    }

    fn time(&self) -> Timestamp {
        let time = self.time.get().unwrap_or_else(|| self.read_now());
        time.unwrap_or(Self::UNKNOWN)
    }

    fn read_now(&self) -> Option<Timestamp> {
        let time = (self.read)();
        self.time.set(Some(time));
        time
    }
}

impl Now<'_> {
    /// The time.
    // Not in each place that needs it, which would make the module larger.
    #[inline(never)]
    pub fn get(self) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Of(clock) => clock.time(),
        }
    }

    /// Whether the time was asked for and is not known. What depends on it is not valid.
    pub fn is_unknown(self) -> bool {
        match self {
            Self::At(_) => false,
            Self::Of(clock) => clock.time.get() == Some(None),
        }
    }
}

impl From<Timestamp> for Now<'_> {
    fn from(time: Timestamp) -> Self {
        Self::At(time)
    }
}

impl<'c> From<&'c Clock> for Now<'c> {
    fn from(clock: &'c Clock) -> Self {
        Self::Of(clock)
    }
}
