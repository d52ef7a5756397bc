//! One cell of the table: a few callers, and what is known of each.
//!
//! As bytes: [`FORMAT`], then for each caller 16 bytes of hash, a moment in 8 bytes, little end first, in milliseconds
//! since 1970, a number, and for each failure but the last 4 bytes: so many milliseconds before that moment. The number
//! is that of the failures, the last of them at the moment; or 0 for a caller who is blocked until then.

use super::Limits;
use crate::time::Timestamp;

/// How many callers a cell has room for.
pub(super) const SLOTS: usize = 16;

/// What the bytes begin with.
const FORMAT: u8 = 1;

/// What is known of the callers of one cell, as far as it matters now.
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
    /// When the caller failed: at least once, in order.
    Failed(Vec<Timestamp>),
    /// Until when the caller is blocked.
    Blocked(Timestamp),
}

impl Bucket {
    /// Reads a cell: what has passed, or cannot be, is left out; what is no cell is an empty one.
    pub fn read(bytes: &[u8], limits: Limits, now: Timestamp) -> Self {
        let slots = slots(bytes).unwrap_or_default().into_iter();
        Self {
            slots: slots
                .filter_map(|slot| slot.believed(limits, now))
                .collect(),
        }
    }

    /// The cell as bytes.
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

    /// Until when a caller is blocked.
    pub fn blocked_until(&self, caller: [u8; 16]) -> Option<Timestamp> {
        let slot = self.slots.iter().find(|slot| slot.caller == caller)?;
        match slot.known {
            Known::Blocked(until) => Some(until),
            Known::Failed(_) => None,
        }
    }

    /// Counts a failure; whether that changed anything.
    ///
    /// A block does not grow by what fails while it lasts, and where there is no room nothing is counted.
    pub fn count(&mut self, caller: [u8; 16], limits: Limits, now: Timestamp) -> bool {
        let Some(slot) = self.slot_of(caller) else {
            return false;
        };
        let Known::Failed(failures) = &mut slot.known else {
            return false;
        };
        failures.push(now);
        failures.sort_unstable();
        if failures.len() >= usize::from(limits.failures) {
            slot.known = Known::Blocked(now.plus(limits.block));
        }
        true
    }

    /// The slot of a caller, made where there is none; none where every slot is another's who is blocked.
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
    /// What of it still counts; none where nothing does.
    ///
    /// Where the clock is set back, what lies ahead counts on, but for no more than a window or a block longer.
    fn believed(self, limits: Limits, now: Timestamp) -> Option<Self> {
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

/// The slots of a cell; none where it is not one.
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
            let failures = before.map(|before| moment.saturating_sub(before));
            let mut failures: Vec<_> = failures.map(Timestamp::from_millis).collect();
            failures.sort_unstable();
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
