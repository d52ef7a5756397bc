//! `check`: the errors in the configurations of a file, and the settings around them that make them ineffective.

mod bypass;
mod clusters;
mod deployment;
mod expired;
mod gate;
mod issuer;
mod istio;
mod mesh;
mod order;
mod routes;
mod secrets;
mod tls;

use std::fmt::Display;
use std::path::PathBuf;

use self::deployment::Severity;
use crate::exit::{Exit, Failure, Report};
use crate::file::File;
use crate::locate::{Located, locate};

/// Checks every Countersign configuration in a file.
#[derive(clap::Args)]
pub struct Check {
    /// A Countersign configuration, an Envoy configuration or a Kubernetes manifest, in YAML or JSON; `-` for standard
    /// input
    file: PathBuf,
}

impl Check {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        let file = File::read(&self.file)?;
        let located = locate(&file)?;
        let mut lines = Lines::new(&file.name);
        lines.file(&file, &located);
        lines.configurations(&located);
        for finding in deployment::findings(&located) {
            match finding.severity {
                Severity::Error => lines.error(&finding.path, &finding.text),
                Severity::Warning => lines.warning(&finding.path, &finding.text),
                Severity::Note => lines.note(&finding.path, &finding.text),
            }
        }
        Ok(lines.report(located.configurations.len()))
    }
}

/// The lines of the report, and how many of them are errors and warnings.
struct Lines<'f> {
    file: &'f str,
    text: String,
    errors: usize,
    warnings: usize,
}

impl<'f> Lines<'f> {
    fn new(file: &'f str) -> Self {
        Self {
            file,
            text: String::new(),
            errors: 0,
            warnings: 0,
        }
    }

    /// The warning about a file that is not JSON, if the filter does not read the text itself.
    fn file(&mut self, file: &File, located: &Located<'_>) {
        let Some(not_json) = &file.not_json else {
            return;
        };
        let fault = &not_json.fault;
        match (not_json.is_error, located.filters.is_empty()) {
            // The filter reads the text, and reports the error.
            (true, true) | (false, false) => {}
            (true, false) => self.warning(
                "",
                format!(
                    "not JSON: {fault}: Kubernetes rejects this file, and Envoy may reject it unless its name ends \
                     with `.yaml`"
                ),
            ),
            (false, true) => self.warning(
                "",
                format!(
                    "YAML but not JSON: {fault}: the filter accepts it as a `google.protobuf.Struct`, not as a \
                     `google.protobuf.StringValue`"
                ),
            ),
        }
    }

    /// The errors and warnings of each configuration.
    fn configurations(&mut self, located: &Located<'_>) {
        for configuration in &located.configurations {
            let path = &configuration.path;
            if located.is_assumed {
                let text = "no name contains `countersign`; the only Wasm filter in the file is assumed to be \
                            Countersign";
                self.note(path, text);
            }
            match configuration.load() {
                Ok(loaded) => {
                    for warning in &loaded.warnings {
                        self.warning(path, warning);
                    }
                }
                Err(faults) => {
                    for fault in &faults {
                        self.error(path, fault);
                    }
                }
            }
        }
    }

    fn error(&mut self, path: &str, text: impl Display) {
        self.errors += 1;
        self.line(path, "", text);
    }

    fn warning(&mut self, path: &str, text: impl Display) {
        self.warnings += 1;
        self.line(path, "warning: ", text);
    }

    fn note(&mut self, path: &str, text: impl Display) {
        self.line(path, "note: ", text);
    }

    fn line(&mut self, path: &str, kind: &str, text: impl Display) {
        let file = self.file;
        let line = if path.is_empty() {
            format!("{file}: {kind}{text}\n")
        } else {
            format!("{file}: {path}: {kind}{text}\n")
        };
        self.text.push_str(&line);
    }

    fn report(self, configurations: usize) -> Report {
        let summary = format!(
            "{}, {}, {}\n",
            counted(configurations, "configuration"),
            counted(self.errors, "error"),
            counted(self.warnings, "warning"),
        );
        Report {
            text: self.text + &summary,
            exit: if self.errors == 0 {
                Exit::Success
            } else {
                Exit::Invalid
            },
        }
    }
}

fn counted(number: usize, noun: &str) -> String {
    match number {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
