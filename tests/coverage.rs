//! Which rows of the conformance list are cases, and why others are not.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use support::case::load_all;
use support::in_repository;

/// The sections that are served whole: the prefix of their rows, and how many there are.
const SECTIONS: &[(&str, &str, usize)] = &[
    ("6, JSON Web Tokens", "J", 65),
    ("7, access tokens", "A", 10),
    ("12.3, revocation", "R", 5),
    ("17, paths and authorities", "X", 31),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    /// The file of the repository that holds the row in another way.
    instead: Option<String>,
    why: String,
}

#[test]
fn every_row_is_a_case_or_an_exception_with_its_reason() {
    let file = in_repository("tests/exceptions.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    let exceptions: BTreeMap<String, Exception> = serde_yaml_ng::from_str(&text).unwrap();
    let tables = load_all(support::now());
    let cases = tables.iter().flat_map(|table| &table.cases);
    let rows: BTreeSet<&str> = cases
        .flat_map(|case| &case.rows)
        .map(String::as_str)
        .collect();

    let mut wrong = Vec::new();
    for (title, prefix, count) in SECTIONS {
        let names = (1..=*count).map(|number| format!("{prefix}-{number:02}"));
        let (mut as_case, mut as_exception) = (0, 0);
        for name in names {
            match (rows.contains(name.as_str()), exceptions.contains_key(&name)) {
                (true, false) => as_case += 1,
                (false, true) => as_exception += 1,
                (true, true) => wrong.push(format!("{name} is a case and an exception")),
                (false, false) => wrong.push(format!("{name} is neither a case nor an exception")),
            }
        }
        eprintln!("section {title}: {count} rows, {as_case} cases, {as_exception} exceptions");
    }
    for (name, exception) in &exceptions {
        let known = SECTIONS.iter().any(|(_, prefix, count)| {
            let number = name
                .strip_prefix(prefix)
                .and_then(|rest| rest.strip_prefix('-'));
            number
                .and_then(|number| number.parse().ok())
                .is_some_and(|number: usize| number <= *count)
        });
        if !known || exception.why.is_empty() {
            wrong.push(format!(
                "the exception {name} is of no section, or gives no reason"
            ));
        }
        if let Some(instead) = &exception.instead
            && !in_repository(instead).exists()
        {
            wrong.push(format!("{name}: there is no {instead}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
