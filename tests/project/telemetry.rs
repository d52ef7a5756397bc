//! `docs/observability.md` and `docs/responses.md` name everything that the filter logs, counts and responds.

use std::collections::BTreeSet;
use std::fs;

use countersign::reject::Code;

use crate::support::in_repository;

const PAGE: &str = "docs/observability.md";

/// The metrics whose names the code composes.
const COMPOSED: [&str; 4] = [
    "countersign.denied.<status>.<error>",
    "countersign.shadow_denied.<status>.<error>",
    "countersign.lists.age.<provider>",
    "countersign.lists.entries.<provider>",
];

fn read(path: &str) -> String {
    fs::read_to_string(in_repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The code of a file, without its tests.
fn code(path: &str) -> String {
    let text = read(path);
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    text[..end].to_owned()
}

/// The string literals of one line of code.
fn literals(line: &str) -> impl Iterator<Item = &str> {
    let is_comment = line.trim_start().starts_with("//");
    let parts = line.split('"').skip(1).step_by(2);
    parts.filter(move |_| !is_comment)
}

/// The string literals of a file.
fn literals_of(path: &str) -> Vec<String> {
    let code = code(path);
    let found = code.lines().flat_map(literals).map(str::to_owned);
    found.collect()
}

/// What the page does not name of `expected`.
fn missing(page: &str, expected: impl IntoIterator<Item = String>) -> Vec<String> {
    let text = read(page);
    let expected = expected.into_iter();
    expected.filter(|name| !text.contains(name)).collect()
}

/// The names of reasons: the string literals that an arm of `reason` returns.
fn reasons() -> BTreeSet<String> {
    let code = code("src/reject.rs");
    let arms = code.lines().filter(|line| line.contains("=> \""));
    arms.flat_map(literals).map(str::to_owned).collect()
}

#[test]
fn every_reason_has_a_row() {
    let reasons = reasons();
    assert!(reasons.len() > 60, "{reasons:?}");
    let rows = reasons.iter().map(|reason| format!("\n| `{reason}` | "));
    assert_eq!(missing(PAGE, rows), Vec::<String>::new());
}

#[test]
fn no_row_has_a_reason_that_does_not_exist() {
    let text = read(PAGE);
    let (_, after) = text.split_once("## Reasons").unwrap();
    let (section, _) = after.split_once("### Ambiguous paths").unwrap();
    let named = section.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("| `")?.split_once('`')?;
        Some(name.to_owned())
    });
    let named: Vec<String> = named.collect();
    let unique: BTreeSet<String> = named.iter().cloned().collect();
    assert_eq!(unique.len(), named.len(), "a reason has two rows");
    assert_eq!(unique, reasons());
}

#[test]
fn every_message_about_a_path_has_a_row() {
    let literals = literals_of("src/response/table.rs").into_iter();
    let messages = literals.filter(|text| text.starts_with("The path "));
    let rows: Vec<String> = messages.map(|text| format!("\n| {text} | ")).collect();
    assert_eq!(rows.len(), 16);
    assert_eq!(missing(PAGE, rows), Vec::<String>::new());
}

/// A name that ends in a part of the metric's name is written in a row with the whole name: `…hit`, `.miss`.
#[test]
fn every_metric_has_a_row() {
    let text = read(PAGE);
    let literals = ["src/host/metrics.rs", "src/telemetry.rs"].map(literals_of);
    let names = literals.into_iter().flatten();
    let names: BTreeSet<String> = names
        .filter(|name| name.starts_with("countersign.") && !name.contains('{'))
        .chain(COMPOSED.map(str::to_owned))
        .collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let (group, last) = name.rsplit_once('.').unwrap();
        let is_named = text.lines().any(|line| {
            let has_state = line.starts_with(&format!("| `wasm.{name}` |"));
            let has_metric = line.starts_with(&format!("| `{name}`"))
                || line.starts_with(&format!("| `{group}."))
                    && line.contains(&format!("`.{last}`"));
            has_state || has_metric
        });
        assert!(is_named, "{PAGE} does not explain `{name}`");
    }
}

/// Up to the first value that a line contains.
#[test]
fn every_log_line_of_the_host_edge_has_a_row() {
    let folder = in_repository("src/host");
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let literals = literals_of(&format!("src/host/{name}")).into_iter();
        lines.extend(literals.filter_map(|text| {
            let line = text.strip_prefix("countersign: ")?;
            // A line that is continued ends with a backslash.
            let end = line.find(['{', '\\', ':']).unwrap_or(line.len());
            Some(line[..end].trim().to_owned())
        }));
    }
    lines.retain(|line| !line.is_empty());
    assert!(lines.len() > 10, "{lines:?}");
    assert_eq!(missing(PAGE, lines), Vec::<String>::new());
}

#[test]
fn every_field_of_a_log_line_has_a_row() {
    let code = code("src/telemetry.rs");
    let (_, after) = code.split_once("struct AuditLine<'a> {").unwrap();
    let (fields, _) = after.split_once("\n}").unwrap();
    let names = fields
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .map(|(name, _)| name);
    let text = read(PAGE);
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    for name in names {
        let named = format!("`{name}`");
        let first_cell = |row: &&&str| row.split(" | ").next().unwrap().contains(&named);
        assert!(
            rows.iter().find(first_cell).is_some(),
            "{PAGE} does not explain {named}"
        );
    }
}

#[test]
fn every_error_code_has_a_row_with_its_status_title_and_grpc_status() {
    let text = read("docs/responses.md");
    for code in Code::ALL {
        let row = match code {
            Code::Respond => "| `respond` | as configured | ".to_owned(),
            other => format!("| `{other}` | {} | {} | ", other.status(), other.title()),
        };
        let row = text.lines().find(|line| line.starts_with(&row));
        let row = row.unwrap_or_else(|| panic!("docs/responses.md: no row for `{code}`"));
        let last = row.rsplit("| ").next().unwrap();
        let number = code.grpc_status().number().to_string();
        assert!(last.contains(&number) || code == Code::Respond, "{row}");
    }
}
