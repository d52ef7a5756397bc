//! Records what may be used once: the proofs of DPoP (RFC 9449 §11.1), and the nonce counts of Digest (RFC 7616 §3.4). All
//! workers share the record.
//!
//! 1. The record has a fixed size: [`BUCKETS`] [cells](super::cells) with [`bucket::SLOTS`] uses each, 1.5 million in all.
//!    A use takes 12 bytes, so that the record takes 20 MB at most. Because the uses are spread by a hash, the first cell is
//!    full at about one million uses. A gateway that accepts 5,000 proofs per second and holds each for 130 seconds has
//!    650,000, which take 8 MB. To record one of them reads and writes 500 bytes and takes 1 µs, and in a full cell 1.4 µs
//!    (native code).
//! 2. A use expires when what was used is no longer valid. Each write to a cell removes the expired uses.
//! 3. A use that cannot be recorded is not accepted: if the cell is full, if other workers were faster 32 times in a row, or
//!    if the host does not share data. No use ever replaces another.
//! 4. A cell knows until when the uses that it has removed were valid. If the clock is set back by up to
//!    [`Replays::LONGEST`], no use that would be valid again is accepted. If it is set back further, what was recorded in the
//!    meantime does not count.
//! 5. A cell in an unknown format counts as one that has removed uses until now. Until they have expired, for
//!    [`Replays::LONGEST`], it accepts nothing.

mod bucket;

use std::time::Duration;

use self::bucket::Bucket;
use super::cells::{Cells, Place, Updated};
use crate::ports::{SharedData, shared_key};
use crate::time::Timestamp;

/// The number of cells with uses.
const BUCKETS: u16 = 16_384;

/// The identity of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UseId(Place);

/// The result of [`Replays::record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is the first use.
    First,
    /// It was used before.
    Again,
    /// It cannot be recorded, so that it is not known whether it is the first use.
    Full,
    /// The host does not share data, so that other workers would not know of the use.
    NotShared,
}

/// The record of uses, as used by one worker.
pub struct Replays {
    cells: Cells,
    is_shared: bool,
}

impl Replays {
    /// The longest time for which a use can be recorded.
    pub const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);

    /// An empty record, which is not shared.
    pub fn new() -> Self {
        Self {
            cells: Cells::new(BUCKETS),
            is_shared: true,
        }
    }

    /// Shares the record with the other workers of the filter that `names` identify.
    ///
    /// If the host does not share data, nothing can be recorded from now on.
    pub fn share(&mut self, data: Box<dyn SharedData>, names: &[&[u8]]) {
        self.is_shared = self.cells.share(data, shared_key("replays", &names));
    }

    /// The identity of the use that these parts identify together.
    pub fn id(&self, parts: &[&[u8]]) -> UseId {
        UseId(self.cells.place(parts))
    }

    /// Records a use, which is forgotten after `until`, but not within the same second.
    ///
    /// A use whose `until` is more than [`Replays::LONGEST`] ahead cannot be recorded.
    pub fn record(&self, id: UseId, until: Timestamp, now: Timestamp) -> Recorded {
        let last = until.plus(Duration::from_millis(999));
        let (Some(seconds), Some(last)) = (bucket::seconds(now), bucket::seconds(last)) else {
            return Recorded::Full;
        };
        if until > now.plus(Self::LONGEST) {
            return Recorded::Full;
        }
        if !self.is_shared {
            return Recorded::NotShared;
        }
        let last = last.max(seconds.saturating_add(1));
        let Place { cell, id } = id.0;
        let mut recorded = Recorded::Full;
        let updated = self.cells.update(cell, &mut |value| {
            let stored = value.map(|bytes| Bucket::read(&bytes, seconds));
            let is_known = !matches!(stored, Some(None));
            let mut bucket = match stored {
                Some(Some(bucket)) => bucket,
                Some(None) => Bucket::unknown(seconds),
                None => Bucket::default(),
            };
            recorded = bucket.record(u128::from_be_bytes(id) as u64, last);
            (recorded == Recorded::First || !is_known).then(|| bucket.to_bytes())
        });
        match updated {
            Updated::Done => recorded,
            Updated::Overtaken => Recorded::Full,
            Updated::Refused => Recorded::NotShared,
        }
    }
}

impl Default for Replays {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
