//! `docs/decisions.md` has the checks in the order of `src/evaluate.rs`.

use std::fs;

use countersign::reject::Code;

use crate::support::in_repository;

const PAGE: &str = "docs/decisions.md";

/// The rows of the first table, without its head: number, situation, status, error.
fn rows() -> Vec<[String; 4]> {
    let text = fs::read_to_string(in_repository(PAGE)).unwrap();
    let lines = text.lines().skip_while(|line| !line.starts_with("|--:|"));
    let lines = lines.skip(1).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| {
        let mut cells = line.split('|').skip(1).map(str::trim);
        std::array::from_fn(|_| cells.next().unwrap().to_owned())
    };
    lines.map(cells).collect()
}

#[test]
fn the_rows_are_numbered_as_the_code_refers_to_them() {
    let numbers = rows().into_iter().map(|[number, ..]| number);
    let numbers: Vec<String> = numbers.filter(|number| !number.is_empty()).collect();
    let expected: Vec<String> = (1..=18).map(|number| number.to_string()).collect();
    assert_eq!(numbers, expected);
    let code = fs::read_to_string(in_repository("src/evaluate.rs")).unwrap();
    assert!(code.contains(PAGE), "src/evaluate.rs refers to {PAGE}");
    for row in ["// 2.", "// 3.", "// 4 and 5", "// 6 and 7", "// 8 to 18"] {
        assert!(code.contains(row), "src/evaluate.rs has no comment `{row}`");
    }
}

#[test]
fn every_error_has_its_status_and_every_code_a_row() {
    let rows = rows();
    for code in Code::ALL {
        if code == Code::Respond {
            continue;
        }
        let error = format!("`{code}`");
        let mut own = rows.iter().filter(|[.., named]| *named == error).peekable();
        assert!(own.peek().is_some(), "{PAGE} has no row for {error}");
        for [_, situation, status, _] in own {
            let is_own = status.split(' ').next() == Some(&code.status().to_string());
            assert!(is_own, "{PAGE}: {situation} is {status} {error}");
        }
    }
}
