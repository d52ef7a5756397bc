//! Findings as JSON.

use serde_json::{Value, json};

use super::{CANNOT_CHECK, Checked, Counts, Region, present};
use crate::finding::Finding;
use crate::source::{Position, Source, without_secrets};

/// One object with the findings of all files.
///
/// Lines and columns count from 1, and columns count characters. `end` is behind the last character.
pub fn render(files: &[Checked]) -> String {
    let findings = files.iter().flat_map(|file| {
        let findings = file.findings.iter();
        findings.map(|finding| value(finding, &file.name, file.source.as_ref()))
    });
    let counts = Counts::of(files);
    let report = json!({
        "findings": findings.chain(files.iter().filter_map(failure)).collect::<Vec<_>>(),
        "files": files.len(),
        "configurations": files.iter().map(|file| file.configurations).sum::<usize>(),
        "errors": counts.errors,
        "warnings": counts.warnings,
    });
    format!("{report:#}\n")
}

fn value(finding: &Finding, name: &str, source: Option<&Source>) -> Value {
    let region = source.and_then(|source| Region::of(finding, source));
    let position = |position: Position| json!({"line": position.line, "column": position.column});
    present(json!({
        "file": name,
        "severity": finding.severity.name(),
        "code": finding.code,
        "path": without_secrets(&finding.path),
        "message": finding.text,
        "fix": finding.fix,
        "start": region.as_ref().map(|region| position(region.start)),
        "end": region.as_ref().map(|region| position(region.end)),
    }))
}

/// Why a file cannot be checked, as a finding.
fn failure(file: &Checked) -> Option<Value> {
    let failure = file.failure.as_ref()?;
    let start = failure.syntax.as_ref();
    let start = start.map(|at| json!({"line": at.line, "column": at.column.unwrap_or(1)}));
    Some(present(json!({
        "file": file.name,
        "severity": "error",
        "code": CANNOT_CHECK,
        "path": "",
        "message": file.message(failure),
        "start": start,
    })))
}
