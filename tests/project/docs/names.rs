//! Names in code spans of the pages: commands and their options, keys of the configuration, and reasons.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use regex_lite::Regex;
use serde_json::Value;

use super::expect_none;
use crate::pages::{Page, markdown, pages};
use crate::support::document;

/// A code span such as `countersign check --strict` has a command and options that exist.
#[test]
fn every_command_and_option_exists() {
    let mut helps = BTreeMap::new();
    let option = Regex::new(r"(?:^|[\s\[|])(--[a-z][a-z-]*)").unwrap();
    let (mut faults, mut seen) = (Vec::new(), 0);
    for page in pages() {
        for (line, span) in markdown::spans(&page.text) {
            let Some(rest) = span.strip_prefix("countersign ") else {
                continue;
            };
            seen += 1;
            let words = rest.split_whitespace();
            let verbs: Vec<&str> = words.take_while(is_verb).collect();
            let help = helps.entry(verbs.join(" ")).or_insert_with(|| help(&verbs));
            let Some(help) = help else {
                faults.push(format!(
                    "{}: no command `countersign {}`",
                    page.at(line),
                    verbs.join(" ")
                ));
                continue;
            };
            for captures in option.captures_iter(rest) {
                if !help.contains(&captures[1]) {
                    faults.push(format!(
                        "{}: no option `{}` in `{span}`",
                        page.at(line),
                        &captures[1]
                    ));
                }
            }
        }
    }
    assert!(seen > 10, "found only {seen} commands");
    expect_none(&faults);
}

/// Whether a word is a command, and no file, option or value.
fn is_verb(word: &&str) -> bool {
    word.chars().all(|c| c.is_ascii_lowercase())
}

/// The help of a command. The last word can be a value, as in `countersign hash key`.
fn help(verbs: &[&str]) -> Option<String> {
    (0..=verbs.len()).rev().find_map(|count| {
        let ran = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(&verbs[..count])
            .arg("--help")
            .output()
            .unwrap();
        let is_known = ran.status.success() && (count > 0 || verbs.is_empty());
        is_known.then(|| String::from_utf8_lossy(&ran.stdout).into_owned())
    })
}

/// A code span such as `responses.not_found` is the path of a key of the configuration.
#[test]
fn every_key_exists() {
    let schema = document::read("docs/schema/document.json");
    let top: BTreeSet<&String> = schema["properties"].as_object().unwrap().keys().collect();
    let path = Regex::new(r"^[a-z_]+(?:\.[a-z_]+)+$").unwrap();
    let (mut faults, mut seen) = (Vec::new(), 0);
    for page in pages() {
        for (line, span) in markdown::spans(&page.text) {
            let (first, rest) = span.split_once('.').unwrap_or((&span, ""));
            if !path.is_match(&span) || !top.contains(&first.to_owned()) {
                continue;
            }
            seen += 1;
            let rest: Vec<&str> = rest.split('.').collect();
            if !leads_to(&schema, &schema["properties"][first], &rest) {
                faults.push(format!("{}: no key `{span}`", page.at(line)));
            }
        }
    }
    assert!(seen > 10, "found only {seen} keys");
    expect_none(&faults);
}

/// Whether a part of a schema has a key at a path. A list has the keys of its items, and an object of any names has all.
fn leads_to(schema: &Value, part: &Value, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return true;
    };
    let follow = |other: &Value| leads_to(schema, other, path);
    let referenced = part["$ref"]
        .as_str()
        .and_then(|target| schema.pointer(target.strip_prefix('#')?));
    let alternatives = ["anyOf", "oneOf", "allOf"]
        .iter()
        .filter_map(|key| part[key].as_array())
        .flatten();
    part["properties"]
        .get(first)
        .is_some_and(|own| leads_to(schema, own, rest))
        || part["additionalProperties"].is_object()
        || referenced.is_some_and(follow)
        || part["items"].is_object() && follow(&part["items"])
        || alternatives.into_iter().any(follow)
}

/// A code span such as `countersign_token_expired` is a response-code detail that `docs/observability.md` explains: by its
/// reason, or in a row. Series of Prometheus begin in the same way: the page shows them with their labels.
#[test]
fn every_response_code_detail_exists() {
    let pages_of_it = ["docs/observability.md", "docs/monitoring.md"];
    let explained = pages_of_it.map(|page| Page::read(page).text).concat();
    let detail = Regex::new(r"^countersign_([a-z_]+)$").unwrap();
    let mut faults = Vec::new();
    for page in pages() {
        for (line, span) in markdown::spans(&page.text) {
            let Some(captures) = detail.captures(&span) else {
                continue;
            };
            let rows = [&span, &captures[1]].map(|name| format!("\n| `{name}` |"));
            let in_series = [format!("\n{span}{{"), format!("{span}=\"")];
            if !rows
                .iter()
                .chain(&in_series)
                .any(|text| explained.contains(text))
            {
                faults.push(format!("{}: no detail `{span}`", page.at(line)));
            }
        }
    }
    expect_none(&faults);
}

#[test]
fn commands_are_found_by_their_help() {
    assert!(help(&["check"]).unwrap().contains("--help"));
    assert!(help(&["hash", "key", "word"]).is_some());
    assert!(help(&["chek"]).is_none());
}

#[test]
fn keys_are_found_in_the_schema() {
    let schema = document::read("docs/schema/document.json");
    for (path, expected) in [
        ("responses.not_found.status", true),
        ("rules.match.paths", true),
        ("providers.jwt.jwks.remote.uri", true),
        ("responses.pages.503", true),
        ("responses.notfound", false),
        ("providers.jwt.audience", false),
    ] {
        let path: Vec<&str> = path.split('.').collect();
        assert_eq!(leads_to(&schema, &schema, &path), expected, "{path:?}");
    }
}
