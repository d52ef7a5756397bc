//! The tables of the documentation have a cause and a fix in each row. `tests/project/telemetry.rs` tests that no row is
//! missing.

use super::expect_none;
use crate::pages::Page;

const PAGE: &str = "docs/observability.md";

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
