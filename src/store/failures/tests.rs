use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;

use super::super::cells::Updated;
use super::bucket::{Bucket, SLOTS};
use super::{BUCKETS, Caller, CallerId, Failures, Limits, prefix};
use crate::ports::tests::{NoCells, Overtaken, SharedCells};
use crate::time::Timestamp;

const LIMITS: Limits = Limits {
    failures: 3,
    window: Duration::from_secs(60),
    block: Duration::from_secs(300),
};

/// The time that is this many milliseconds after a fixed time.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000).plus_millis(millis)
}

trait PlusMillis {
    fn plus_millis(self, millis: i64) -> Self;
}

impl PlusMillis for Timestamp {
    fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.millis().saturating_add(millis))
    }
}

fn sharing(limits: Limits, cells: &SharedCells) -> Failures {
    let mut failures = Failures::new(limits);
    failures.share(Box::new(cells.clone()), &[]);
    failures
}

fn address(text: &str) -> Caller<'static> {
    Caller::Address(text.parse().unwrap())
}

fn user(name: &str) -> Caller<'_> {
    let provider = "corp";
    Caller::User { provider, name }
}

#[test]
fn failures_within_the_window_block_the_caller() {
    let failures = Failures::new(LIMITS);
    let amy = failures.id(user("amy"));
    for millis in [0, 10_000] {
        failures.count(amy, at(millis));
        assert_eq!(failures.blocked_for(amy, at(millis)), None);
    }
    failures.count(amy, at(59_999));
    assert_eq!(failures.blocked_for(amy, at(59_999)), Some(300));
    assert_eq!(failures.blocked_for(failures.id(user("ben")), at(0)), None);
}

/// Failures are not counted in adjacent windows, which would allow nearly twice as many.
#[test]
fn the_window_ends_at_the_time_of_the_request() {
    let failures = Failures::new(LIMITS);
    let amy = failures.id(user("amy"));
    for millis in [0, 50_000, 60_000, 110_000] {
        failures.count(amy, at(millis));
        assert_eq!(failures.blocked_for(amy, at(millis)), None, "{millis}");
    }
    // Counted together with those at 60 and 110 seconds.
    failures.count(amy, at(119_999));
    assert!(failures.blocked_for(amy, at(119_999)).is_some());
}

#[test]
fn a_block_is_not_extended_and_failures_are_counted_anew_after_it() {
    let failures = Failures::new(LIMITS);
    let amy = failures.id(user("amy"));
    for _ in 0..3 {
        failures.count(amy, at(0));
    }
    // A failure during the block, of a request that was already in progress.
    failures.count(amy, at(200_000));
    for (millis, left) in [
        (0, Some(300)),
        (1, Some(300)),
        (1_000, Some(299)),
        (299_000, Some(1)),
        (299_999, Some(1)),
        (300_000, None),
    ] {
        assert_eq!(failures.blocked_for(amy, at(millis)), left, "{millis}");
    }
    failures.count(amy, at(300_000));
    failures.count(amy, at(300_000));
    assert_eq!(failures.blocked_for(amy, at(300_000)), None);
    failures.count(amy, at(300_000));
    assert_eq!(failures.blocked_for(amy, at(300_000)), Some(300));
}

#[test]
fn one_failure_can_block() {
    let limits = Limits {
        failures: 1,
        ..LIMITS
    };
    let failures = Failures::new(limits);
    let amy = failures.id(user("amy"));
    failures.count(amy, at(0));
    assert_eq!(failures.blocked_for(amy, at(0)), Some(300));
}

#[test]
fn the_callers_that_are_counted_together() {
    let failures = Failures::new(LIMITS);
    let same = |one: Caller<'_>, other: Caller<'_>| failures.id(one) == failures.id(other);
    for (one, other) in [
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
    ] {
        assert!(same(address(one), address(other)), "{one}, {other}");
    }
    for (one, other) in [
        ("192.0.2.1", "192.0.2.2"),
        ("192.0.2.1", "::192.0.2.1"),
        ("2001:db8:1:2::1", "2001:db8:1:3::1"),
    ] {
        assert!(!same(address(one), address(other)), "{one}, {other}");
    }
    let of = |provider, name| Caller::User { provider, name };
    assert!(same(of("corp", "amy"), of("corp", "amy")));
    assert!(!same(of("corp", "amy"), of("partner", "amy")));
    assert!(!same(of("corp", "amy"), of("corpa", "my")));
}

/// If the clock is set back or ahead, the response names at most one block, and the caller is blocked for at most two.
#[test]
fn no_caller_is_blocked_for_long_if_the_clock_jumps() {
    for jump in [
        i64::MIN / 2,
        -86_400_000,
        -30_000,
        30_000,
        86_400_000,
        i64::MAX / 2,
    ] {
        let failures = Failures::new(LIMITS);
        let amy = failures.id(user("amy"));
        for _ in 0..3 {
            failures.count(amy, at(0));
        }
        let then = at(jump);
        assert!(failures.blocked_for(amy, then).unwrap_or(0) <= 300);
        // A caller that fails then is blocked again.
        for _ in 0..3 {
            failures.count(amy, then);
        }
        let left = failures.blocked_for(amy, then);
        assert!(left.is_some_and(|left| left <= 300), "{jump}: {left:?}");
    }
    for (back, blocked) in [(-299_999, true), (-300_000, true), (-300_001, false)] {
        let failures = Failures::new(LIMITS);
        let amy = failures.id(user("amy"));
        for _ in 0..3 {
            failures.count(amy, at(0));
        }
        let left = failures.blocked_for(amy, at(back));
        assert_eq!(left, blocked.then_some(300), "{back}");
    }
    let failures = Failures::new(LIMITS);
    let amy = failures.id(user("amy"));
    for moment in [i64::MIN, i64::MAX, 0, i64::MAX, i64::MIN] {
        failures.count(amy, Timestamp::from_millis(moment));
        failures.blocked_for(amy, Timestamp::from_millis(moment));
    }
}

#[test]
fn workers_count_together() {
    let cells = SharedCells::default();
    let (one, two) = (sharing(LIMITS, &cells), sharing(LIMITS, &cells));
    let amy = user("amy");
    one.count(one.id(amy), at(0));
    two.count(two.id(amy), at(0));
    one.count(one.id(amy), at(0));
    assert_eq!(two.blocked_for(two.id(amy), at(0)), Some(300));
}

#[test]
fn without_shared_data_a_worker_counts_alone() {
    let mut failures = Failures::new(LIMITS);
    failures.share(Box::new(NoCells), &[]);
    let amy = failures.id(user("amy"));
    for _ in 0..3 {
        failures.count(amy, at(0));
    }
    assert_eq!(failures.blocked_for(amy, at(0)), Some(300));
}

/// Every failure of every worker is counted, whichever worker is faster.
#[test]
fn no_failure_is_lost_between_workers() {
    const WORKERS: usize = 4;
    // So few workers that no worker fails as often as it tries.
    const EACH: usize = 10;
    let limits = Limits {
        failures: (WORKERS * EACH + 1) as u8,
        ..LIMITS
    };
    let cells = SharedCells::default();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            let cells = cells.clone();
            scope.spawn(move || {
                let failures = sharing(limits, &cells);
                let amy = failures.id(user("amy"));
                for _ in 0..EACH {
                    failures.count(amy, at(0));
                }
            });
        }
    });
    let failures = sharing(limits, &cells);
    let amy = failures.id(user("amy"));
    assert_eq!(failures.blocked_for(amy, at(0)), None);
    failures.count(amy, at(0));
    assert_eq!(failures.blocked_for(amy, at(0)), Some(300));
}

#[test]
fn a_worker_that_is_too_late_tries_32_times() {
    for (times, counted) in [(1, true), (31, true), (1_000, false)] {
        let cells = SharedCells::default();
        let limits = Limits {
            failures: 100,
            ..LIMITS
        };
        let other = sharing(limits, &cells);
        let mut failures = Failures::new(limits);
        let faster = sharing(limits, &cells);
        let overtaken = Overtaken {
            cells: cells.clone(),
            times: Cell::new(times),
            other: Box::new(move |_| {
                faster.count(faster.id(user("amy")), at(0));
            }),
        };
        failures.share(Box::new(overtaken), &[]);
        let amy = failures.id(user("amy"));
        failures.count(amy, at(0));
        let by_others = times.min(32);
        let own = u32::from(counted);
        for _ in by_others + own..99 {
            other.count(amy, at(0));
        }
        assert_eq!(other.blocked_for(amy, at(0)), None, "{times}");
        other.count(amy, at(0));
        assert!(other.blocked_for(amy, at(0)).is_some(), "{times}");
    }
}

/// The caller with this number, in a cell.
fn caller(number: u128) -> [u8; 16] {
    number.to_be_bytes()
}

#[test]
fn the_caller_with_the_fewest_failures_is_replaced_and_a_blocked_caller_is_not() {
    let mut bucket = Bucket::default();
    // One caller is blocked, one has failed twice, and the others once each.
    for (number, times) in [(0, 3), (1, 2)] {
        for _ in 0..times {
            assert!(bucket.count(caller(number), LIMITS, at(0)));
        }
    }
    for number in 2..SLOTS as u128 {
        assert!(bucket.count(caller(number), LIMITS, at(number as i64)));
    }
    // A new caller replaces the caller whose failure is the oldest.
    for number in 100..200 {
        assert!(bucket.count(caller(number), LIMITS, at(100)));
    }
    assert!(bucket.blocked_until(caller(0)).is_some());
    assert!(bucket.count(caller(1), LIMITS, at(101)));
    assert!(bucket.blocked_until(caller(1)).is_some());

    // If all callers are blocked, no other caller is counted until a block ends.
    let mut bucket = Bucket::default();
    for number in 0..SLOTS as u128 {
        for _ in 0..3 {
            bucket.count(caller(number), LIMITS, at(0));
        }
    }
    assert!(!bucket.count(caller(99), LIMITS, at(1)));
    for number in 0..SLOTS as u128 {
        assert!(bucket.blocked_until(caller(number)).is_some());
    }
    let mut later = Bucket::read(&bucket.to_bytes(), LIMITS, at(300_000));
    assert!(later.count(caller(99), LIMITS, at(300_000)));
}

/// The size of the table does not grow with the number of callers.
#[test]
fn the_table_has_a_fixed_size() {
    let cells = SharedCells::default();
    let failures = sharing(LIMITS, &cells);
    for number in 0..40_000_u32 {
        failures.count(
            failures.id(Caller::Address(std::net::IpAddr::V4(number.into()))),
            at(0),
        );
    }
    let held = cells.held();
    assert!(held.len() <= usize::from(BUCKETS) + 1);
    let slot = 16 + 8 + 1 + 4 * usize::from(LIMITS.failures - 2);
    for (value, _) in held.values() {
        assert!(value.len() <= 1 + SLOTS * slot, "{}", value.len());
    }
}

fn in_cell(failures: &Failures, caller: CallerId, value: &[u8]) {
    let updated = failures
        .cells
        .update(caller.0.cell, &mut |_| Some(value.to_vec()));
    assert_eq!(updated, Updated::Done);
}

proptest! {
    /// With any content of a cell, a response names at most one block. A caller that fails is blocked in the end, unless the
    /// cell is full of blocked callers.
    #[test]
    fn a_cell_with_any_content_can_be_read(value in proptest::collection::vec(any::<u8>(), 0..600), begins in any::<bool>()) {
        let failures = Failures::new(LIMITS);
        let amy = failures.id(user("amy"));
        let value = if begins { [&[1], value.as_slice()].concat() } else { value };
        in_cell(&failures, amy, &value);
        prop_assert!(failures.blocked_for(amy, at(0)).unwrap_or(0) <= 300);
        for _ in 0..3 {
            failures.count(amy, at(0));
        }
        prop_assert!(failures.blocked_for(amy, at(0)).is_some());
    }

    /// A cell that is written is read again, and it never has more callers than slots.
    #[test]
    fn a_cell_is_read_as_it_was_written(
        counted in proptest::collection::vec((0_u128..24, 0_i64..400_000), 0..200),
        failures in 1_u8..=100,
    ) {
        let limits = Limits { failures, ..LIMITS };
        let mut counted = counted;
        counted.sort_by_key(|(_, millis)| *millis);
        let mut bytes = Vec::new();
        for (number, millis) in counted {
            let mut bucket = Bucket::read(&bytes, limits, at(millis));
            bucket.count(caller(number), limits, at(millis));
            bytes = bucket.to_bytes();
            prop_assert_eq!(&Bucket::read(&bytes, limits, at(millis)), &bucket);
            prop_assert!(bytes.len() <= 1 + SLOTS * (25 + 4 * usize::from(failures)));
        }
    }

    /// The table agrees with a model that keeps a list of times.
    #[test]
    fn a_caller_is_blocked_as_in_a_model(steps in proptest::collection::vec(0_i64..40_000, 1..60)) {
        let failures = Failures::new(LIMITS);
        let amy = failures.id(user("amy"));
        let (mut moments, mut until, mut now) = (Vec::new(), None, 0);
        for step in steps {
            now += step;
            failures.count(amy, at(now));
            if until.is_none_or(|until| now >= until) {
                until = None;
                moments.push(now);
                moments.retain(|moment| now - moment < 60_000);
                if moments.len() >= 3 {
                    until = Some(now + 300_000);
                    moments.clear();
                }
            }
            prop_assert_eq!(failures.blocked_for(amy, at(now)).is_some(), until.is_some());
        }
    }
}

/// Filters with other names or limits have other cells.
#[test]
fn filters_do_not_share_cells() {
    let other = Limits {
        failures: 4,
        ..LIMITS
    };
    let of = [
        prefix(&[], LIMITS),
        prefix(&[], other),
        prefix(&[b"a"], LIMITS),
        prefix(&[b"a", b""], LIMITS),
        prefix(&[b"", b"a"], LIMITS),
    ];
    for (index, prefix) in of.iter().enumerate() {
        assert!(!of[..index].contains(prefix), "{index}");
    }
    let cells = SharedCells::default();
    let mut filters = [&b"one"[..], b"two"].map(|name| {
        let mut failures = Failures::new(LIMITS);
        failures.share(Box::new(cells.clone()), &[name]);
        failures
    });
    let amy = user("amy");
    for _ in 0..3 {
        filters[0].count(filters[0].id(amy), at(0));
    }
    let blocked = filters
        .each_mut()
        .map(|failures| failures.blocked_for(failures.id(amy), at(0)).is_some());
    assert_eq!(blocked, [true, false]);
}
