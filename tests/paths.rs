//! Paths against the servers that read them, and the index of rules against one rule after the other: what `fuzz/` does
//! for minutes, for a moment.

#[path = "../fuzz/src/paths.rs"]
mod paths;
#[path = "../fuzz/src/random.rs"]
mod random;
#[path = "../fuzz/src/rules.rs"]
mod rules;
#[path = "../fuzz/src/upstreams.rs"]
mod upstreams;

use paths::Outcome;
use random::Random;

/// Paths that were once let through.
const FOUND: &str = include_str!("upstreams/finds.txt");

#[test]
fn what_was_found_stays_found() {
    let policy = paths::policy();
    for path in FOUND.lines().filter(|line| line.starts_with('/')) {
        assert!(
            matches!(paths::check(&policy, path), Ok(Outcome::Refused)),
            "{path}"
        );
    }
}

/// no server reads as another rule's what is let through under one.
#[test]
fn no_server_reads_a_path_as_what_another_rule_is_for() {
    let policy = paths::policy();
    let (mut refused, mut plain, mut others) = (0, 0, 0);
    for seed in 0..12_000 {
        let path = paths::random_path(&mut Random::new(seed));
        match paths::check(&policy, &path) {
            Ok(Outcome::Refused) => refused += 1,
            Ok(Outcome::Passed { is_plain: true }) => plain += 1,
            Ok(Outcome::Passed { is_plain: false }) => others += 1,
            Err(difference) => panic!("seed {seed}: {difference}"),
        }
    }
    eprintln!("{refused} paths refused, {plain} plain, {others} let through though they are not");
    assert!(refused > 500 && plain > 500 && others > 500);
}

#[test]
fn the_index_finds_what_a_search_finds() {
    let mut fitted = 0;
    for seed in 0..10_000 {
        let mut random = Random::new(seed);
        let policy = rules::random_policy(&mut random);
        for _ in 0..4 {
            match rules::check(&policy, &mut random) {
                Ok(fits) => fitted += usize::from(fits),
                Err(difference) => panic!("seed {seed}: {difference}"),
            }
        }
        if let Err(difference) = rules::check_covering(&policy, &mut random) {
            panic!("seed {seed}: {difference}");
        }
    }
    assert!(fitted > 5_000, "{fitted}");
}
