//! Finds entries of a list by what identifies them, without a timing that tells anything about the list.

use std::hash::{BuildHasher, RandomState};

/// Where each entry of a list is: a table with linear probing.
///
/// A keyed hash selects where a search begins. Its secret is random and never leaves the worker.
pub(in crate::authenticate) struct Index {
    /// The position of an entry plus one, or 0. At least half of the places are 0. The length is a power of two.
    places: Vec<u32>,
    secret: RandomState,
}

/// An entry that has the same key as an earlier one, by their positions.
pub(in crate::authenticate) struct Repeated {
    pub later: usize,
    pub first: usize,
}

impl Index {
    /// The index of so many entries. `key` is what identifies the entry at a position. Of entries with the same key, the
    /// first is found, and the others are returned in their order.
    pub fn new<'e>(entries: usize, key: &dyn Fn(usize) -> &'e [u8]) -> (Self, Vec<Repeated>) {
        let mut index = Self {
            places: vec![0; (2 * entries).next_power_of_two()],
            secret: RandomState::new(),
        };
        let mut repeated = Vec::new();
        for later in 0..entries {
            let own = key(later);
            match index.search(own, &|position| key(position) == own) {
                Ok(first) => repeated.push(Repeated { later, first }),
                Err(place) => {
                    let place = index.places.get_mut(place);
                    if let (Some(place), Ok(number)) = (place, u32::try_from(later + 1)) {
                        *place = number;
                    }
                }
            }
        }
        (index, repeated)
    }

    /// The position of the entry with this key. `is_same` says whether the entry at a position has it.
    pub fn find(&self, key: &[u8], is_same: &dyn Fn(usize) -> bool) -> Option<usize> {
        self.search(key, is_same).ok()
    }

    /// The position of an entry, or the place where it would be.
    fn search(&self, key: &[u8], is_same: &dyn Fn(usize) -> bool) -> Result<usize, usize> {
        let mask = self.places.len().wrapping_sub(1);
        let mut place = self.secret.hash_one(key) as usize & mask;
        while let Some(position) = self.places.get(place).and_then(|n| n.checked_sub(1)) {
            if is_same(position as usize) {
                return Ok(position as usize);
            }
            place = (place + 1) & mask;
        }
        Err(place)
    }
}
