use proptest::prelude::*;

use super::*;

/// The default share, which is 5 % of the time.
const SHARE: Duration = Duration::from_millis(50);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis)
}

/// Computes hashes of `took` milliseconds as early as possible, from `from` to `to`. Returns when each began.
fn as_many_as_possible(budget: &mut HashBudget, took: i64, from: i64, to: i64) -> Vec<i64> {
    let mut began = Vec::new();
    let mut now = from;
    while now < to {
        if budget.allows(at(now)) {
            budget.spent(at(now), at(now + took));
            began.push(now);
            now += took;
        } else {
            now += 1;
        }
    }
    began
}

#[test]
fn a_second_is_saved_for_a_burst_and_then_the_share_is_left() {
    let mut budget = HashBudget::new(SHARE);
    let burst = as_many_as_possible(&mut budget, 60, 0, 2_000);
    // While they are computed, 5 % of the time is added.
    assert_eq!(burst.len(), 19);
    let later = as_many_as_possible(&mut budget, 60, 2_000, 62_000);
    assert!((50..=53).contains(&later.len()), "{}", later.len());
    // After twenty seconds without a hash, as much is saved again.
    let again = as_many_as_possible(&mut budget, 60, 90_000, 92_000);
    assert_eq!(again.len(), 19);
}

#[test]
fn after_a_hash_the_worker_is_free_for_a_moment() {
    let mut budget = HashBudget::new(SHARE);
    assert!(budget.allows(at(0)));
    budget.spent(at(0), at(60));
    for millis in [60, 61, 64] {
        assert!(!budget.allows(at(millis)), "{millis}");
    }
    assert!(budget.allows(at(65)));
}

#[test]
fn a_hash_that_the_clock_does_not_show_counts_with_a_millisecond() {
    let mut budget = HashBudget::new(Duration::from_millis(1));
    let mut allowed = 0;
    for millis in 0..200 {
        if budget.allows(at(millis)) {
            budget.spent(at(millis), at(millis));
            allowed += 1;
        }
    }
    // 20 ms are saved, and no hash begins within the pause after another.
    assert!((20..=21).contains(&allowed), "{allowed}");
}

#[test]
fn a_clock_that_is_set_blocks_no_user_for_long() {
    let hour = 3_600_000;
    // Set forward during a hash: it counts with ten seconds at most.
    let mut budget = HashBudget::new(SHARE);
    budget.spent(at(0), at(hour));
    assert!(!budget.allows(at(hour + 9_999)));
    assert!(budget.allows(at(hour + 181_000)));
    // Set back after a hash: the next begins the count anew.
    let mut budget = HashBudget::new(SHARE);
    as_many_as_possible(&mut budget, 60, hour, hour + 3_000);
    assert!(budget.allows(at(0)));
    budget.spent(at(0), at(60));
    assert!(!budget.allows(at(61)));
    assert!(budget.allows(at(4_000)));
    // Set back during a hash.
    let mut budget = HashBudget::new(SHARE);
    budget.spent(at(hour), at(0));
    assert!(budget.allows(at(PAUSE)));
}

#[test]
fn without_a_share_no_hash_begins() {
    assert!(!HashBudget::new(Duration::ZERO).allows(at(0)));
}

proptest! {
    /// Over any time, the hashes take at most what was saved, the share, and one hash.
    #[test]
    fn the_time_for_hashes_is_bounded(
        share in 1_u64..=900,
        hashes in prop::collection::vec((0_i64..2_000, 1_i64..1_200), 1..200),
    ) {
        let mut budget = HashBudget::new(Duration::from_millis(share));
        let mut spent: Vec<(i64, i64)> = Vec::new();
        let mut now = 0;
        for (pause, took) in hashes {
            now += pause;
            if budget.allows(at(now)) {
                if let Some((began, took)) = spent.last() {
                    prop_assert!(now >= began + took + PAUSE);
                }
                budget.spent(at(now), at(now + took));
                spent.push((now, took));
                now += took;
            }
        }
        let share = i64::try_from(share).unwrap();
        for (first, (from, _)) in spent.iter().enumerate() {
            let mut sum = 0;
            for (began, took) in spent.get(first..).unwrap_or_default() {
                sum += took;
                let window = began + took - from;
                prop_assert!(sum <= share * SAVED_FOR + share * window / 1000 + took + 1);
            }
        }
    }

    /// Whatever the clock says, nothing overflows, and a hash is allowed again at some time.
    #[test]
    fn every_clock_is_survived(times in prop::collection::vec((any::<i64>(), any::<i64>()), 0..20)) {
        let mut budget = HashBudget::new(SHARE);
        for (began, ended) in times {
            let _ = budget.allows(Timestamp::from_millis(began));
            budget.spent(Timestamp::from_millis(began), Timestamp::from_millis(ended));
        }
        let ended = budget.last.map_or(0, Timestamp::millis);
        let later = Timestamp::from_millis(ended.saturating_add(100_000_000));
        prop_assert!(budget.allows(later) || later.millis() == i64::MAX);
    }
}
