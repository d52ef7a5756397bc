//! One cell of the table: its callers, with the failures or the block of each.
//!
//! The cell is stored as the byte [`FORMAT`] and, for each caller:
//! 1. 16 bytes: the caller's id;
//! 2. 8 bytes, little-endian: a time, in milliseconds since 1970;
//! 3. 1 byte: the number of failures, or 0 for a blocked caller;
//! 4. for each failure except the last, 4 bytes, little-endian: the milliseconds between this failure and the time.
//!
//! The time is the time of the last failure, or the end of the block.

use super::Limits;
use crate::time::Timestamp;

/// The most callers of a cell.
pub(super) const SLOTS: usize = 16;

/// The first byte of a stored cell.
const FORMAT: u8 = 1;

/// The callers of one cell, without expired failures and blocks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    slots: Vec<Slot>,
}

#[derive(Debug, PartialEq, Eq)]
struct Slot {
    caller: [u8; 16],
    known: Known,
}

#[derive(Debug, PartialEq, Eq)]
enum Known {
    /// The times of the failures, in order; at least one.
    Failed(Vec<Timestamp>),
    /// The end of the block.
    Blocked(Timestamp),
}

impl Bucket {
    /// Reads a stored cell, without expired and impossible times. A cell in an unknown format is read as an empty cell.
    pub fn read(bytes: &[u8], limits: Limits, now: Timestamp) -> Self {
        let slots = slots(bytes).unwrap_or_default().into_iter();
        Self {
            slots: slots.filter_map(|slot| slot.current(limits, now)).collect(),
        }
    }

    /// The cell in its stored format.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        for Slot { caller, known } in &self.slots {
            let (moment, failures) = match known {
                Known::Blocked(until) => (*until, &[][..]),
                Known::Failed(failures) => match failures.split_last() {
                    Some((last, _)) => (*last, failures.as_slice()),
                    None => continue,
                },
            };
            bytes.extend_from_slice(caller);
            bytes.extend_from_slice(&moment.millis().to_le_bytes());
            bytes.push(u8::try_from(failures.len()).unwrap_or(u8::MAX));
            let earlier = failures
                .split_last()
                .map_or(&[][..], |(_, earlier)| earlier);
            for failure in earlier {
                let before = moment.millis().saturating_sub(failure.millis());
                let before = u32::try_from(before).unwrap_or(u32::MAX);
                bytes.extend_from_slice(&before.to_le_bytes());
            }
        }
        bytes
    }

    /// The end of the block of a caller; none if it is not blocked.
    pub fn blocked_until(&self, caller: [u8; 16]) -> Option<Timestamp> {
        let slot = self.slots.iter().find(|slot| slot.caller == caller)?;
        match slot.known {
            Known::Blocked(until) => Some(until),
            Known::Failed(_) => None,
        }
    }

    /// Counts a failure. Returns whether the cell has changed.
    ///
    /// A failure during a block does not extend it. A failure in a cell without room is not counted.
    pub fn count(&mut self, caller: [u8; 16], limits: Limits, now: Timestamp) -> bool {
        let Some(slot) = self.slot_of(caller) else {
            return false;
        };
        let Known::Failed(failures) = &mut slot.known else {
            return false;
        };
        insert_failure(failures, now);
        if failures.len() >= usize::from(limits.failures) {
            slot.known = Known::Blocked(now.plus(limits.block));
        }
        true
    }

    /// The slot of a caller, which is added if necessary; none if all slots belong to other callers that are blocked.
    fn slot_of(&mut self, caller: [u8; 16]) -> Option<&mut Slot> {
        let known = self.slots.iter().position(|slot| slot.caller == caller);
        if known.is_none() {
            if self.slots.len() >= SLOTS {
                let counted = self.slots.iter().enumerate();
                let counted = counted.filter_map(|(place, slot)| match &slot.known {
                    Known::Failed(failures) => Some((failures.len(), failures.last(), place)),
                    Known::Blocked(_) => None,
                });
                let (_, _, place) = counted.min()?;
                self.slots.swap_remove(place);
            }
            self.slots.push(Slot {
                caller,
                known: Known::Failed(Vec::new()),
            });
        }
        match known {
            Some(place) => self.slots.get_mut(place),
            None => self.slots.last_mut(),
        }
    }
}

impl Slot {
    /// The slot without expired and impossible times; none if nothing is left.
    ///
    /// If the clock was set back, a time can be in the future. It is used if it is at most one window, or two blocks, ahead.
    fn current(self, limits: Limits, now: Timestamp) -> Option<Self> {
        let known = match self.known {
            Known::Blocked(until) => {
                let can_be = until <= now.plus(limits.block).plus(limits.block);
                (now < until && can_be).then_some(Known::Blocked(until))
            }
            Known::Failed(mut failures) => {
                failures.retain(|failure| {
                    now < failure.plus(limits.window) && *failure <= now.plus(limits.window)
                });
                (!failures.is_empty()).then_some(Known::Failed(failures))
            }
        };
        Some(Self {
            known: known?,
            ..self
        })
    }
}

/// Adds a failure to those of a caller, which are in order and at most 255.
fn insert_failure(failures: &mut Vec<Timestamp>, failure: Timestamp) {
    // Nearly always, the last failure is the latest. A sort of the standard library adds 5 kB to the module.
    failures.insert(failures.partition_point(|known| *known <= failure), failure);
}

/// The slots of a stored cell; none if its format is unknown.
fn slots(bytes: &[u8]) -> Option<Vec<Slot>> {
    let (format, mut rest) = bytes.split_first()?;
    let mut slots = Vec::new();
    while !rest.is_empty() {
        let (caller, after) = rest.split_first_chunk::<16>()?;
        let (moment, after) = after.split_first_chunk::<8>()?;
        let (number, after) = after.split_first()?;
        let moment = i64::from_le_bytes(*moment);
        let earlier = usize::from(*number).saturating_sub(1);
        let (earlier, after) = after.split_at_checked(earlier.checked_mul(4)?)?;
        let known = if *number == 0 {
            Known::Blocked(Timestamp::from_millis(moment))
        } else {
            let (earlier, _) = earlier.as_chunks::<4>();
            let earlier = earlier.iter().map(|before| u32::from_le_bytes(*before));
            let before = earlier.chain([0]).map(i64::from);
            let mut failures = Vec::with_capacity(usize::from(*number));
            for before in before {
                let failure = Timestamp::from_millis(moment.saturating_sub(before));
                insert_failure(&mut failures, failure);
            }
            Known::Failed(failures)
        };
        slots.push(Slot {
            caller: *caller,
            known,
        });
        rest = after;
    }
    (*format == FORMAT && slots.len() <= SLOTS).then_some(slots)
}
