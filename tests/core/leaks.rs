//! The search for secrets finds what it has to find, and nothing else. Every driver of the cases relies on it.

use serde_json::json;

use crate::support::leaks::Secrets;

const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.Zm9yZ2VkLXNpZ25hdHVyZQ";

/// The secrets of a request with this header and this target, under a configuration that looks at three more locations.
fn secrets(target: &str, name: &str, value: &str) -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add_configuration(&json!({"providers": [
        {"name": "a", "api_key": {"from": [{"header": "X-Gate"}, {"cookie": "session"}, {"query": "key"}]}},
        {"name": "b", "introspection": {"client_secret": "plugh-xyzzy"}},
        {"name": "c", "api_key": {"keys": {"remote": {"headers": {"authorization": "Bearer source-0815"}}}}},
        {"name": "d", "digest": {"secret": "nonces-4711", "users": [{"name": "lab", "ha1": {"MD5": "f82021ab4b89728ed8290e2a8e694ef6"}}]}},
    ]}));
    secrets.add_request(target.as_bytes(), [(name.as_bytes(), value.as_bytes())]);
    secrets
}

fn is_found(secrets: &Secrets, written: &str) -> bool {
    let line = format!("[info] before\n{{\"path\":\"/\",\"x\":\"{written}\"}}\nafter");
    let found = secrets.found_in(&line);
    assert!(found.len() <= 1, "{found:?}");
    !found.is_empty()
}

#[test]
fn a_token_is_found_by_its_beginning_and_by_the_beginning_of_each_part() {
    let bearer = secrets("/", "Authorization", &format!("Bearer {TOKEN}"));
    for written in [
        TOKEN,
        &TOKEN[..12],
        &TOKEN[..30],
        "x=eyJzdWIiOiJhbGljZSJ9",
        "Zm9yZ2VkLXNpZ25h",
    ] {
        assert!(is_found(&bearer, written), "{written}");
    }
    for written in ["Bearer", "eyJhbGciOiJ", "alice", "ES256", ""] {
        assert!(!is_found(&bearer, written), "{written}");
    }
}

#[test]
fn a_login_is_found_in_base64_and_decoded() {
    // `alice:correct horse`
    let basic = secrets("/", "authorization", "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==");
    for written in [
        "YWxpY2U6Y29ycmVjdCBob3JzZQ==",
        "alice:correct horse",
        "correct horse",
    ] {
        assert!(is_found(&basic, written), "{written}");
    }
    assert!(!is_found(&basic, "alice"));
}

/// The other parameters of Digest are public: the filter shows them in its challenges.
#[test]
fn of_digest_only_what_the_client_computes_is_found() {
    let digest = secrets(
        "/",
        "authorization",
        r#"digest username="laboratory", realm="api-of-orders", nonce="bm9uY2Utb2Y", uri="/orders/7", algorithm=SHA-256, cnonce="Y25vbmNlLW9m", response=753927fa0e85d155"#,
    );
    for written in ["Y25vbmNlLW9m", "753927fa0e85d155"] {
        assert!(is_found(&digest, written), "{written}");
    }
    for written in [
        "laboratory",
        "api-of-orders",
        "bm9uY2Utb2Y",
        "/orders/7",
        "algorithm=SHA-256",
    ] {
        assert!(!is_found(&digest, written), "{written}");
    }
}

#[test]
fn a_proof_is_found_by_the_beginning_of_each_part() {
    let proof = secrets("/", "DPoP", TOKEN);
    for part in TOKEN.split('.') {
        assert!(is_found(&proof, part), "{part}");
    }
}

#[test]
fn a_key_is_found_from_every_location_of_the_configuration() {
    for (target, name, value) in [
        ("/", "x-api-key", "k-0815-4711"),
        ("/", "x-gate", "k-0815-4711"),
        ("/", "Cookie", "theme=dark; session=k-0815-4711"),
        ("/?page=2&key=k-0815-4711", "accept", "*/*"),
    ] {
        let secrets = secrets(target, name, value);
        assert!(is_found(&secrets, "k-0815-4711"), "{target} {name}");
        assert!(!is_found(&secrets, "k-0815-4712"), "{target} {name}");
    }
}

#[test]
fn secrets_of_the_configuration_are_found() {
    let secrets = secrets("/", "accept", "text/html, application/json");
    for written in [
        "plugh-xyzzy",
        "source-0815",
        "nonces-4711",
        "f82021ab4b89728ed8290e2a8e694ef6",
    ] {
        assert!(is_found(&secrets, written), "{written}");
    }
    assert!(!is_found(&secrets, "application/json"));
}

#[test]
fn what_is_short_or_repeats_itself_is_not_searched_for() {
    for value in ["Bearer a.b", "Bearer", "Bearer aaaaaaaaaaaaaaaaaa", ""] {
        let secrets = secrets("/", "authorization", value);
        assert!(!is_found(&secrets, value), "{value}");
    }
}
