//! Findings as SARIF 2.1.0, which code scanning services read.

use serde_json::{Value, json};

use super::{CANNOT_CHECK, Checked, Region, present};
use crate::finding::{Finding, Severity};
use crate::source::{Position, Source, without_secrets};

/// One run with the findings of all files. Its columns count UTF-16 code units (SARIF 2.1.0 §3.14.17).
pub fn render(files: &[Checked]) -> String {
    let mut rules: Vec<&str> = Vec::new();
    let mut results = Vec::new();
    for file in files {
        for finding in &file.findings {
            let index = index_of(&finding.code, &mut rules);
            results.push(result(finding, index, &file.name, file.source.as_ref()));
        }
        if let Some(failure) = &file.failure {
            let index = index_of(CANNOT_CHECK, &mut rules);
            let region = failure
                .syntax
                .as_ref()
                .map(|at| json!({"startLine": at.line}));
            results.push(json!({
                "ruleId": CANNOT_CHECK,
                "ruleIndex": index,
                "level": "error",
                "message": {"text": file.message(failure)},
                "locations": [location(&file.name, region, None)],
            }));
        }
    }
    let rules: Vec<Value> = rules.iter().map(|id| json!({"id": id})).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "countersign",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

/// The index of a rule, which is added if it is new.
fn index_of<'f>(code: &'f str, rules: &mut Vec<&'f str>) -> usize {
    let known = rules.iter().position(|known| *known == code);
    known.unwrap_or_else(|| {
        rules.push(code);
        rules.len() - 1
    })
}

fn result(finding: &Finding, index: usize, name: &str, source: Option<&Source>) -> Value {
    let text = match &finding.fix {
        Some(fix) => format!("{}; {fix}", finding.text),
        None => finding.text.clone(),
    };
    let region = source.and_then(|source| Region::of(finding, source));
    let region = region.map(|region| self::region(region.start, region.end));
    let path = Some(&finding.path).filter(|path| !path.is_empty());
    let path = path.map(|path| without_secrets(path));
    let location = location(name, region, path);
    json!({
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        "message": {"text": text},
        "locations": [location],
    })
}

fn region(start: Position, end: Position) -> Value {
    json!({
        "startLine": start.line,
        "startColumn": start.utf16,
        "endLine": end.line,
        "endColumn": end.utf16,
    })
}

fn location(name: &str, region: Option<Value>, path: Option<String>) -> Value {
    let physical = present(json!({"artifactLocation": {"uri": uri(name)}, "region": region}));
    let logical = path.map(|path| json!([{"fullyQualifiedName": path}]));
    present(json!({"physicalLocation": physical, "logicalLocations": logical}))
}

/// The name of a file as a relative URI (RFC 3986 §4.2), or a `file` URI for an absolute path.
fn uri(name: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const PATH: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    let encoded = utf8_percent_encode(name, PATH);
    match name.starts_with('/') {
        true => format!("file://{encoded}"),
        false => encoded.to_string(),
    }
}
