use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::json::{ITEM_MAX, ItemsFault};

/// The hashes of `open sesame` and of `secret`.
const BCRYPT: &str = "$2y$04$Dxzt0F36BFNeDC.mV2Ol5ObeBg7i8Ibq8oN8yDHyQgcQnuDcmSumW";
const SHA: &str = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";

fn read(entries: &Value) -> (UserList, String) {
    let body = json!({ "users": entries }).to_string();
    let (users, ignored) = UserList::read(body.as_bytes()).unwrap();
    let ignored = ignored.to_string();
    assert!(
        !ignored.contains("hunter2") && !ignored.contains("5en6G6"),
        "{ignored}"
    );
    (users, ignored)
}

fn user(name: &str) -> Value {
    json!({"name": name, "password": BCRYPT})
}

#[test]
fn a_user_is_what_the_entry_says() {
    let (users, ignored) = read(&json!([
        {"name": "alice", "password": BCRYPT, "scopes": ["a", "b:c"], "roles": ["x y"]},
        {"name": "jörg", "password": SHA, "scopes": null, "roles": []},
    ]));
    assert_eq!((users.len(), ignored.as_str()), (2, ""));
    let alice = users.find("alice").unwrap();
    assert_eq!(&*alice.name, "alice");
    assert!(alice.password.verify(b"secret"));
    assert!(alice.grants.scopes.iter().eq(["a", "b:c"]));
    assert!(alice.grants.roles.iter().eq(["x y"]));
    let joerg = users.find("jörg").unwrap();
    assert!(joerg.grants.scopes.is_empty() && joerg.grants.roles.is_empty());
    for other in ["", "Alice", "alice ", "alic", "jo\u{308}rg"] {
        assert!(users.find(other).is_none(), "{other}");
    }
    assert_eq!(format!("{users:?} {alice:?}"), "UserList(2) User");
    assert!(read(&json!([])).0.find("alice").is_none());
}

#[test]
fn an_entry_that_cannot_be_read_is_ignored_and_the_others_are_used() {
    let unknown = "unknown member: expected `name`, `password`, `scopes` and `roles`";
    let name = "`name`: expected a user name of 1 to 256 bytes, without a colon, without whitespace at an end and without \
                invisible characters";
    let hash = "`password`: expected a bcrypt or argon2id hash, found";
    let advice = "hash the password with `htpasswd -B` or `countersign hash password`";
    let plain = format!("{hash} plain text or a DES hash of crypt(3): {advice}");
    let with = |members: Value| {
        let mut entry = user("bob");
        for (name, value) in members.as_object().unwrap() {
            entry[name] = value.clone();
        }
        entry
    };
    for (entry, fault) in [
        (json!("alice:hunter2"), "expected an object"),
        (json!(["hunter2"]), "expected an object"),
        (json!({"name": "bob"}), &format!("{hash} none: {advice}")),
        (json!({"password": BCRYPT}), name),
        (with(json!({"password": "hunter2"})), &plain),
        (
            with(json!({"password": ["hunter2"]})),
            &format!("{hash} none: {advice}"),
        ),
        (
            with(json!({"password": null})),
            &format!("{hash} none: {advice}"),
        ),
        (
            with(json!({"password": format!("{BCRYPT}\n")})),
            "`password`: malformed password hash: expected no whitespace and no line break around it",
        ),
        (with(json!({"name": ""})), name),
        (with(json!({"name": "a:b"})), name),
        (with(json!({"name": " bob"})), name),
        (with(json!({"name": "b\u{0}b"})), name),
        (with(json!({"name": "b\nb"})), name),
        (with(json!({"name": "b".repeat(257)})), name),
        (with(json!({"name": 7})), name),
        (with(json!({"expires": "2027-01-01T00:00:00Z"})), unknown),
        (with(json!({"key": "hunter2"})), unknown),
        (with(json!({"networks": null})), unknown),
        (
            with(json!({"scopes": "read"})),
            "`scopes`: expected a list of scopes of visible ASCII characters other than `\"` and `\\`",
        ),
        (
            with(json!({"scopes": ["a b"]})),
            "`scopes`: expected a list of scopes of visible ASCII characters other than `\"` and `\\`",
        ),
        (
            with(json!({"roles": [""]})),
            "`roles`: expected a list of names, none of them empty",
        ),
        (
            with(json!({"name": "b".repeat(ITEM_MAX)})),
            "expected at most 65536 bytes",
        ),
    ] {
        let (users, ignored) = read(&json!([user("alice"), entry, user("carol")]));
        let fault = fault.strip_prefix("entry 1: ").unwrap_or(fault);
        assert_eq!(ignored, format!("entry 1: {fault}"), "{entry}");
        assert_eq!(users.len(), 2, "{entry}");
        assert!(users.find("alice").is_some() && users.find("carol").is_some());
        assert!(users.find("bob").is_none());
    }
}

#[test]
fn two_different_entries_of_one_user_are_both_ignored() {
    let other = json!({"name": "bob", "password": SHA});
    let admin = json!({"name": "bob", "password": BCRYPT, "roles": ["admin"]});
    for second in [&other, &admin] {
        for third in [user("bob"), second.clone()] {
            let (users, ignored) = read(&json!([user("bob"), second, third, user("alice")]));
            assert_eq!(
                ignored,
                "entry 1: the same user name as entry 0, which is different: both are ignored; \
                 entry 2: the same user name as entry 0, which is different: both are ignored; and 1 more"
            );
            assert!(users.find("bob").is_none() && users.find("alice").is_some());
            assert_eq!(users.len(), 1);
        }
    }
    let (users, ignored) = read(&json!([user("bob"), user("bob")]));
    assert_eq!(ignored, "entry 1: duplicate of entry 0");
    assert!(users.find("bob").is_some());
}

#[test]
fn what_is_no_list_is_a_fault() {
    for body in [
        "",
        "[]",
        "{}",
        "{\"keys\":[]}",
        "{\"users\":{}}",
        "alice:$2y$04$",
    ] {
        let fault = ListFault::Items(ItemsFault::Shape("users"));
        assert_eq!(UserList::read(body.as_bytes()).err(), Some(fault), "{body}");
    }
    let many = format!("{{\"users\":[{}1]}}", "1,".repeat(listed::MAX_ENTRIES));
    assert_eq!(
        UserList::read(many.as_bytes()).err(),
        Some(ListFault::TooMany)
    );
}

/// Two workers read the same list, and must not differ in how long an unknown user takes.
#[test]
fn the_hash_that_stands_in_for_an_unknown_user_is_the_same_in_every_worker() {
    let hash = |number: usize| {
        format!(
            "$argon2id$v=19$m={},t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$NA0h8xYZFq63UaPoxaLXyIDOUAOlptAVJpZuW1fw3Zs",
            8 + number
        )
    };
    let entries: Vec<_> = (0..8)
        .map(|number| json!({"name": format!("user{number}"), "password": hash(number)}))
        .collect();
    let ((one, _), (two, _)) = (read(&json!(entries)), read(&json!(entries)));
    let (changed, _) = read(&json!(entries.get(1..)));
    let mut chosen: BTreeMap<usize, usize> = BTreeMap::new();
    let mut differ = 0;
    for number in 0..400 {
        let name = format!("stranger{number}");
        let decoy = one.decoy(&name).unwrap();
        assert!(two.decoy(&name) == Some(decoy));
        let position =
            (0..8).position(|number| PasswordHash::parse(&hash(number)).as_ref() == Ok(decoy));
        *chosen.entry(position.unwrap()).or_default() += 1;
        differ += usize::from(changed.decoy(&name) != Some(decoy));
    }
    assert_eq!(chosen.len(), 8);
    assert!(
        chosen.values().all(|times| (20..=90).contains(times)),
        "{chosen:?}"
    );
    assert!(differ > 200, "{differ}");
}

#[test]
fn an_empty_list_has_no_hash_to_stand_in() {
    let (users, _) = read(&json!([]));
    assert!(users.is_empty());
    assert_eq!(users.decoy("stranger"), None);
}

proptest! {
    /// Each name is found if and only if all its entries are the same.
    #[test]
    fn users_are_found_as_in_a_map(entries in prop::collection::vec((0_u8..40, any::<bool>()), 0..80)) {
        let mut expected: BTreeMap<u8, Option<bool>> = BTreeMap::new();
        for (name, is_admin) in &entries {
            let known = expected.entry(*name).or_insert(Some(*is_admin));
            if *known != Some(*is_admin) {
                *known = None;
            }
        }
        let listed = entries.iter().map(|(name, is_admin)| {
            let roles = if *is_admin { &["admin"][..] } else { &[] };
            json!({"name": format!("user{name}"), "password": SHA, "roles": roles})
        });
        let (users, _) = read(&listed.collect());
        for name in 0..40 {
            let found = users.find(&format!("user{name}"));
            let is_admin = found.map(|user| !user.grants.roles.is_empty());
            prop_assert_eq!(is_admin, expected.get(&name).copied().flatten());
        }
        prop_assert_eq!(users.len(), expected.values().flatten().count());
    }
}
