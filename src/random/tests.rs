use std::cell::Cell;

use super::*;
use crate::ports::tests::{NoCells, Overtaken, SharedCells};

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

/// Data that accepts every write, and returns nothing.
struct Unreadable;

impl SharedData for Unreadable {
    fn get(&self, _: &str) -> (Option<Vec<u8>>, u32) {
        (None, 0)
    }

    fn set(&self, _: &str, _: &[u8], _: u32) -> Shared {
        Shared::Done
    }
}

#[test]
fn a_host_that_denies_reads_shares_no_secret() {
    assert_eq!(shared_secret(&Unreadable, "a", [1; 32]), None);
}

#[test]
fn a_worker_that_is_always_too_late_has_no_secret() {
    for (times, secret) in [(31, Some([1; 32])), (1_000, None)] {
        let cells = SharedCells::default();
        let faster = cells.clone();
        let overtaken = Overtaken {
            cells,
            times: Cell::new(times),
            other: Box::new(move |key| {
                faster.set(key, b"not a secret", faster.get(key).1);
            }),
        };
        assert_eq!(shared_secret(&overtaken, "a", [1; 32]), secret, "{times}");
    }
}
