//! The table of a run: on the terminal, and as Markdown in a page.

use std::fs;

use super::compare::Comparison;
use super::fleet::Running;
use crate::support::in_repository;
use crate::support::say;

const TITLES: [&str; 5] = [
    "server",
    "version",
    "requests",
    "passed the filter",
    "served",
];

/// Prints the table, and writes it into the file that `UPSTREAM_TABLE` names.
pub fn show(compared: &[(&Running, Comparison)]) {
    let mut rows: Vec<[String; 5]> = compared
        .iter()
        .map(|(running, comparison)| {
            row(
                running.server.name.clone(),
                running.version.clone(),
                comparison,
            )
        })
        .collect();
    let all = Comparison {
        requests: compared.iter().map(|(_, one)| one.requests).sum(),
        passed: compared.iter().map(|(_, one)| one.passed).sum(),
        served: compared.iter().map(|(_, one)| one.served).sum(),
        ..Comparison::default()
    };
    rows.push(row(
        format!("{} servers", compared.len()),
        String::new(),
        &all,
    ));
    let titles = TITLES.map(str::to_owned);
    let widths: [usize; 5] = std::array::from_fn(|column| {
        let cells = rows.iter().chain([&titles]);
        cells
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    });
    for row in [&titles].into_iter().chain(&rows) {
        say(&padded(row, &widths));
    }
    if let Some(file) = std::env::var_os("UPSTREAM_TABLE") {
        let head = [markdown(&titles), "|---|---|--:|--:|--:|".to_owned()];
        let lines = head.into_iter().chain(rows.iter().map(markdown));
        let table: String = lines.map(|line| line + "\n").collect();
        let file = in_repository(file);
        let page = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, with_table(&page, &table))
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

/// A page with this table in place of the one of an earlier run, or at its end.
fn with_table(page: &str, table: &str) -> String {
    let head = table.lines().next().unwrap_or_default();
    let (before, rest) = page.split_once(head).unwrap_or((page, ""));
    let after = rest
        .lines()
        .skip(1)
        .skip_while(|line| line.starts_with('|'));
    let after: String = after.map(|line| format!("{line}\n")).collect();
    format!("{before}{table}{after}")
}

fn row(name: String, version: String, comparison: &Comparison) -> [String; 5] {
    let [requests, passed, served] =
        [comparison.requests, comparison.passed, comparison.served].map(grouped);
    [name, version, requests, passed, served]
}

fn padded(row: &[String; 5], widths: &[usize; 5]) -> String {
    let [name, version, requests, passed, served] = row;
    let [a, b, c, d, e] = *widths;
    format!("{name:<a$}  {version:<b$}  {requests:>c$}  {passed:>d$}  {served:>e$}")
}

fn markdown(row: &[String; 5]) -> String {
    format!("| {} |", row.join(" | "))
}

/// `12,000`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
