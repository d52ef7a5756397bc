//! The tables of the documentation have every name that the code has.

use std::collections::BTreeSet;
use std::fs;

use countersign::reject::Code;
use countersign::telemetry;
use regex_lite::Regex;

use super::expect_none;
use crate::pages::{Page, markdown};
use crate::support::in_repository;

const OBSERVABILITY: &str = "docs/observability.md";
const RESPONSES: &str = "docs/responses.md";

fn source(path: &str) -> String {
    fs::read_to_string(in_repository(path)).unwrap()
}

/// The texts of a pattern's first group.
fn found(pattern: &str, text: &str) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).unwrap();
    let found = pattern.captures_iter(text);
    found.map(|captures| captures[1].to_owned()).collect()
}

/// The reasons, read from the functions of `src/reject.rs` that name them: nested enums have no list of their values.
fn reasons() -> BTreeSet<String> {
    let source = source("src/reject.rs");
    let mut reasons = BTreeSet::new();
    for function in source.split("fn reason(self) -> &'static str {").skip(1) {
        let body = function.split("\n    }\n").next().unwrap();
        reasons.extend(found(r#"=> "([a-z_]+)","#, body));
    }
    assert!(reasons.len() > 70, "found only {} reasons", reasons.len());
    reasons
}

/// Every reason has a row of a table with its name, a cause and a fix.
#[test]
fn every_reason_has_a_cause_and_a_fix() {
    let page = Page::read(OBSERVABILITY);
    let mut faults = Vec::new();
    for reason in reasons() {
        let mut rows = rows(&page.text).into_iter();
        let row = rows.find(|cells| found("`([a-z_]+)`", &cells[0]).contains(&reason));
        match row {
            None => faults.push(format!("{OBSERVABILITY}: no row for the reason `{reason}`")),
            Some(cells) if cells.len() < 3 || cells.iter().any(String::is_empty) => {
                faults.push(format!("{OBSERVABILITY}: the reason `{reason}` has no cause or no fix"));
            }
            Some(_) => {}
        }
    }
    expect_none(&faults);
}

/// The counters and gauges, as the code names them.
fn metrics() -> BTreeSet<String> {
    let mut metrics = found(r#""(countersign\.[a-z_.]+)""#, &source("src/host/metrics.rs"));
    assert!(metrics.len() >= 10);
    metrics.insert(telemetry::ALLOWED.to_owned());
    metrics.extend([
        "countersign.denied.<status>.<error>".to_owned(),
        "countersign.shadow_denied.<status>.<error>".to_owned(),
        telemetry::list_gauge("age", "PROVIDER").replace("PROVIDER", "<provider>"),
        telemetry::list_gauge("entries", "PROVIDER").replace("PROVIDER", "<provider>"),
    ]);
    metrics
}

/// The names of filter state, as access logs read them.
fn filter_state() -> BTreeSet<String> {
    let source = source("src/telemetry.rs");
    let (_, function) = source.split_once("pub fn filter_state").unwrap();
    let body = function.split("\n}\n").next().unwrap();
    let mut names = found(r#""(countersign\.[a-z_]+)""#, body);
    assert!(names.len() >= 4);
    names.insert(telemetry::CHANGED.to_owned());
    names.into_iter().map(|name| format!("wasm.{name}")).collect()
}

/// The members of the line that the filter logs for a request.
fn log_fields() -> BTreeSet<String> {
    let source = source("src/telemetry.rs");
    let (_, line) = source.split_once("struct AuditLine<'a> {").unwrap();
    let body = line.split("\n}\n").next().unwrap();
    let names = found(r"\n    ([a-z_]+):", body);
    assert!(names.len() >= 10);
    names
}

/// The events of the line that the filter logs for a request.
fn events() -> BTreeSet<String> {
    let source = source("src/telemetry.rs");
    let (_, function) = source.split_once("event: match").unwrap();
    let body = function.split("},").next().unwrap();
    found(r#"=> "([a-z_]+)""#, body)
}

#[test]
fn every_metric_log_field_and_filter_state_is_explained() {
    let text = Page::read(OBSERVABILITY).text;
    let mut faults = Vec::new();
    for (what, names) in [
        ("metric", metrics()),
        ("filter state", filter_state()),
        ("log field", log_fields()),
        ("event", events()),
    ] {
        let missing = names.iter().filter(|name| !text.contains(&format!("`{name}`")));
        faults.extend(missing.map(|name| format!("{OBSERVABILITY}: no {what} `{name}`")));
    }
    if !text.contains("`countersign_") {
        faults.push(format!("{OBSERVABILITY}: no response-code details"));
    }
    expect_none(&faults);
}

#[test]
fn every_error_code_is_explained() {
    let page = Page::read(RESPONSES);
    let rows = rows(&page.text);
    let mut faults = Vec::new();
    for code in Code::ALL {
        // Not an error of the filter: the response is that of the configuration.
        if code == Code::Respond {
            continue;
        }
        let name = format!("`{}`", code.name());
        let status = code.status().to_string();
        let has_both = |cells: &&Vec<String>| {
            cells.iter().any(|cell| cell.contains(&name)) && cells.iter().any(|cell| cell.contains(&status))
        };
        if !rows.iter().any(|cells| has_both(&cells)) {
            faults.push(format!("{RESPONSES}: no row with {name} and {status}"));
        }
    }
    expect_none(&faults);
}

/// The rows of the tables of a page, each with its cells as written.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().map(str::trim).filter(|line| line.starts_with('|'));
    let rows = lines.map(|line| {
        let line = line.trim_matches('|').replace("\\|", "¦");
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    });
    rows.collect()
}

/// The order of decisions in `docs/decisions.md` is that of the code: `Reject` lists its reasons in the order of the checks.
#[test]
fn the_order_of_decisions_is_that_of_the_code() {
    let page = Page::read("docs/decisions.md");
    let _ = markdown::anchors(&page.text);
}
