//! The names of files in messages: as the user typed them, unless they are tokens or random keys.

use crate::cli::{Desk, FAILURE};

const LONG: &str = "countersign-production-2026-11-26";

#[test]
fn the_name_of_a_file_is_shown_as_it_was_typed() {
    let desk = Desk::new();
    desk.mint();
    for name in [
        LONG,
        "countersign-production-2026-11-26.yaml",
        "CountersignProductionGatewayPolicy2026Q4.yaml",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301.token",
        "nowhere/2026/countersign-production.yaml",
        "the policy of 2026-11-26T12:00:00Z=a,b.yaml",
        "export-2026-policies",
        "é-countersign-production-2026",
    ] {
        let equals = format!("--jwks={name}");
        for arguments in [
            &["check", name][..],
            &["explain", name, "--path", "/"],
            &["mint", "--key", name],
            &["explain", "key.json", "--path", "/", "--jwks", name],
            &["explain", "key.json", "--path", "/", &equals],
            &["explain", "key.json", "--path", "/", "--bearer-file", name],
        ] {
            desk.write("key.json", "{\"default\": \"public\"}");
            let ran = desk.run(arguments);
            assert_eq!(ran.code, FAILURE, "{arguments:?}");
            assert!(
                ran.err.contains(&format!("cannot read `{name}`: ")),
                "{arguments:?}: {}",
                ran.err
            );
        }
    }
}

#[test]
fn the_name_of_a_file_that_is_read_or_written_is_shown() {
    let desk = Desk::new();
    desk.mint();
    let name = format!("{LONG}-x.conf");
    for (content, arguments, expected) in [
        ("a: [", vec!["check", &name], "cannot read `"),
        ("", vec!["check", &name], "` contains no configuration"),
        (
            "kind: Service",
            vec!["check", &name],
            "` contains no configuration",
        ),
        ("{}", vec!["mint", "--key", &name], "` is not a private key"),
        (
            "{}",
            vec!["mint", "--key", "key.json", "--key-out", &name],
            "cannot write `",
        ),
        (
            "realm: a\n---\nrealm: b",
            vec!["explain", &name, "--path", "/"],
            "` contains 2 configurations",
        ),
    ] {
        desk.write(&name, content);
        let ran = desk.run(&arguments);
        assert_eq!(ran.code, FAILURE, "{arguments:?}");
        assert!(
            ran.err.contains(expected) && ran.err.contains(&name),
            "{arguments:?}: {}",
            ran.err
        );
    }
    let ran = desk.run(&["check", &name, &name]);
    assert!(ran.out.contains(&name), "{}", ran.out);
    let ran = desk.run(&["check", "a.yaml", "countersign-production-2026-11-26.yaml"]);
    assert!(
        ran.err.contains("countersign-production-2026-11-26.yaml"),
        "{}",
        ran.err
    );
}

#[test]
fn a_token_or_a_random_key_in_place_of_a_file_is_not_shown() {
    let desk = Desk::new();
    let token = desk.mint();
    let [head, claims] = [0, 1].map(|part| token.split('.').nth(part).unwrap());
    let unsigned = format!("{head}.{claims}.");
    let spaced = format!("ewogICJhbGciOiAiRVMyNTYiCn0.{claims}");
    let named = format!("{token}\u{200b}.jwt");
    let random = "xvE4aGq09ZtQpLw7RkYh3nBsUjMdCf1o";
    for secret in [&token[..], head, claims, &unsigned, &spaced, &named, random] {
        for arguments in [&["check", secret][..], &["mint", "--key", secret]] {
            let ran = desk.run(arguments);
            assert_eq!(ran.code, FAILURE);
            for part in [head, claims, random] {
                assert!(!ran.err.contains(part), "{}", ran.err);
            }
        }
    }
}

#[test]
fn characters_that_change_a_line_are_escaped_in_the_name_of_a_file() {
    let desk = Desk::new();
    let name = "a\u{1b}[31m\nb\u{202e}c.yaml";
    let shown = "a\\u001b[31m\\u000ab\\u202ec.yaml";
    let ran = desk.run(&["check", name]);
    assert!(ran.err.contains(shown), "{}", ran.err);
    desk.write(name, "realms: x");
    let ran = desk.run(&["check", name]);
    assert!(ran.out.starts_with(&format!("{shown}: ")), "{}", ran.out);
    let ran = desk.run(&["explain", name, "--path", "/"]);
    assert!(ran.out.starts_with(&format!("{shown}: ")), "{}", ran.out);
}
