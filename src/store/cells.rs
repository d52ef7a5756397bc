//! Values that the workers of a host share, each under a number.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// A fixed number of values, which others may read and write at the same time.
///
/// Whoever writes says which version it has read, so that of two who would, one is told to look again. Nobody vouches for
/// what is read: whatever else can write there may have.
pub trait Cells {
    /// The value of that number, and its version; version 0 where there is none yet.
    fn get(&self, number: u16) -> (Option<Vec<u8>>, u32);

    /// Sets the value of that number, if its version is still that one.
    fn put(&self, number: u16, value: &[u8], version: u32) -> Put;
}

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is there.
    Done,
    /// Another was faster.
    TooLate,
    /// Nothing can be put there.
    Refused,
}

/// Cells that nobody else can see.
#[derive(Debug, Default)]
pub struct OwnCells(RefCell<BTreeMap<u16, (Vec<u8>, u32)>>);

impl Cells for OwnCells {
    fn get(&self, number: u16) -> (Option<Vec<u8>>, u32) {
        match self.0.borrow().get(&number) {
            Some((value, version)) => (Some(value.clone()), *version),
            None => (None, 0),
        }
    }

    fn put(&self, number: u16, value: &[u8], version: u32) -> Put {
        let mut cells = self.0.borrow_mut();
        let (held, current) = cells.entry(number).or_default();
        if *current != version {
            return Put::TooLate;
        }
        *held = value.to_vec();
        // 0 stands for none.
        *current = version.checked_add(1).unwrap_or(1);
        Put::Done
    }
}
