use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::bucket::SLOTS;
use super::*;
use crate::ports::tests::{NoCells, Overtaken, SharedCells};

/// The seconds of [`Replays::LONGEST`].
const LONGEST: i64 = Replays::LONGEST.as_secs() as i64;

/// The time that is this many milliseconds after a fixed time.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000_i64.saturating_add(millis))
}

/// The time that is this many seconds after a fixed time.
fn at_seconds(seconds: i64) -> Timestamp {
    at(seconds.saturating_mul(1000))
}

fn sharing(cells: &SharedCells) -> Replays {
    let mut replays = Replays::new();
    replays.share(Box::new(cells.clone()), &[b"filter"]);
    replays
}

/// So many uses that belong to one cell.
fn in_one_cell(number: u128) -> Vec<UseId> {
    let place = |number: u128| Place {
        cell: 7,
        id: number.to_be_bytes(),
    };
    (0..number).map(place).map(UseId).collect()
}

fn write(replays: &Replays, id: UseId, value: &[u8]) {
    let updated = replays
        .cells
        .update(id.0.cell, &mut |_| Some(value.to_vec()));
    assert_eq!(updated, Updated::Done);
}

#[test]
fn a_use_is_accepted_once_while_it_is_valid() {
    let replays = Replays::new();
    let id = replays.id(&[b"key", b"proof"]);
    for (now, recorded) in [
        (0, Recorded::First),
        (0, Recorded::Again),
        (129_999, Recorded::Again),
        (130_000, Recorded::First),
        (130_000, Recorded::Again),
    ] {
        let until = at(now / 130_000 * 130_000 + 130_000);
        assert_eq!(replays.record(id, until, at(now)), recorded, "{now}");
    }
}

#[test]
fn a_use_is_kept_until_the_end_of_the_second() {
    for (until, now, recorded) in [
        (1, 1, Recorded::Again),
        (1, 999, Recorded::Again),
        (1, 1_000, Recorded::First),
        (1_000, 999, Recorded::Again),
        (1_000, 1_000, Recorded::First),
        (1_001, 1_001, Recorded::Again),
    ] {
        let replays = Replays::new();
        let id = replays.id(&[b"proof"]);
        assert_eq!(replays.record(id, at(until), at(0)), Recorded::First);
        let later = at(now + 60_000);
        assert_eq!(
            replays.record(id, later, at(now)),
            recorded,
            "{until} {now}"
        );
    }
}

#[test]
fn parts_have_lengths() {
    let replays = Replays::new();
    let ids = [
        replays.id(&[b"key", b"proof"]),
        replays.id(&[b"keyp", b"roof"]),
        replays.id(&[b"keyproof"]),
        replays.id(&[b"key", b"proof", b""]),
        replays.id(&[b"", b"key", b"proof"]),
        replays.id(&[]),
    ];
    for (index, id) in ids.iter().enumerate() {
        assert!(!ids[..index].contains(id), "{index}");
        assert_eq!(replays.record(*id, at(1), at(0)), Recorded::First);
    }
    assert_ne!(ids[0], Replays::new().id(&[b"key", b"proof"]));
}

#[test]
fn a_use_that_is_no_longer_valid_is_recorded_for_a_second() {
    let replays = Replays::new();
    for until in [-1, -60_000, -1_700_000_000_000] {
        let id = replays.id(&[&until.to_string().into_bytes()]);
        assert_eq!(replays.record(id, at(until), at(0)), Recorded::First);
        assert_eq!(replays.record(id, at(until), at(0)), Recorded::Again);
        assert_eq!(replays.record(id, at(until), at(999)), Recorded::Again);
    }
}

#[test]
fn a_use_that_cannot_be_recorded_for_as_long_as_it_is_valid_is_not_accepted() {
    let replays = Replays::new();
    let id = replays.id(&[b"proof"]);
    for millis in [LONGEST * 1000 + 1, i64::MAX] {
        let recorded = replays.record(id, at(millis), at(0));
        assert_eq!(recorded, Recorded::Full, "{millis}");
    }
    let longest = at(LONGEST * 1000);
    assert_eq!(replays.record(id, longest, at(0)), Recorded::First);
    assert_eq!(replays.record(id, longest, at(0)), Recorded::Again);
}

/// A time is stored in 32 bits.
#[test]
fn nothing_is_accepted_before_1970_and_after_2106() {
    let end = i64::from(u32::MAX);
    for (now, recorded) in [
        (i64::MIN, Recorded::Full),
        (-1, Recorded::Full),
        (0, Recorded::First),
        (end - 1, Recorded::First),
        (end, Recorded::Full),
        (i64::MAX, Recorded::Full),
    ] {
        let replays = Replays::new();
        let id = replays.id(&[b"proof"]);
        let now = Timestamp::from_seconds(now);
        let until = now.plus(Duration::from_secs(1));
        assert_eq!(replays.record(id, until, now), recorded, "{now:?}");
        assert_ne!(replays.record(id, until, now), Recorded::First, "{now:?}");
    }
}

#[test]
fn a_full_cell_accepts_no_new_use_and_keeps_the_uses_that_it_has() {
    let replays = Replays::new();
    let ids = in_one_cell(SLOTS as u128 + 1);
    let (last, others) = ids.split_last().unwrap();
    for (index, id) in others.iter().enumerate() {
        let until = at_seconds(if index == 0 { 10 } else { 60 });
        assert_eq!(replays.record(*id, until, at(0)), Recorded::First);
    }
    let until = at_seconds(60);
    assert_eq!(replays.record(*last, until, at(0)), Recorded::Full);
    for id in others {
        assert_eq!(replays.record(*id, until, at(0)), Recorded::Again);
    }
    // An expired use makes room for one.
    assert_eq!(replays.record(*last, until, at(10_000)), Recorded::First);
    assert_eq!(replays.record(ids[0], until, at(10_000)), Recorded::Full);
    assert_eq!(replays.record(ids[1], until, at(10_000)), Recorded::Again);
}

/// The size of the record does not grow with the number of uses, and a use takes 12 bytes.
#[test]
fn the_record_has_a_fixed_size() {
    let cells = SharedCells::default();
    let replays = sharing(&cells);
    let mut full = 0;
    for number in 0_u32..200_000 {
        let id = replays.id(&[&number.to_be_bytes()]);
        // All in one of the first cells.
        let id = UseId(Place {
            cell: id.0.cell % 1024,
            ..id.0
        });
        match replays.record(id, at_seconds(60), at(0)) {
            Recorded::First => {}
            Recorded::Full => full += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(full, 200_000 - 1024 * SLOTS);
    let held = cells.held();
    assert_eq!(held.len(), 1024 + 1);
    let sizes = held.values().map(|(value, _)| value.len());
    assert_eq!(sizes.max(), Some(5 + 12 * SLOTS));
}

#[test]
fn workers_record_together_and_filters_do_not() {
    let cells = SharedCells::default();
    let (one, two) = (sharing(&cells), sharing(&cells));
    let (until, now) = (at_seconds(60), at(0));
    let record = |replays: &Replays| replays.record(replays.id(&[b"proof"]), until, now);
    assert_eq!(record(&one), Recorded::First);
    assert_eq!(record(&two), Recorded::Again);
    // A worker that starts later, as after a change of the configuration.
    assert_eq!(record(&sharing(&cells)), Recorded::Again);
    let mut other = Replays::new();
    other.share(Box::new(cells.clone()), &[b"fil", b"ter"]);
    assert_eq!(record(&other), Recorded::First);
}

/// Data that no longer accepts writes.
struct ReadOnly(SharedCells);

impl SharedData for ReadOnly {
    fn get(&self, key: &str) -> (Option<Vec<u8>>, u32) {
        self.0.get(key)
    }

    fn set(&self, _: &str, _: &[u8], _: u32) -> crate::ports::Shared {
        crate::ports::Shared::Refused
    }
}

#[test]
fn without_shared_data_nothing_is_accepted() {
    let cells = SharedCells::default();
    let known = sharing(&cells);
    let id = known.id(&[b"known"]);
    assert_eq!(known.record(id, at(1), at(0)), Recorded::First);
    let hosts: [Box<dyn SharedData>; 2] = [Box::new(NoCells), Box::new(ReadOnly(cells))];
    for host in hosts {
        let mut replays = Replays::new();
        replays.share(host, &[b"filter"]);
        let id = replays.id(&[b"proof"]);
        for _ in 0..2 {
            assert_eq!(replays.record(id, at(1), at(0)), Recorded::NotShared);
        }
    }
}

#[test]
fn a_worker_that_is_too_late_32_times_accepts_nothing() {
    for (times, recorded) in [
        (1, Recorded::First),
        (31, Recorded::First),
        (32, Recorded::Full),
        (1_000, Recorded::Full),
    ] {
        let cells = SharedCells::default();
        let faster = sharing(&cells);
        let others = in_one_cell(50);
        let number = Cell::new(0);
        let mut replays = Replays::new();
        let overtaken = Overtaken {
            cells: cells.clone(),
            times: Cell::new(times),
            other: Box::new(move |_| {
                let other = others[number.replace(number.get() + 1)];
                faster.record(other, at(60_000), at(0));
            }),
        };
        replays.share(Box::new(overtaken), &[b"filter"]);
        let id = in_one_cell(51)[50];
        assert_eq!(replays.record(id, at(60_000), at(0)), recorded, "{times}");
    }
}

#[test]
fn a_worker_that_is_too_late_sees_the_use_of_the_faster_worker() {
    let cells = SharedCells::default();
    let faster = sharing(&cells);
    let mut replays = Replays::new();
    let overtaken = Overtaken {
        cells: cells.clone(),
        times: Cell::new(1),
        other: Box::new(move |_| {
            let id = faster.id(&[b"proof"]);
            assert_eq!(faster.record(id, at(1), at(0)), Recorded::First);
        }),
    };
    replays.share(Box::new(overtaken), &[b"filter"]);
    let id = replays.id(&[b"proof"]);
    assert_eq!(replays.record(id, at(1), at(0)), Recorded::Again);
}

#[test]
fn of_eight_workers_that_record_a_use_at_once_one_is_the_first() {
    const WORKERS: usize = 8;
    const USES: u32 = 1_000;
    let cells = SharedCells::default();
    let start = std::sync::Barrier::new(WORKERS);
    let recorded: Vec<Recorded> = std::thread::scope(|scope| {
        let record = || {
            let replays = sharing(&cells);
            let record = |number: u32| {
                let id = replays.id(&[&number.to_be_bytes()]);
                start.wait();
                replays.record(id, at(60_000), at(0))
            };
            (0..USES).map(record).collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(record)).collect();
        let recorded = workers.into_iter().map(|worker| worker.join().unwrap());
        recorded.flatten().collect()
    });
    for (expected, number) in [(Recorded::First, 1), (Recorded::Again, WORKERS - 1)] {
        let found = recorded.iter().filter(|recorded| **recorded == expected);
        assert_eq!(found.count(), number * USES as usize, "{expected:?}");
    }
}

/// A cell in an unknown format, for example of another module, accepts nothing until what it held has expired.
#[test]
fn a_cell_in_an_unknown_format_accepts_nothing_for_the_longest_time() {
    let use_of = |until: i64| {
        let seconds = u32::try_from(at_seconds(until).millis() / 1000).unwrap();
        [&[7; 8][..], &seconds.to_le_bytes()].concat()
    };
    let with = |uses: usize| [&[1, 0, 0, 0, 0][..], &use_of(60).repeat(uses)].concat();
    let values = [
        Vec::new(),
        vec![1],
        vec![1, 0, 0, 0],
        vec![0, 0, 0, 0, 0],
        vec![2, 0, 0, 0, 0],
        [with(0), vec![0; 11]].concat(),
        with(SLOTS + 1),
        vec![1; 1_000_000],
    ];
    for value in values {
        let replays = Replays::new();
        let ids = in_one_cell(2);
        write(&replays, ids[0], &value);
        let record = |id, now| replays.record(id, at_seconds(now + 60), at_seconds(now));
        assert_eq!(record(ids[0], 0), Recorded::Full);
        assert_eq!(record(ids[0], LONGEST - 60), Recorded::Full);
        assert_eq!(record(ids[0], LONGEST - 59), Recorded::First);
        assert_eq!(record(ids[0], LONGEST - 59), Recorded::Again);
        assert_eq!(record(ids[1], LONGEST - 59), Recorded::First);
    }
    // With exactly as many uses as it can have.
    let replays = Replays::new();
    let ids = in_one_cell(1);
    write(&replays, ids[0], &with(SLOTS));
    let record = |now| replays.record(ids[0], at_seconds(now + 60), at_seconds(now));
    assert_eq!(record(0), Recorded::Full);
    assert_eq!(record(60), Recorded::First);
}

#[test]
fn a_removed_use_is_not_accepted_again_if_the_clock_is_set_back() {
    for (back, recorded) in [
        // The use has expired for this long when the clock is set back.
        (0, Recorded::First),
        (1, Recorded::Full),
        (LONGEST, Recorded::Full),
    ] {
        let replays = Replays::new();
        let ids = in_one_cell(3);
        let record = |id: UseId, until, now| replays.record(id, at_seconds(until), at_seconds(now));
        assert_eq!(record(ids[0], 60, 0), Recorded::First);
        // This removes the first use.
        let ended = 60 + back;
        assert_eq!(record(ids[1], ended + 60, ended), Recorded::First);
        let then = ended - back;
        let until = if back == 0 { 61 } else { 60 };
        assert_eq!(record(ids[0], until, then - 1), recorded, "{back}");
        // What was not removed is still known.
        assert_eq!(record(ids[1], then + 60, then), Recorded::Again, "{back}");
        // A use that expires later than all removed uses is accepted.
        assert_eq!(record(ids[2], 61, then), Recorded::First, "{back}");
    }
}

/// What was recorded while the clock was wrong by a year does not keep later uses from being accepted.
#[test]
fn a_clock_that_was_far_ahead_leaves_no_cell_full() {
    let year = 365 * 24 * 60 * 60;
    let replays = Replays::new();
    let ids = in_one_cell(SLOTS as u128 + 2);
    let (last, others) = ids.split_last().unwrap();
    for (index, id) in others.iter().enumerate() {
        // The first use expires meanwhile. The others fill the cell.
        let now = year + if index == 0 { 0 } else { 60 };
        let recorded = replays.record(*id, at_seconds(now + 60), at_seconds(now));
        assert_eq!(recorded, Recorded::First);
    }
    for now in [0, 1, LONGEST, 60 * LONGEST] {
        let now = at_seconds(now);
        let until = now.plus(Duration::from_secs(1));
        assert_eq!(replays.record(*last, until, now), Recorded::First);
        assert_eq!(replays.record(*last, until, now), Recorded::Again);
    }
}

/// One step of a random run: which worker records which use, how long it is valid, and how the clock moves before.
type Step = (usize, u8, i64, i64);

fn steps(clock: std::ops::Range<i64>) -> impl Strategy<Value = Vec<Step>> {
    let step = (0_usize..3, 0_u8..12, 1_i64..200_000, clock);
    proptest::collection::vec(step, 1..150)
}

/// Three workers, which record in one cell.
fn workers(cells: &SharedCells) -> Vec<Replays> {
    (0..3).map(|_| sharing(cells)).collect()
}

proptest! {
    /// The workers agree with a model that knows every use and when it expires.
    #[test]
    fn uses_are_accepted_as_in_a_model(steps in steps(0..50_000)) {
        let cells = SharedCells::default();
        let workers = workers(&cells);
        let ids = in_one_cell(12);
        let (mut model, mut now) = (BTreeMap::new(), 0);
        for (worker, number, valid, passed) in steps {
            now += passed;
            let until = now + valid;
            let expires = model.get(&number).copied().unwrap_or(i64::MIN);
            let expected = if now < expires { Recorded::Again } else { Recorded::First };
            let recorded = workers[worker].record(ids[usize::from(number)], at(until), at(now));
            prop_assert_eq!(recorded, expected);
            if recorded == Recorded::First {
                // To the end of the second.
                model.insert(number, (until + 999) / 1000 * 1000);
            }
        }
    }

    /// However the clock moves, no use is accepted again while it is valid.
    #[test]
    fn no_use_is_accepted_twice(steps in steps(0..LONGEST * 1000)) {
        let cells = SharedCells::default();
        let workers = workers(&cells);
        let ids = in_one_cell(12);
        let mut accepted: BTreeMap<u8, i64> = BTreeMap::new();
        for (worker, number, valid, now) in steps {
            // What was used has one time until which it is valid.
            let until = accepted.get(&number).copied().filter(|until| now < *until);
            let recorded = workers[worker].record(
                ids[usize::from(number)],
                at(until.unwrap_or(now + valid)),
                at(now),
            );
            if recorded == Recorded::First {
                prop_assert_eq!(until, None);
                let last = accepted.entry(number).or_insert(i64::MIN);
                *last = (*last).max(now + valid);
            }
        }
    }

    /// With any content of a cell, no use is accepted twice.
    #[test]
    fn a_cell_with_any_content_can_be_read(
        value in proptest::collection::vec(any::<u8>(), 0..1300),
        begins in any::<bool>(),
    ) {
        let replays = Replays::new();
        let id = in_one_cell(1)[0];
        let value = if begins { [&[1], value.as_slice()].concat() } else { value };
        write(&replays, id, &value);
        replays.record(id, at(60_000), at(0));
        prop_assert_ne!(replays.record(id, at(60_000), at(0)), Recorded::First);
    }
}
