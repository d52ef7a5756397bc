use super::*;

#[test]
fn a_use_is_accepted_once() {
    let replays = Replays::new();
    let now = Timestamp::from_seconds(1_800_000_000);
    let until = now.plus(Duration::from_secs(130));
    let id = replays.id(&[b"key", b"proof"]);
    assert_eq!(replays.record(id, until, now), Recorded::First);
    assert_eq!(replays.record(id, until, now), Recorded::Again);
}
