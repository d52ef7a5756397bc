use serde_json::{Value, json};

use super::*;
use crate::config::{Loaded, load_value};
use crate::keys::Content;

const BCRYPT: &str = "$2y$10$Dxzt0F36BFNeDC.mV2Ol5ObeBg7i8Ibq8oN8yDHyQgcQnuDcmSumW";
const SHA: &str = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";

/// The configuration with these users, or the faults without the location of the provider.
fn loaded(users: &Value) -> Result<Loaded, Vec<String>> {
    let document = json!({ "providers": [{ "name": "staff", "basic": { "users": users } }] });
    load_value(&document).map_err(|faults| {
        let fault = faults.iter().map(ToString::to_string);
        fault
            .inspect(|fault| assert!(!fault.contains("hunter2"), "{fault}"))
            .map(|fault| fault.replace("providers[0].basic.", ""))
            .collect()
    })
}

fn faults(users: &Value) -> Vec<String> {
    loaded(users).err().unwrap_or_default()
}

fn warnings(users: &Value) -> Vec<String> {
    let warnings = loaded(users).unwrap().warnings;
    let warnings = warnings.iter().map(ToString::to_string);
    warnings
        .map(|warning| warning.replace("providers[0].basic.", ""))
        .collect()
}

/// The user `alice` with these members.
fn with(members: &Value) -> Value {
    let mut user = json!({"name": "alice", "password": BCRYPT});
    for (name, value) in members.as_object().unwrap() {
        user[name] = value.clone();
    }
    user
}

#[test]
fn inline_users_are_compiled() {
    let users = json!([
        {"name": "alice", "password": BCRYPT, "scopes": ["orders:read"], "roles": ["clerk"]},
        {"name": "jörg", "password": BCRYPT.replace("$2y$", "$2b$")},
    ]);
    assert_eq!(warnings(&users), [""; 0]);
    let policy = loaded(&users).unwrap().plan.policy.unwrap();
    let Some(Method::Basic(basic::Basic {
        users: Users::Inline(users),
        offers,
        ..
    })) = policy.providers.first().map(|provider| &provider.method)
    else {
        panic!("{:?}", policy.providers);
    };
    assert_eq!((users.len(), offers.len()), (2, 1));
    let alice = users.find("alice").unwrap();
    assert!(alice.grants.scopes.iter().eq(["orders:read"]));
    assert!(alice.grants.roles.iter().eq(["clerk"]));
    assert!(users.find("jörg").is_some());
}

/// BA-05: `Basic` cannot send a user name with a colon.
#[test]
fn ba_05_each_mistake_in_a_user_has_one_message_that_shows_no_password() {
    let name = "users[0].name: expected a user name of 1 to 256 bytes, without a colon, without whitespace at an end and \
                without invisible characters";
    let advice = "hash the password with `htpasswd -B` or `countersign hash password`";
    let found = |what: &str| {
        format!("users[0].password: expected a bcrypt or argon2id hash, found {what}: {advice}")
    };
    for (users, expected) in [
        (json!([with(&json!({"name": "a:b"}))]), name.to_owned()),
        (json!([with(&json!({"name": ""}))]), name.to_owned()),
        (json!([with(&json!({"name": "a\u{7}"}))]), name.to_owned()),
        (json!([with(&json!({"name": "a "}))]), name.to_owned()),
        (
            json!([with(&json!({"password": "hunter2"}))]),
            found("plain text or a DES hash of crypt(3)"),
        ),
        (
            json!([with(&json!({"password": "$apr1$hunter2"}))]),
            found("MD5 (`$apr1$` or `$1$`)"),
        ),
        (
            json!([with(&json!({"password": BCRYPT.replace("$10$", "$15$")}))]),
            "users[0].password: expected a bcrypt cost from 4 to 14, found 15: a verification stops the worker, and each step \
             doubles its time"
                .to_owned(),
        ),
        (
            json!([{"name": "alice"}]),
            "users[0].password: missing: expected a bcrypt or argon2id hash".to_owned(),
        ),
        (
            json!([{"password": BCRYPT}]),
            "users[0].name: missing: expected a string".to_owned(),
        ),
        (
            json!([with(&json!({"role": "admin"}))]),
            "users[0].role: unknown key; did you mean `roles`?".to_owned(),
        ),
        (
            json!([with(&json!({})), with(&json!({"roles": ["admin"]}))]),
            "users[1].name: duplicate of entry 0".to_owned(),
        ),
        (json!([]), "users: expected at least one user".to_owned()),
    ] {
        assert_eq!(faults(&users), [expected], "{users}");
    }
}

#[test]
fn a_value_of_another_type_is_not_shown() {
    for users in [
        json!("alice:hunter2"),
        json!(["alice:hunter2"]),
        json!([["hunter2"]]),
        json!([with(&json!({"password": {"text": "hunter2"}}))]),
        json!([with(&json!({"password": 7}))]),
    ] {
        let faults = faults(&users);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults.iter().all(|fault| !fault.contains('7')),
            "{faults:?}"
        );
    }
}

#[test]
fn a_hash_that_is_fast_or_costly_is_a_warning() {
    let fast = "users[0].password: this hash has no salt and is fast to compute, so that the password can be guessed from it: \
                use bcrypt or argon2id";
    assert_eq!(warnings(&json!([with(&json!({"password": SHA}))])), [fast]);
    let costly = BCRYPT.replace("$10$", "$11$");
    let costly = warnings(&json!([with(&json!({"password": costly}))]));
    assert_eq!(
        costly,
        [
            "users[0].password: a verification of this hash stops the worker for more than 100 ms: use bcrypt with cost 10, or \
             argon2id with less memory"
        ]
    );
}

#[test]
fn without_a_cache_passwords_are_a_warning() {
    let warned = |users: Value| {
        let document = json!({
            "cache": {"verified": 0},
            "providers": [{"name": "staff", "basic": {"users": users}}],
        });
        let warnings = load_value(&document).unwrap().warnings;
        warnings
            .iter()
            .any(|warning| warning.what == Warning::UncachedPasswords)
    };
    assert!(warned(json!([with(&json!({}))])));
    assert!(warned(
        json!({"remote": {"uri": "https://users.example.com/", "cluster": "users"}})
    ));
    assert!(!warned(json!([with(&json!({"password": SHA}))])));
}

#[test]
fn users_can_be_fetched() {
    let remote = json!({"remote": {"uri": "https://users.example.com/", "cluster": "users"}});
    let policy = loaded(&remote).unwrap().plan.policy.unwrap();
    assert!(matches!(
        policy.sources.first().unwrap().content,
        Content::Users(_)
    ));
    assert_eq!(
        faults(&json!({"remote": {"uri": "http://users.example.com/", "cluster": "users"}})).len(),
        1
    );
}

#[test]
fn the_budget_for_hashes_has_bounds() {
    let budget = |text: &str| {
        let loaded = load_value(&json!({ "hash_budget": text, "default": "public" }));
        loaded
            .map(|loaded| loaded.plan.hash_budget.as_millis())
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(
        load_value(&json!({ "default": "public" }))
            .unwrap()
            .plan
            .hash_budget
            .as_millis(),
        50
    );
    for (text, millis) in [("1ms", 1), ("50ms", 50), ("900ms", 900)] {
        assert_eq!(budget(text), Ok(millis));
    }
    for text in ["0s", "500us", "901ms", "1s"] {
        let fault = "hash_budget: expected a duration from `1ms` to `900ms`".to_owned();
        assert_eq!(budget(text), Err(vec![fault]), "{text}");
    }
}

#[test]
fn a_provider_has_one_kind_of_credential() {
    let document = json!({"providers": [{
        "name": "staff",
        "basic": {"users": [with(&json!({}))]},
        "api_key": {"keys": [{"id": "a", "sha256": "a".repeat(64)}]},
    }]});
    let faults = load_value(&document).unwrap_err();
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "providers[0]: expected exactly one of `jwt`, `introspection`, `api_key`, `basic`, `digest` and `mtls`"
        ]
    );
}

#[test]
fn two_lists_of_users_cannot_be_accepted_by_one_rule() {
    let provider = |name: &str| json!({"name": name, "basic": {"users": [with(&json!({}))]}});
    let faults = load_value(&json!({"providers": [provider("a"), provider("b")]})).unwrap_err();
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert!(
        faults
            .iter()
            .any(|fault| fault.contains("the providers `a` and `b` accept the same credentials")),
        "{faults:?}"
    );
}
