use super::*;

fn source() -> RemoteKeys {
    RemoteKeys {
        provider: "corp".into(),
        location: Location::Jwks(Endpoint {
            cluster: "login".into(),
            url: Url::parse("https://login.example.com/jwks").unwrap(),
        }),
        timeout: Duration::from_secs(2),
        refresh: Duration::from_secs(600),
        algorithms: None,
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds)
}

/// The first second at which a fetch is called for.
fn due(record: Record, wanted: bool) -> i64 {
    (0..2_000)
        .find(|second| record.calls_for_a_fetch(wanted, at(*second)))
        .unwrap()
}

#[test]
fn a_new_source_is_fetched_at_once_and_by_one_worker() {
    let record = Record::default();
    assert!(record.calls_for_a_fetch(false, at(0)));
    let leased = record.leased(Duration::from_secs(2), at(0));
    assert!(!leased.calls_for_a_fetch(true, at(1)));
    assert!(
        leased.calls_for_a_fetch(false, at(2)),
        "a worker that died holds nothing"
    );
}

#[test]
fn keys_are_fetched_again_before_they_are_old() {
    let fetched = |max_age: Option<u64>| {
        let max_age = max_age.map(Duration::from_secs);
        due(
            Record::default().succeeded(&source(), max_age, at(0)),
            false,
        )
    };
    assert!((540..=600).contains(&fetched(None)));
    assert!((270..=300).contains(&fetched(Some(300))));
    assert!((540..=600).contains(&fetched(Some(86_400))));
    assert!((54..=60).contains(&fetched(Some(0))));
}

#[test]
fn failures_are_retried_ever_more_slowly_and_not_forever_more_slowly() {
    let mut record = Record::default();
    let mut waits = Vec::new();
    for _ in 0..40 {
        record = record.failed(at(0));
        waits.push(due(record, false));
    }
    assert!(waits[0] <= 2 && waits[3] >= 8 && waits[3] <= 9);
    assert!(waits.iter().all(|wait| *wait <= 66));
    assert!(waits[39] >= 60);
    assert_eq!(record.succeeded(&source(), None, at(0)).failures, 0);
}

#[test]
fn a_record_of_nonsense_keeps_nobody_from_fetching() {
    let lease = Duration::from_secs(3);
    let read = |text: &str| serde_json::from_str::<Record>(text).unwrap();
    let after = |record: Record| {
        (0..2_000)
            .find(|second| {
                let now = at(*second);
                let record = record.believed(&source(), lease, now);
                record.calls_for_a_fetch(false, now)
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
        let _ = read(&text).succeeded(&source(), None, at(0)).failed(at(0));
    }
    // What others did in good order is believed as it is.
    let fetched = Record::default().succeeded(&source(), None, at(0));
    assert_eq!(fetched.believed(&source(), lease, at(0)), fetched);
    let leased = fetched.leased(lease, at(1));
    assert_eq!(leased.believed(&source(), lease, at(1)), leased);
    assert_eq!(leased.released(), fetched);
    assert!(fetched.due_at_once().calls_for_a_fetch(false, at(0)));
}

#[test]
fn j_10_an_unknown_key_brings_a_fetch_forward_once_in_a_cool_down() {
    let record = Record::default().succeeded(&source(), None, at(0));
    assert_eq!(due(record, true), 30);
}

#[test]
fn cache_control_is_read_at_its_strictest() {
    let age = |fields: &[&str]| max_age(fields.iter().map(|field| field.as_bytes()));
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(age(&["public, max-age=300"]), seconds(300));
    assert_eq!(age(&["Max-Age=\"300\"", "max-age=60"]), seconds(60));
    assert_eq!(age(&["no-store, max-age=300"]), seconds(0));
    assert_eq!(age(&["max-age=-1, s-maxage=5, max-age="]), None);
    assert_eq!(age(&[]), None);
}
