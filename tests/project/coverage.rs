//! Which rows of the conformance list are cases, and why others are not.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::support;
use crate::support::case::{Case, Runs, load_all};
use crate::support::in_repository;

/// The sections that are served whole: what the names of their rows begin with, and how many there are.
const SECTIONS: &[(&str, &str, usize)] = &[
    ("0.3, what every refusal must satisfy", "0.3.", 6),
    ("1, HTTP", "H-", 45),
    ("2, Bearer", "B-", 35),
    ("6, JSON Web Tokens", "J-", 65),
    ("7, access tokens", "A-", 10),
    ("8, protected resource metadata", "P-", 18),
    ("9, Model Context Protocol", "M-", 18),
    ("10, step-up authentication", "S-", 10),
    ("12.3, revocation", "R-", 5),
    ("13, error bodies", "PJ-", 11),
    ("14, gRPC", "G-", 17),
    ("15, CORS", "C-", 17),
    ("16, upgrades", "W-", 14),
    ("17, paths and authorities", "X-", 31),
    ("18, header fields", "Y-", 17),
];

/// The name of a row, as the list writes it: `B-07`, `0.3.1`.
fn name_of(prefix: &str, number: usize) -> String {
    if prefix.ends_with('.') {
        format!("{prefix}{number}")
    } else {
        format!("{prefix}{number:02}")
    }
}

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
    let cases: Vec<&Case> = tables.iter().flat_map(|table| &table.cases).collect();
    let rows: BTreeSet<&str> = cases
        .iter()
        .flat_map(|case| &case.rows)
        .map(String::as_str)
        .collect();
    let in_envoy = cases.iter().filter(|case| case.runs != Runs::CoreOnly);
    support::say(&format!(
        "{} cases in the core, {} in Envoy, {} rows",
        cases.len(),
        in_envoy.count(),
        rows.len()
    ));

    let mut wrong = Vec::new();
    for (title, prefix, count) in SECTIONS {
        let names = (1..=*count).map(|number| name_of(prefix, number));
        let (mut as_case, mut as_exception) = (0, 0);
        for name in names {
            match (rows.contains(name.as_str()), exceptions.contains_key(&name)) {
                (true, false) => as_case += 1,
                (false, true) => as_exception += 1,
                (true, true) => wrong.push(format!("{name} is a case and an exception")),
                (false, false) => wrong.push(format!("{name} is neither a case nor an exception")),
            }
        }
        support::say(&format!(
            "section {title}: {count} rows, {as_case} cases, {as_exception} exceptions"
        ));
    }
    for (name, exception) in &exceptions {
        let known = SECTIONS
            .iter()
            .any(|(_, prefix, count)| (1..=*count).any(|number| name_of(prefix, number) == *name));
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
