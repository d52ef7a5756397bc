use std::cell::Cell;

use super::*;
use crate::ports::tests::{NoCells, SharedCells};

#[test]
fn random_octets_differ() {
    let [one, two]: [[u8; 16]; 2] = [random().unwrap(), random().unwrap()];
    assert_ne!(one, two);
}

#[test]
fn workers_share_the_secret_of_the_first() {
    let cells = SharedCells::default();
    assert_eq!(shared_secret(&cells, "a", [1; 32]), Some([1; 32]));
    assert_eq!(shared_secret(&cells, "a", [2; 32]), Some([1; 32]));
    assert_eq!(shared_secret(&cells, "b", [2; 32]), Some([2; 32]));
}

#[test]
fn a_value_that_is_not_a_secret_is_replaced() {
    for value in [&b""[..], &[0; 31], &[0; 33]] {
        let cells = SharedCells::default();
        cells.set("a", value, 0);
        assert_eq!(shared_secret(&cells, "a", [1; 32]), Some([1; 32]));
        assert_eq!(shared_secret(&cells, "a", [2; 32]), Some([1; 32]));
    }
}

#[test]
fn without_shared_data_there_is_no_shared_secret() {
    assert_eq!(shared_secret(&NoCells, "a", [1; 32]), None);
}

/// Data in which another worker is faster this many times, and writes what is not a secret.
struct Overtaken {
    cells: SharedCells,
    times: Cell<u32>,
}

impl SharedData for Overtaken {
    fn get(&self, key: &str) -> (Option<Vec<u8>>, u32) {
        self.cells.get(key)
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> Shared {
        if let Some(times) = self.times.get().checked_sub(1) {
            self.times.set(times);
            self.cells.set(key, b"x", version);
        }
        self.cells.set(key, value, version)
    }
}

#[test]
fn a_worker_that_is_always_too_late_has_no_secret() {
    for (times, secret) in [(31, Some([1; 32])), (32, None)] {
        let overtaken = Overtaken {
            cells: SharedCells::default(),
            times: Cell::new(times),
        };
        assert_eq!(shared_secret(&overtaken, "a", [1; 32]), secret, "{times}");
    }
}
