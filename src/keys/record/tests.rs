use super::*;

const KEYS: Schedule = Schedule::Keys {
    refresh: Duration::from_secs(600),
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds)
}

/// The first second at which a fetch is due.
fn due(record: Record, is_wanted: bool) -> i64 {
    (0..2_000)
        .find(|second| record.is_due(is_wanted, at(*second)))
        .unwrap()
}

#[test]
fn a_new_source_is_fetched_at_once_and_by_one_worker() {
    let record = Record::default();
    assert!(record.is_due(false, at(0)));
    let leased = record.leased(Duration::from_secs(2), at(0));
    assert!(!leased.is_due(true, at(1)));
    assert!(
        leased.is_due(false, at(2)),
        "the lease of a worker that died ends"
    );
}

#[test]
fn content_is_fetched_again_before_it_is_old() {
    let fetched = |max_age: Option<u64>| {
        let max_age = max_age.map(Duration::from_secs);
        due(Record::default().succeeded(KEYS, max_age, at(0)), false)
    };
    assert!((540..=600).contains(&fetched(None)));
    assert!((270..=300).contains(&fetched(Some(300))));
    assert!((540..=600).contains(&fetched(Some(86_400))));
    assert!((54..=60).contains(&fetched(Some(0))));
}

#[test]
fn the_wait_after_a_failure_doubles_up_to_a_minute() {
    let mut record = Record::default();
    let mut waits = Vec::new();
    for _ in 0..40 {
        record = record.failed(KEYS, at(0));
        waits.push(due(record, false));
    }
    assert!(waits[0] <= 2 && waits[3] >= 8 && waits[3] <= 9);
    assert!(waits.iter().all(|wait| *wait <= 66));
    assert!(waits[39] >= 60);
    assert_eq!(record.succeeded(KEYS, None, at(0)).failures, 0);
}

#[test]
fn an_impossible_record_does_not_prevent_a_fetch() {
    let lease = Duration::from_secs(3);
    let read = |text: &str| serde_json::from_str::<Record>(text).unwrap();
    let after = |record: Record| {
        (0..2_000)
            .find(|second| {
                let now = at(*second);
                let record = record.bounded(KEYS, lease, now);
                record.is_due(false, now)
            })
            .unwrap()
    };
    let now = at(0).millis();
    for (ended_at, due, leased) in [
        (i64::MAX, i64::MAX, i64::MAX),
        (i64::MAX, 0, 0),
        (0, 0, i64::MAX),
        (0, i64::MAX, 0),
        (i64::MIN, i64::MIN, i64::MIN),
        // A clock that was set back by a day.
        (now + 86_400_000, now + 86_999_000, now + 86_403_000),
    ] {
        let text = format!(
            r#"{{"ended":18446744073709551615,"ended_at":{ended_at},"failures":4294967295,"version":18446744073709551615,"due":{due},"leased":{leased}}}"#
        );
        assert_eq!(after(read(&text)), 0, "{text}");
        let _ = read(&text).succeeded(KEYS, None, at(0)).failed(KEYS, at(0));
    }
    // A record that a worker can have written is unchanged.
    let fetched = Record::default().succeeded(KEYS, None, at(0));
    assert_eq!(fetched.bounded(KEYS, lease, at(0)), fetched);
    let leased = fetched.leased(lease, at(1));
    assert_eq!(leased.bounded(KEYS, lease, at(1)), leased);
    assert_eq!(leased.released(), fetched);
    assert!(fetched.due_now().is_due(false, at(0)));
}

#[test]
fn j_10_an_unknown_key_brings_a_fetch_forward_once_in_a_cool_down() {
    let record = Record::default().succeeded(KEYS, None, at(0));
    assert_eq!(due(record, true), 30);
}

#[test]
fn the_shortest_time_in_cache_control_counts() {
    let age = |fields: &[&str]| max_age(fields.iter().map(|field| field.as_bytes()));
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(age(&["public, max-age=300"]), seconds(300));
    assert_eq!(age(&["Max-Age=\"300\"", "max-age=60"]), seconds(60));
    assert_eq!(age(&["no-store, max-age=300"]), seconds(0));
    assert_eq!(age(&["max-age=-1, s-maxage=5, max-age="]), None);
    assert_eq!(age(&[]), None);
}

fn list(seconds: u64) -> Schedule {
    Schedule::List {
        refresh: Duration::from_secs(seconds),
        max_stale: Duration::from_secs(86_400),
    }
}

#[test]
fn a_list_is_fetched_again_exactly_after_its_time() {
    for seconds in [1, 5, 60, 1_000] {
        for max_age in [None, Some(Duration::ZERO), Some(Duration::from_secs(3_600))] {
            let record = Record::default().succeeded(list(seconds), max_age, at(0));
            assert_eq!(due(record, false), seconds as i64);
            assert_eq!(
                due(record.confirmed(list(seconds), at(7)), false),
                7 + seconds as i64
            );
        }
    }
}

#[test]
fn a_failed_fetch_of_a_list_is_repeated_within_its_time() {
    for (refresh, longest) in [(1, 5), (5, 5), (8, 8), (60, 60), (86_400, 60)] {
        let mut record = Record::default().succeeded(list(refresh), None, at(-100_000));
        for failure in 0..40 {
            record = record.failed(list(refresh), at(0));
            let doubled = 1 << failure.min(16);
            assert_eq!(due(record, false), longest.min(doubled), "{refresh}");
        }
    }
}

#[test]
fn a_confirmation_keeps_the_content_and_renews_its_age() {
    let first = Record::default().succeeded(list(60), None, at(0));
    let failed = first.failed(list(60), at(60));
    assert_eq!(failed.confirmed_at, at(0).millis());
    let confirmed = failed.confirmed(list(60), at(61));
    assert_eq!(confirmed.version, first.version);
    assert_eq!((confirmed.failures, confirmed.ended), (0, 3));
    assert_eq!(confirmed.confirmed_at, at(61).millis());
    assert_ne!(
        confirmed.succeeded(list(60), None, at(62)).version,
        first.version
    );
}

#[test]
fn a_shorter_time_counts_for_a_list_that_was_fetched_under_a_longer_one() {
    let record = Record::default().succeeded(list(86_400), None, at(0));
    let lease = Duration::from_secs(3);
    assert_eq!(due(record.bounded(list(10), lease, at(1)), false), 10);
    assert_eq!(due(record.bounded(list(1), lease, at(1)), false), 5);
}

#[test]
fn a_confirmation_in_the_future_counts_for_nothing() {
    let record = Record::default().succeeded(list(60), None, at(86_400));
    let bounded = record.bounded(list(60), Duration::from_secs(3), at(0));
    assert_eq!(bounded.confirmed_at, 0);
    assert!(bounded.is_due(false, at(0)));
}
