//! The findings in files as text, JSON and SARIF.

pub mod json;
pub mod sarif;
pub mod text;

use std::ops::Range;

use crate::exit::Failure;
use crate::finding::{Finding, Severity};
use crate::redact;
use crate::source::{Position, Source};

/// What a check of a file found.
pub struct Checked {
    /// The name of the file, without secrets.
    pub name: String,
    /// The text of the file, and where its parts are; none if it cannot be read.
    pub source: Option<Source>,
    /// How many configurations the file has.
    pub configurations: usize,
    /// The findings.
    pub findings: Vec<Finding>,
    /// Why the file cannot be checked.
    pub failure: Option<Failure>,
}

/// How many findings there are.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    /// The errors.
    pub errors: usize,
    /// The warnings.
    pub warnings: usize,
}

impl Counts {
    /// The counts of several files. With `strict`, warnings are errors.
    pub fn of(files: &[Checked]) -> Self {
        let findings = files.iter().flat_map(|file| &file.findings);
        let mut counts = Self::default();
        for finding in findings {
            match finding.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                Severity::Note => {}
            }
        }
        counts
    }
}

/// The bytes of the file that a finding is about, and their positions.
struct Region {
    bytes: Range<usize>,
    start: Position,
    end: Position,
}

impl Region {
    fn of(finding: &Finding, source: &Source) -> Option<Self> {
        let bytes = within_text(finding, source).or_else(|| source.range(finding))?;
        Some(Self {
            start: source.position(bytes.start),
            end: source.position(bytes.end),
            bytes,
        })
    }
}

/// The bytes of a syntax error in JSON or in an expression, whose message has a position.
fn within_text(finding: &Finding, source: &Source) -> Option<Range<usize>> {
    if finding.code == "requirement-condition" {
        let column = finding.text.strip_prefix("column ")?.split_once(": ")?.0;
        return source.range_in_expression(&finding.path, column.parse().ok()?);
    }
    let position = finding.text.split_once(" at line ")?.1;
    let (line, rest) = position.split_once(" column ")?;
    let digits = rest.split(|end: char| !end.is_ascii_digit()).next()?;
    let (line, column) = (line.parse().ok()?, digits.parse().ok()?);
    match finding.code.as_ref() {
        "syntax" => source
            .range_in_string(&finding.path, line, column)
            .or_else(|| source.rest_of_line(line, column)),
        "not-json" => source.rest_of_line(line, column),
        _ => None,
    }
}

/// An object without its members that are `null`.
fn present(object: serde_json::Value) -> serde_json::Value {
    match object {
        serde_json::Value::Object(members) => members
            .into_iter()
            .filter(|(_, member)| !member.is_null())
            .collect(),
        other => other,
    }
}

/// The code of a file that cannot be checked.
const CANNOT_CHECK: &str = "cannot-check";

impl Checked {
    /// The message of a failure, without secrets.
    fn message(&self, failure: &Failure) -> String {
        let text = redact::without_secrets(failure, std::env::args_os());
        text.trim_start_matches("countersign: ")
            .trim_end()
            .to_owned()
    }
}
