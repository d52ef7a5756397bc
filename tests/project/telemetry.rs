//! `docs/observability.md` and `docs/responses.md` have what operators see: each log line, each message about a path, the
//! title and the gRPC status of each error. They have no reason that the code does not have.

use std::collections::BTreeSet;
use std::fs;

use countersign::reject::{Code, Reason};

use crate::support::in_repository;

const PAGE: &str = "docs/observability.md";

fn read(path: &str) -> String {
    fs::read_to_string(in_repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The string literals of a file, without those of its tests and its comments.
fn literals(path: &str) -> Vec<String> {
    let text = read(path);
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    let literals = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
    literals.map(str::to_owned).collect()
}

/// What the page does not have of `expected`.
fn missing(expected: impl IntoIterator<Item = String>) -> Vec<String> {
    let text = read(PAGE);
    let expected = expected.into_iter();
    expected.filter(|text_of| !text.contains(text_of)).collect()
}

#[test]
fn no_row_has_a_reason_that_does_not_exist() {
    let reasons: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    let text = read(PAGE);
    let (_, after) = text.split_once("\n## Reasons\n").unwrap();
    let (section, _) = after.split_once("\n### Ambiguous paths\n").unwrap();
    let named = section.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("| `")?.split_once('`')?;
        Some(name.to_owned())
    });
    let mut rows = BTreeSet::new();
    for name in named {
        assert!(
            reasons.contains(name.as_str()),
            "{PAGE}: no reason is `{name}`"
        );
        assert!(rows.insert(name.clone()), "{PAGE}: `{name}` has two rows");
    }
    assert!(rows.len() > 70, "found only {} rows", rows.len());
}

#[test]
fn every_message_about_a_path_has_a_row() {
    let literals = literals("src/response/table.rs").into_iter();
    let messages = literals.filter(|text| text.starts_with("The path "));
    let rows: Vec<String> = messages.map(|text| format!("\n| {text} | ")).collect();
    assert_eq!(rows.len(), 16);
    assert_eq!(missing(rows), Vec::<String>::new());
}

/// Up to the first value that a line contains.
#[test]
fn every_log_line_of_the_host_edge_has_a_row() {
    let mut lines = Vec::new();
    for entry in fs::read_dir(in_repository("src/host")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let literals = literals(&format!("src/host/{name}")).into_iter();
        lines.extend(literals.filter_map(|text| {
            let line = text.strip_prefix("countersign: ")?;
            let end = line.find(['{', ':']).unwrap_or(line.len());
            Some(line[..end].trim().to_owned())
        }));
    }
    lines.retain(|line| !line.is_empty());
    assert!(lines.len() > 10, "{lines:?}");
    assert_eq!(missing(lines), Vec::<String>::new());
}

#[test]
fn every_error_code_has_its_title_and_its_grpc_status() {
    let text = read("docs/responses.md");
    let codes = Code::ALL.into_iter();
    // The status of a fixed response is the configured one.
    for code in codes.filter(|code| *code != Code::Respond) {
        let row = format!("| `{code}` | {} | {} | ", code.status(), code.title());
        let rest = text.lines().find_map(|line| line.strip_prefix(&row));
        let rest = rest.unwrap_or_else(|| panic!("docs/responses.md: no row `{row}`"));
        let mut numbers = rest.split(|c: char| !c.is_ascii_digit());
        let number = code.grpc_status().number().to_string();
        assert!(numbers.any(|own| own == number), "{row}{rest}");
    }
}
