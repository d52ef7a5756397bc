//! `explain` with credentials of every kind: it names each of them, and prints none.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::cli::{DENIED, Desk, FAILURE, GOOD, Ran};

const KEY: &str = "hunter2";

fn hash(key: &str) -> String {
    let digest = Sha256::digest(key);
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn entry(id: &str, key: &str) -> Value {
    json!({"id": id, "sha256": hash(key), "scopes": ["orders:read"]})
}

fn remote(name: &str, header: &str) -> Value {
    let remote = json!({"uri": "https://keys.example.com/keys", "cluster": "keys"});
    json!({"name": name, "api_key": {"from": [{"header": header}], "keys": {"remote": remote}}})
}

/// A desk with the documents of this file.
fn desk() -> Desk {
    let desk = Desk::new();
    let from = json!([{"header": "x-api-key"}, {"query": "api_key"}]);
    let inline =
        json!({"name": "partners", "api_key": {"from": from, "keys": [entry("acme", KEY)]}});
    let introspection = json!({"name": "opaque", "introspection": {
        "uri": "https://login.example.com/introspect",
        "cluster": "login",
        "client_id": "gate",
        "client_secret": "xyzzy-plugh",
    }});
    for (name, providers) in [
        ("both.json", json!([inline, introspection])),
        ("remote.json", json!([remote("partners", "x-api-key")])),
        (
            "remotes.json",
            json!([
                remote("partners", "x-api-key"),
                remote("staff", "x-staff-key")
            ]),
        ),
    ] {
        desk.write(
            name,
            json!({"realm": "orders", "providers": providers}).to_string(),
        );
    }
    desk.write(
        "keys.json",
        json!({"keys": [entry("acme", KEY)]}).to_string(),
    );
    desk.write(
        "active.json",
        json!({"active": true, "sub": "alice"}).to_string(),
    );
    desk.write("inactive.json", r#"{"active": false}"#);
    // Longer than the filter reads.
    desk.write(
        "long.json",
        format!(r#"{{"active": true}}{}"#, " ".repeat(65_536)),
    );
    desk
}

fn explain(desk: &Desk, file: &str, arguments: &[&str]) -> Ran {
    let ran = desk.run(&[&["explain", file, "--path", "/orders"], arguments].concat());
    for printed in [&ran.out, &ran.err] {
        assert!(!printed.contains(KEY), "{printed}");
        assert!(!printed.contains("xyzzy-plugh"), "{printed}");
    }
    ran
}

#[test]
fn each_credential_of_a_request_is_named() {
    let desk = desk();
    let key = format!("x-api-key: {KEY}");
    let arguments = [
        "--header",
        &key,
        "--bearer",
        "opaque-1",
        "--introspection",
        "active.json",
    ];
    let ran = explain(&desk, "both.json", &arguments);
    assert_eq!(ran.code, GOOD, "{}{}", ran.out, ran.err);
    let mut credentials = ran.lines()[3..].to_vec();
    credentials.pop();
    let last = credentials.pop();
    let verified = [
        "the request has a credential in the header `x-api-key`",
        "provider `partners` verified subject `acme`, scopes `orders:read`",
        "the request has a Bearer credential",
        "provider `opaque` verified subject `alice`",
    ];
    for pair in verified.chunks(2) {
        assert!(credentials.windows(2).any(|own| own == pair), "{}", ran.out);
    }
    assert_eq!(credentials.len(), verified.len(), "{}", ran.out);
    assert_eq!(
        last,
        Some(
            "passes: subject `acme`, verified by provider `partners`; subject `alice`, verified by provider `opaque`"
        )
    );
    let ran = explain(&desk, "both.json", &[&arguments[..], &["--json"]].concat());
    assert_eq!(
        ran.json()["callers"],
        json!([
            {"provider": "partners", "subject": "acme"},
            {"provider": "opaque", "subject": "alice"},
        ])
    );
}

#[test]
fn a_request_without_a_credential_has_no_callers() {
    let ran = explain(&desk(), "both.json", &["--json"]);
    assert_eq!(
        (ran.code, ran.json()["callers"].clone()),
        (DENIED, json!([]))
    );
}

#[test]
fn the_response_of_an_authorization_server_is_read_from_a_file() {
    let desk = desk();
    let bearer = ["--bearer", "opaque-1"];
    let ran = explain(&desk, "both.json", &bearer);
    assert_eq!(ran.code, FAILURE);
    assert_eq!(
        ran.err,
        "countersign: the filter introspects the token of provider `opaque` at run time; pass the response with \
         `--introspection FILE`, or `--unavailable`\n"
    );
    for (file, code) in [
        ("active.json", GOOD),
        ("opaque=active.json", GOOD),
        ("inactive.json", DENIED),
        // The filter cannot use such a response.
        ("both.json", DENIED),
        ("long.json", DENIED),
        ("missing.json", FAILURE),
    ] {
        let given = [&bearer[..], &["--introspection", file]].concat();
        let ran = explain(&desk, "both.json", &given);
        assert_eq!(ran.code, code, "{file}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn a_fetched_list_is_read_from_a_file() {
    let desk = desk();
    let key = format!("x-api-key: {KEY}");
    let ran = explain(&desk, "remote.json", &["--header", &key]);
    assert_eq!(ran.code, FAILURE);
    assert_eq!(
        ran.err,
        "countersign: the filter fetches the list of provider `partners` at run time; pass the response with `--entries FILE`, or \
         `--unavailable`\n"
    );
    for file in ["keys.json", "partners=keys.json"] {
        let ran = explain(&desk, "remote.json", &["--header", &key, "--entries", file]);
        assert_eq!(ran.code, GOOD, "{}{}", ran.out, ran.err);
        assert_eq!(ran.lines()[0], "the list of provider `partners`: 1 usable");
    }
    let ran = explain(
        &desk,
        "remote.json",
        &["--header", "x-api-key: other", "--entries", "keys.json"],
    );
    assert_eq!(ran.code, DENIED, "{}", ran.out);
    for (document, file, message) in [
        (
            "remotes.json",
            "keys.json",
            "`--entries`: expected `PROVIDER=FILE`, with one of the providers partners, staff",
        ),
        (
            "both.json",
            "keys.json",
            "`--entries`: no provider fetches a list",
        ),
        ("remote.json", "active.json", "cannot read `active.json`: "),
        ("remote.json", "none.json", "cannot read `none.json`: "),
    ] {
        let ran = explain(&desk, document, &["--header", &key, "--entries", file]);
        assert_eq!(ran.code, FAILURE);
        assert!(
            ran.err.starts_with(&format!("countersign: {message}")),
            "{}",
            ran.err
        );
    }
    let header = format!("x-staff-key: {KEY}");
    let ran = explain(
        &desk,
        "remotes.json",
        &["--header", &header, "--entries", "staff=keys.json"],
    );
    assert_eq!(ran.code, GOOD, "{}{}", ran.out, ran.err);
}

#[test]
fn a_key_or_password_is_not_printed_even_if_the_command_line_is_wrong() {
    let desk = desk();
    // `alice:a` in base64, which is as short as an ordinary word.
    let basic = "YWxpY2U6YQ==";
    let target = format!("/orders?api_key={KEY}");
    let header = format!("x-api-key: {KEY}");
    let glued = format!("--header=x-api-key:{KEY}");
    let login = format!("alice:{KEY}");
    for arguments in [
        vec!["--header", "x-api-key:", KEY],
        vec!["--header", "authorization:", "Basic", basic],
        vec!["--header", "authorization:", basic],
        vec!["--header", KEY],
        vec![&header],
        vec![&target],
        vec![&glued, "--unknown"],
        vec!["--path", &target],
        vec!["--header", &header, "--now", "never"],
        vec!["--user-file", &login],
    ] {
        let ran = desk.run(&[&["explain", "both.json"], &arguments[..]].concat());
        for secret in [KEY, basic] {
            let printed = format!("{}{}", ran.out, ran.err);
            assert!(!printed.contains(secret), "{arguments:?}: {printed}");
        }
    }
    let ran = desk.run(&[
        "explain",
        "both.json",
        "--path",
        "/",
        "--now",
        "2026-13-01T00:00:00Z",
    ]);
    assert!(ran.err.contains("`2026-13-01T00:00:00Z`"), "{}", ran.err);
    for kind in ["key", "password", "digest"] {
        let ran = desk.run(&["hash", kind, KEY]);
        assert_eq!(ran.code, FAILURE);
        assert!(!ran.err.contains(KEY), "{}", ran.err);
    }
}

#[test]
fn keys_that_cannot_be_used_are_a_fault_of_their_file() {
    let desk = Desk::new();
    desk.mint();
    desk.write("gate.json", desk.document().to_string());
    desk.write("empty.json", r#"{"keys": []}"#);
    for (file, message) in [
        ("key.json", "a key set must have an array `keys`"),
        (
            "empty.json",
            "no key can verify a token with the accepted algorithms",
        ),
    ] {
        let ran = desk.run(&["explain", "gate.json", "--path", "/", "--jwks", file]);
        assert_eq!(ran.code, FAILURE, "{}{}", ran.out, ran.err);
        let expected = format!("the keys in `{file}` cannot be used: {message}");
        assert!(ran.err.contains(&expected), "{}", ran.err);
        assert!(!ran.out.contains("gate.json"), "{}", ran.out);
    }
}
