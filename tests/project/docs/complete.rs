//! The tables of the documentation are complete: every reason has a cause and a fix, and every finding of `check` has a row.
//!
//! `tests/project/telemetry.rs` tests that every reason has a row.

use std::collections::BTreeSet;
use std::fs;

use regex_lite::Regex;

use super::expect_none;
use crate::pages::Page;
use crate::support::in_repository;

const PAGE: &str = "docs/observability.md";
const CHECK: &str = "docs/check.md";

#[test]
fn every_reason_has_a_cause_and_a_fix() {
    let page = Page::read(PAGE);
    let (_, section) = page.text.split_once("\n## Reasons").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let (mut faults, mut seen) = (Vec::new(), 0);
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        seen += 1;
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if cells.len() < 3 || cells.iter().any(|cell| cell.is_empty()) {
            faults.push(format!("{PAGE}: expected a cause and a fix: {line}"));
        }
    }
    assert!(seen > 70, "found only {seen} reasons");
    expect_none(&faults);
}

/// The codes and severities of the findings about what is around a configuration, as the code of the command has them.
fn findings() -> BTreeSet<(String, String)> {
    let finding = Regex::new(r#"Finding::(error|warning|note)\(\s*"([a-z-]+)""#).unwrap();
    let (mut findings, mut folders) = (BTreeSet::new(), vec!["src/bin/countersign".to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(in_repository(&folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_dir() {
                folders.push(format!("{folder}/{}", entry.file_name().to_str().unwrap()));
                continue;
            }
            let code = fs::read_to_string(entry.path()).unwrap();
            let code = code.split("#[cfg(test)]").next().unwrap();
            let found = finding.captures_iter(code);
            findings.extend(found.map(|own| (own[2].to_owned(), own[1].to_owned())));
        }
    }
    assert!(findings.len() > 30, "found only {findings:?}");
    findings
}

/// A row names the code of a finding and its severity.
#[test]
fn every_finding_of_check_has_a_row() {
    let text = Page::read(CHECK).text;
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    let mut faults = Vec::new();
    for (code, severity) in findings() {
        let named = format!("`{code}`");
        let mut own = rows.iter().filter(|row| row.contains(&named)).peekable();
        if own.peek().is_none() {
            faults.push(format!("{CHECK}: no row for `{code}`"));
        } else if !own.any(|row| row.contains(&severity)) {
            faults.push(format!(
                "{CHECK}: no row says that `{code}` is {}",
                match severity.as_str() {
                    "error" => "an error".to_owned(),
                    other => format!("a {other}"),
                }
            ));
        }
    }
    expect_none(&faults);
}
