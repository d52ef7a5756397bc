//! A table of fixed size that all workers share: numbered cells in the shared data of the host.
//!
//! 1. A SHA-256 of a secret and of what identifies an entry selects its cell. The secret is random, and the workers share it
//!    in an additional cell. A client cannot compute the cell of an entry, and so cannot fill the cell of another entry.
//! 2. A worker reads a cell, changes it, and writes it if its version is still the same.

use std::cell::Cell;

use sha2::{Digest, Sha256};

use crate::ports::{LocalData, Shared, SharedData};
use crate::random::{SecretOctets, TRIES, random, shared_secret};

/// A table, as used by one worker.
pub(super) struct Cells {
    number: u16,
    secret: SecretOctets,
    /// The start of each cell's key in the shared data.
    prefix: String,
    shared: Option<Box<dyn SharedData>>,
    own: LocalData,
    /// Whether the worker has left the shared table.
    is_alone: Cell<bool>,
}

/// Where an entry belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// The number of the cell.
    pub cell: u16,
    /// The identity of the entry in the cell.
    pub id: [u8; 16],
}

/// The result of [`Cells::update`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Updated {
    /// The cell is written, or there was nothing to write.
    Done,
    /// Other workers were faster, each time.
    Overtaken,
    /// The host does not share data.
    Refused,
}

impl Cells {
    /// A table with this number of cells, which is not shared.
    pub fn new(number: u16) -> Self {
        Self {
            number,
            // Without randomness a client could compute cells.
            secret: random().unwrap_or_default(),
            prefix: String::new(),
            shared: None,
            own: LocalData::default(),
            is_alone: Cell::new(false),
        }
    }

    /// Shares the table with the other workers that use the same prefix. Returns whether the host shares data; if it does
    /// not, the table stays as it is.
    pub fn share(&mut self, data: Box<dyn SharedData>, prefix: String) -> bool {
        let key = format!("{prefix}.{}", self.number);
        let Some(secret) = shared_secret(data.as_ref(), &key, self.secret) else {
            return false;
        };
        (self.secret, self.prefix, self.shared) = (secret, prefix, Some(data));
        true
    }

    /// Where the entry that these parts identify belongs.
    pub fn place(&self, parts: &[&[u8]]) -> Place {
        let mut hash = Sha256::new_with_prefix(self.secret);
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let [id @ .., b14, b15] = *hash.finalize().first_chunk::<18>().unwrap_or(&[0; 18]);
        Place {
            cell: u16::from_be_bytes([b14, b15])
                .checked_rem(self.number)
                .unwrap_or(0),
            id,
        }
    }

    /// The value of a cell; none if it was never written.
    pub fn read(&self, cell: u16) -> Option<Vec<u8>> {
        self.data().get(&self.key(cell)).0
    }

    /// Writes what `change` makes of the value of a cell. If it makes nothing of it, nothing is written.
    ///
    /// If another worker was faster, the next try begins with the value that it has written.
    pub fn update(
        &self,
        cell: u16,
        change: &mut dyn FnMut(Option<Vec<u8>>) -> Option<Vec<u8>>,
    ) -> Updated {
        let (data, key) = (self.data(), self.key(cell));
        for _ in 0..TRIES {
            let (value, version) = data.get(&key);
            // A host can return an empty value as none.
            let value = (version != 0).then(|| value.unwrap_or_default());
            let Some(changed) = change(value) else {
                return Updated::Done;
            };
            match data.set(&key, &changed, version) {
                Shared::Done => return Updated::Done,
                Shared::TooLate => {}
                Shared::Refused => return Updated::Refused,
            }
        }
        Updated::Overtaken
    }

    /// Leaves the shared table: from now on the worker uses a table of its own.
    pub fn leave(&self) {
        self.is_alone.set(true);
    }

    /// The key of a cell.
    fn key(&self, cell: u16) -> String {
        format!("{}.{cell}", self.prefix)
    }

    fn data(&self) -> &dyn SharedData {
        match &self.shared {
            Some(data) if !self.is_alone.get() => data.as_ref(),
            Some(_) | None => &self.own,
        }
    }
}
