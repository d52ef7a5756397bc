use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::json::{ItemsFault, JsonFault};

fn digest(key: &str) -> Digest {
    Sha256::digest(key).into()
}

fn hex(key: &str) -> String {
    format!("{:x}", Sha256::digest(key))
}

fn read(entries: &Value) -> (ApiKeys, String) {
    let body = json!({ "keys": entries }).to_string();
    let (keys, ignored) = ApiKeys::read(body.as_bytes()).unwrap();
    (keys, ignored.to_string())
}

/// The entry with these members besides `id` and `sha256` of the key `k`.
fn with(members: Value) -> Value {
    let mut entry = json!({"id": "acme", "sha256": hex("k")});
    for (name, value) in members.as_object().unwrap() {
        entry[name] = value.clone();
    }
    entry
}

#[test]
fn a_key_proves_what_its_entry_says() {
    let (keys, ignored) = read(&json!([
        {"id": "acme", "sha256": hex("one"), "scopes": ["a", "b:c"], "roles": ["x y"], "expires": "2027-01-01T00:00:00Z"},
        {"id": "acme", "sha256": hex("two").to_uppercase(), "scopes": null, "roles": []},
    ]));
    assert_eq!((keys.len(), ignored.as_str()), (2, ""));
    let one = keys.find(&digest("one")).unwrap();
    assert_eq!(&*one.id, "acme");
    assert!(one.grants.scopes.iter().eq(["a", "b:c"]));
    assert!(one.grants.roles.iter().eq(["x y"]));
    assert_eq!(one.expires, Timestamp::parse("2027-01-01T00:00:00Z"));
    let two = keys.find(&digest("two")).unwrap();
    assert!(two.grants.scopes.is_empty() && two.grants.roles.is_empty() && two.expires.is_none());
    for other in ["", "three", "acme"] {
        assert_eq!(keys.find(&digest(other)), None);
    }
    assert_eq!(keys.find(&[0; 32]), None);
    let shown = format!("{keys:?} {one:?}");
    assert_eq!(shown, "ApiKeys(2) ApiKeyEntry(\"acme\")");
    assert_eq!(read(&json!([])).0.find(&digest("one")), None);
}

#[test]
fn an_entry_that_cannot_be_read_is_ignored_and_the_others_are_used() {
    let digits =
        "expected the SHA-256 of a key, 64 hexadecimal digits: `countersign hash key` prints it";
    let unknown = "unknown member: expected `id`, `sha256`, `scopes`, `roles` and `expires`";
    let name = "expected a text of 1 to 256 bytes, without whitespace at an end and without invisible characters";
    let time = "expected a time such as `2027-01-01T00:00:00Z`";
    let of_nothing = "this is the SHA-256 of an empty key";
    for (entry, fault) in [
        (json!("hunter2"), "expected an object".to_owned()),
        (json!(null), "expected an object".to_owned()),
        (with(json!({"roles": ["x".repeat(70_000)]})), "expected at most 65536 bytes".to_owned()),
(json!({}), format!("`id`: {name}")),
        (json!({"hunter2": ["a"]}), unknown.to_owned()),
        // It could be a restriction.
        (with(json!({"expire": "2027-01-01T00:00:00Z"})), unknown.to_owned()),
        (
            with(json!({"key": "hunter2"})),
            "`key`: a key in plain text: replace it with `sha256`, the hash that `countersign hash key` prints".to_owned(),
        ),
        (with(json!({"id": ""})), format!("`id`: {name}")),
        (with(json!({"id": 7})), format!("`id`: {name}")),
        (with(json!({"id": " a"})), format!("`id`: {name}")),
        (with(json!({"id": "a\u{202e}b"})), format!("`id`: {name}")),
        (with(json!({"id": "a\nb"})), format!("`id`: {name}")),
        (with(json!({"id": "x".repeat(257)})), format!("`id`: {name}")),
        (with(json!({"sha256": null})), format!("`sha256`: {digits}")),
        (with(json!({"sha256": 12})), format!("`sha256`: {digits}")),
        (with(json!({"sha256": "hunter2"})), format!("`sha256`: {digits}")),
        (with(json!({"sha256": hex("k").split_off(1)})), format!("`sha256`: {digits}")),
        (with(json!({"sha256": format!("{}0", hex("k"))})), format!("`sha256`: {digits}")),
        (with(json!({"sha256": format!("+{}", hex("k").split_off(1))})), format!("`sha256`: {digits}")),
        (with(json!({"sha256": "é".repeat(32)})), format!("`sha256`: {digits}")),
        (with(json!({"sha256": hex("")})), format!("`sha256`: {of_nothing}")),
        (
            with(json!({"scopes": "orders:read"})),
            "`scopes`: expected a list of scopes of visible ASCII characters other than `\"` and `\\`".to_owned(),
        ),
        (
            with(json!({"scopes": ["a b"]})),
            "`scopes`: expected a list of scopes of visible ASCII characters other than `\"` and `\\`".to_owned(),
        ),
        (with(json!({"roles": [7]})), "`roles`: expected a list of names, none of them empty".to_owned()),
        (with(json!({"roles": [""]})), "`roles`: expected a list of names, none of them empty".to_owned()),
        (with(json!({"roles": {}})), "`roles`: expected a list of names, none of them empty".to_owned()),
        (with(json!({"expires": null})), format!("`expires`: {time}")),
        (with(json!({"expires": 1_800_000_000})), format!("`expires`: {time}")),
        (with(json!({"expires": "2027-01-01"})), format!("`expires`: {time}")),
    ] {
        let (keys, ignored) = read(&json!([{"id": "a", "sha256": hex("a")}, entry, {"id": "b", "sha256": hex("b")}]));
        assert_eq!(ignored, format!("entry 1: {fault}"), "{entry}");
        assert!(!ignored.contains("hunter2"), "{entry}");
        assert_eq!(keys.len(), 2, "{entry}");
        assert!(keys.find(&digest("a")).is_some() && keys.find(&digest("b")).is_some());
        assert_eq!(keys.find(&digest("k")), None, "{entry}");
    }
}

#[test]
fn of_equal_keys_the_first_is_used_and_of_different_ones_none() {
    let named = |id: &str, scope: &str| json!({"id": id, "sha256": hex("k"), "scopes": [scope]});
    let (keys, ignored) =
        read(&json!([named("a", "x"), {"id": "o", "sha256": hex("o")}, named("a", "x")]));
    assert_eq!(
        (keys.len(), ignored.as_str()),
        (2, "entry 2: duplicate of entry 0")
    );
    assert!(keys.find(&digest("k")).is_some());
    for other in [
        named("b", "x"),
        named("a", "y"),
        with(json!({"id": "a", "scopes": ["x"], "expires": "2027-01-01T00:00:00Z"})),
    ] {
        // Once it is not known what a key grants, a third entry does not decide.
        let (keys, ignored) = read(
            &json!([7, named("a", "x"), other, named("a", "x"), {"id": "o", "sha256": hex("o")}]),
        );
        assert_eq!(keys.find(&digest("k")), None);
        assert!(keys.find(&digest("o")).is_some());
        let same = "the same credential as entry 1, which grants something else: both are ignored";
        let expected =
            format!("entry 0: expected an object; entry 2: {same}; entry 3: {same}; and 1 more");
        assert_eq!((keys.len(), ignored), (1, expected));
    }
}

#[test]
fn many_ignored_entries_are_counted_and_the_first_are_shown() {
    let (keys, ignored) = read(&json!(vec![7; 1_000]));
    assert_eq!(keys.len(), 0);
    assert!(
        ignored.starts_with("entry 0: expected an object; entry 1: "),
        "{ignored}"
    );
    assert!(
        ignored.ends_with("entry 7: expected an object; and 992 more"),
        "{ignored}"
    );
}

#[test]
fn another_body_is_no_list() {
    for (body, fault) in [
        ("", ListFault::Items(ItemsFault::Shape("keys"))),
        ("[]", ListFault::Items(ItemsFault::Shape("keys"))),
        ("{\"keys\":[", ListFault::Items(JsonFault::Syntax.into())),
        (
            "{\"keys\":[{\"id\":\"a\",\"id\":\"b\"}]}",
            ListFault::Items(JsonFault::Duplicate.into()),
        ),
    ] {
        assert_eq!(ApiKeys::read(body.as_bytes()).unwrap_err(), fault, "{body}");
    }
    let long = |number: usize| format!("{{\"keys\":[{}7]}}", "7,".repeat(number - 1));
    let (_, ignored) = ApiKeys::read(long(listed::MAX_ENTRIES).as_bytes()).unwrap();
    assert_eq!(ignored.len(), listed::MAX_ENTRIES);
    let many = ApiKeys::read(long(listed::MAX_ENTRIES + 1).as_bytes());
    assert_eq!(many.unwrap_err(), ListFault::TooMany);
}

#[test]
fn every_key_of_a_long_list_is_found() {
    let entry = |number: usize| json!({"id": format!("n{number}"), "sha256": hex(&number.to_string()), "scopes": [format!("s{}", number % 50)]});
    let (keys, _) = read(&(0..5_000).map(entry).collect());
    assert_eq!(keys.len(), 5_000);
    for number in 0..5_000 {
        let found = keys.find(&digest(&number.to_string())).unwrap();
        assert_eq!(*found.id, *format!("n{number}"));
        assert!(found.grants.scopes.iter().eq([format!("s{}", number % 50)]));
        assert_eq!(keys.find(&digest(&format!("x{number}"))), None);
    }
}

#[test]
fn a_configuration_has_each_key_once() {
    let entry = |key: &str, id: &str| {
        let entry = ApiKeyEntry {
            id: id.into(),
            grants: Rc::default(),
            expires: None,
        };
        (digest(key), entry)
    };
    let new = |entries| {
        let mut reported = Vec::new();
        let keys = ApiKeys::new(entries, |index, first| {
            reported.push((index, first));
        });
        (keys.map(|keys| keys.len()), reported)
    };
    let rotation = vec![entry("a", "x"), entry("b", "x")];
    assert_eq!(new(rotation), (Ok(2), vec![]));
    let twice = vec![
        entry("a", "x"),
        entry("b", "x"),
        entry("a", "x"),
        entry("a", "y"),
    ];
    assert_eq!(new(twice), (Err(()), vec![(2, 0), (3, 0)]));
}
