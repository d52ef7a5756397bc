//! One cell of the record: its uses, and until when each is valid.
//!
//! The cell is stored as the byte [`FORMAT`], 4 bytes with the time until which removed uses were valid, and for each use:
//! 1. 8 bytes: the use's id. If two uses in a cell have the same id, which 64 bits of a keyed hash make improbable, the second
//!    is refused, and neither is accepted twice;
//! 2. 4 bytes: the time until which it is valid.
//!
//! All numbers are little-endian. A time is in whole seconds since 1970, rounded up.

use super::{Recorded, Replays};
use crate::time::Timestamp;

/// The most uses of a cell.
pub(super) const SLOTS: usize = 96;

/// The first byte of a stored cell.
const FORMAT: u8 = 1;

/// The longest time for which a use is recorded, in seconds.
const LONGEST: u32 = Replays::LONGEST.as_secs() as u32;

/// The uses of one cell, without expired uses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    /// Until when the uses that were removed were valid.
    removed: u32,
    uses: Vec<Use>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Use {
    id: u64,
    until: u32,
}

impl Bucket {
    /// Reads a stored cell, and removes its expired uses. None if the format is unknown.
    pub fn read(bytes: &[u8], now: u32) -> Option<Self> {
        let (format, rest) = bytes.split_first()?;
        let (removed, rest) = rest.split_first_chunk::<4>()?;
        let (uses, rest) = rest.as_chunks::<12>();
        if *format != FORMAT || !rest.is_empty() || uses.len() > SLOTS {
            return None;
        }
        // A later time was written before the clock was set back. It can be twice the longest time ahead, so that a clock
        // that was set back by the longest time makes nothing valid again.
        let latest = now.saturating_add(2 * LONGEST);
        let removed = u32::from_le_bytes(*removed);
        let mut bucket = Self {
            removed: if removed <= latest { removed } else { 0 },
            // One more is added to most cells that are read.
            uses: Vec::with_capacity(uses.len() + 1),
        };
        for stored in uses {
            let stored = Use::read(*stored);
            if stored.until <= now {
                bucket.removed = bucket.removed.max(stored.until);
            } else if stored.until <= latest {
                bucket.uses.push(stored);
            }
        }
        Some(bucket)
    }

    /// A cell of which it is not known what was recorded in it.
    pub fn unknown(now: u32) -> Self {
        Self {
            removed: now.saturating_add(LONGEST),
            uses: Vec::new(),
        }
    }

    /// Records a use, if it is the first and there is room.
    pub fn record(&mut self, id: u64, until: u32) -> Recorded {
        if self.uses.iter().any(|used| used.id == id) {
            return Recorded::Again;
        }
        // The use may be among those that were removed.
        if until <= self.removed || self.uses.len() >= SLOTS {
            return Recorded::Full;
        }
        self.uses.push(Use { id, until });
        Recorded::First
    }

    /// The cell in its stored format.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(5 + 12 * self.uses.len());
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.removed.to_le_bytes());
        for Use { id, until } in &self.uses {
            bytes.extend_from_slice(&id.to_le_bytes());
            bytes.extend_from_slice(&until.to_le_bytes());
        }
        bytes
    }
}

impl Use {
    fn read(stored: [u8; 12]) -> Self {
        let [id @ .., a, b, c, d] = stored;
        Self {
            id: u64::from_le_bytes(id),
            until: u32::from_le_bytes([a, b, c, d]),
        }
    }
}

/// A time in whole seconds since 1970, rounded down; none before 1970 and after 2106.
pub(super) fn seconds(time: Timestamp) -> Option<u32> {
    u32::try_from(time.millis().div_euclid(1000)).ok()
}
