//! The time of one evaluation. A host is asked for it only if something depends on it, because the question costs a call.

use std::cell::OnceCell;

use super::Timestamp;

/// A clock that is read once: everything that depends on the time sees the same time.
#[derive(Debug)]
pub struct Clock {
    read: fn() -> Option<Timestamp>,
    time: OnceCell<Option<Timestamp>>,
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
            time: OnceCell::new(),
        }
    }

    fn time(&self) -> Timestamp {
        let time = self.time.get_or_init(self.read);
        time.unwrap_or(Self::UNKNOWN)
    }
}

impl Now<'_> {
    /// The time.
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
            Self::Of(clock) => clock.time.get().is_some_and(Option::is_none),
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
