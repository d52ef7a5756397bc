//! `mint`: how the values of claims are read.

use serde_json::{Value, json};

use crate::cli::{Desk, FAILURE, parts};

/// The value of a claim that `mint` signs at 1772366400.
fn minted(desk: &Desk, name: &str, text: &str) -> Value {
    let claim = format!("{name}={text}");
    let token = desk.mint_with(&[
        "--key",
        "key.json",
        "--now",
        "1772366400",
        "--claim",
        &claim,
    ]);
    parts(&token).1[name].clone()
}

#[test]
fn claims_are_read_in_the_notation_of_the_readme() {
    let desk = Desk::new();
    desk.mint();
    for (text, expected) in [
        ("[operator]", json!(["operator"])),
        ("[clerk,packer]", json!(["clerk", "packer"])),
        ("[ clerk , packer ]", json!(["clerk", "packer"])),
        (" [clerk]", json!(["clerk"])),
        ("[]", json!([])),
        ("{}", json!({})),
        ("['a, b', \"c\"]", json!(["a, b", "c"])),
        ("[orders:read]", json!(["orders:read"])),
        (
            "[yes, no, on, off, y]",
            json!(["yes", "no", "on", "off", "y"]),
        ),
        (
            "[true, null, 1, -1.5, 1e3, 007]",
            json!([true, Value::Null, 1, -1.5, 1000.0, "007"]),
        ),
        ("['1', \"true\"]", json!(["1", "true"])),
        ("[[a], [b, c]]", json!([["a"], ["b", "c"]])),
        ("{a: b}", json!({"a": "b"})),
        ("{roles: [a, {b: 1}]}", json!({"roles": ["a", {"b": 1}]})),
        ("[\"admin\"]", json!(["admin"])),
        ("[a é]", json!(["a é"])),
        // Not a list and not an object.
        ("red", json!("red")),
        ("17", json!(17)),
        ("true", json!(true)),
        ("\"17\"", json!("17")),
        ("\"[a]\"", json!("[a]")),
        ("a=b", json!("a=b")),
        ("a, b", json!("a, b")),
        ("yes", json!("yes")),
        ("", json!("")),
        ("now-1h", json!("now-1h")),
    ] {
        assert_eq!(minted(&desk, "roles", text), expected, "{text}");
    }
}

#[test]
fn dates_are_relative_to_the_time_of_issue() {
    let desk = Desk::new();
    desk.mint();
    for (text, expected) in [
        ("now", json!(1_772_366_400)),
        ("now-1h", json!(1_772_362_800)),
        ("now+5m", json!(1_772_366_700)),
        ("\"now\"", json!("now")),
        ("1772000000", json!(1_772_000_000)),
        ("soon", json!("soon")),
    ] {
        for name in ["auth_time", "nbf", "iat", "exp"] {
            assert_eq!(minted(&desk, name, text), expected, "{name}={text}");
        }
    }
}

#[test]
fn an_invalid_list_or_object_is_a_failure_with_advice() {
    let desk = Desk::new();
    desk.mint();
    let string = "for a string, quote the value: `--claim 'roles=\"[a, b]\"'`";
    for (arguments, expected) in [
        (["--claim", "roles=[a"], string),
        (["--claim", "roles=[a]]"], string),
        (["--claim", "roles=[a] b"], string),
        (["--claim", "roles=[a]\n---\n[b]"], string),
        (["--claim", "roles=[a, , b]"], string),
        (["--claim", "roles={id}"], "expected a value"),
        (["--claim", "roles={a: }"], "expected a value"),
        (["--claim", "roles={a: 1, a: 2}"], "duplicate key `a`"),
        (["--claim", "roles=[orders: read]"], "without a space"),
        (["--claim", "roles=[*a]"], "unknown anchor"),
        (
            ["--claim", "auth_time=now-soon"],
            "expected a time such as `auth_time=now-5m`",
        ),
        (["--claim", "exp=nowhere"], "expected a time"),
        (["--claim", "=a"], "expected `name=value`"),
        (
            ["--audience", "[a, b]"],
            "`--audience`: expected one value, found the list `[a, b]`: repeat `--audience`",
        ),
        (["--scope", "[a]"], "`--scope`: expected one value"),
    ] {
        let ran = desk.run(&[&["mint", "--key", "key.json"][..], &arguments].concat());
        assert_eq!((ran.code, ran.out.as_str()), (FAILURE, ""), "{arguments:?}");
        assert!(ran.err.contains(expected), "{arguments:?}: {}", ran.err);
    }
}
