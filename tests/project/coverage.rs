//! Which rows of `tests/conformance.md` are cases, why others are not, and that each row that is named is on that page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::support;
use crate::support::case::{Case, Runs, load_all};
use crate::support::in_repository;

/// The section whose rows are no part of what the filter serves.
const REFERRED_TO: &str = "Rows that others refer to";

/// A section of the page: its title, and the names of its rows.
struct Section {
    title: String,
    rows: Vec<String>,
}

/// The sections that have rows.
fn sections() -> Vec<Section> {
    let text = fs::read_to_string(in_repository("tests/conformance.md")).unwrap();
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            sections.push(Section {
                title: title.to_owned(),
                rows: Vec::new(),
            });
        } else if let Some((name, _)) = line
            .strip_prefix("| ")
            .and_then(|rest| rest.split_once(" | "))
            && is_row(name)
        {
            let section = sections.last_mut().expect("a row has a section");
            section.rows.push(name.to_owned());
        }
    }
    sections.retain(|section| !section.rows.is_empty());
    sections
}

/// Whether this is the name of a row: `B-07`, `PJ-11`, `0.3.1`.
fn is_row(name: &str) -> bool {
    let digits = |text: &str, count: usize| {
        text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    match name.split_once('-') {
        Some((letters, number)) => {
            (1..=2).contains(&letters.len())
                && letters.bytes().all(|byte| byte.is_ascii_uppercase())
                && digits(number, 2)
        }
        None => name
            .strip_prefix("0.3.")
            .is_some_and(|number| digits(number, 1)),
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
    let text = fs::read_to_string(file).unwrap();
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
    let mut served = BTreeSet::new();
    let mut known = BTreeSet::new();
    for Section { title, rows: names } in sections() {
        for name in &names {
            if !known.insert(name.clone()) {
                wrong.push(format!("{name} is on the page twice"));
            }
        }
        if title == REFERRED_TO {
            continue;
        }
        let (mut as_case, mut as_exception) = (0, 0);
        for name in &names {
            match (rows.contains(name.as_str()), exceptions.contains_key(name)) {
                (true, false) => as_case += 1,
                (false, true) => as_exception += 1,
                (true, true) => wrong.push(format!("{name} is a case and an exception")),
                (false, false) => wrong.push(format!("{name} is neither a case nor an exception")),
            }
        }
        support::say(&format!(
            "section {title}: {} rows, {as_case} cases, {as_exception} exceptions",
            names.len()
        ));
        served.extend(names);
    }
    for name in rows {
        if !known.contains(name) {
            wrong.push(format!(
                "a case names the row {name}, which is not on the page"
            ));
        }
    }
    for (name, exception) in &exceptions {
        if !served.contains(name) || exception.why.is_empty() {
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

#[test]
fn every_row_that_is_named_is_on_the_page() {
    let known: BTreeSet<String> = sections()
        .into_iter()
        .flat_map(|section| section.rows)
        .collect();
    let mut named = 0;
    let mut unknown = Vec::new();
    let files = ["tests", "src", "fuzz/src"].map(|folder| texts(&in_repository(folder)));
    for file in files.into_iter().flatten() {
        for name in names(&fs::read_to_string(&file).unwrap()) {
            named += 1;
            if !known.contains(&name) {
                unknown.push(format!("{}: {name}", file.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    assert!(named > 500, "only {named} names were found");
}

/// Sources, tables and pages of a folder.
fn texts(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // npm's packages, Python's caches.
            let is_fetched = ["node_modules", "__pycache__"]
                .iter()
                .any(|fetched| path.ends_with(fetched));
            if !is_fetched {
                files.extend(texts(&path));
            }
        } else if path
            .extension()
            .is_some_and(|end| ["rs", "yaml", "md"].iter().any(|text| end == *text))
        {
            files.push(path);
        }
    }
    files
}

/// The rows that a text names: `J-65`, or at the beginning of a test's name `j_65_`. Those like `0.3.1` are left out, since
/// versions look like them.
fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_') {
        if is_row(word) {
            names.push(word.to_owned());
        }
        let mut parts = word.split('_');
        while let (Some(letters), Some(number)) = (parts.next(), parts.next()) {
            let name = format!("{}-{number}", letters.to_ascii_uppercase());
            if letters.contains(|c: char| c.is_ascii_uppercase()) || !is_row(&name) {
                break;
            }
            names.push(name);
        }
    }
    names
}

#[test]
fn names_of_rows_are_found() {
    let text = "J-05, (PJ-11) `X-31`: fn j_65_a_06_a_token(T_33_kib) P-256 2026-11-26 0.3.1 TS-04x";
    assert_eq!(names(text), ["J-05", "PJ-11", "X-31", "J-65", "A-06"]);
}
