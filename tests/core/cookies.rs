//! What upstreams read in the cookies that are forwarded.

use std::collections::BTreeMap;

use crate::fuzz::cookies::{Setup, check};
use crate::fuzz::random::Random;

#[test]
fn no_upstream_finds_another_token_than_the_one_that_was_verified() {
    let setup = Setup::new();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..4_000 {
        match check(&setup, &mut Random::new(seed)) {
            Ok(kind) => *counts.entry(kind).or_default() += 1,
            Err(difference) => panic!("seed {seed}: {difference}"),
        }
    }
    assert!(
        counts.len() == 4 && counts.values().all(|count| *count > 100),
        "{counts:?}"
    );
}
