//! `check`: what is wrong with the documents of a file, and what around them undoes them.

use std::fmt::Display;
use std::path::PathBuf;

use crate::ending::{Ending, Failure, Report};
use crate::found::File;
use crate::surroundings;

/// Checks every Countersign document in a file.
#[derive(clap::Args)]
pub struct Check {
    /// A document, an Envoy configuration or a Kubernetes manifest, in YAML or JSON; `-` for standard input
    file: PathBuf,
}

impl Check {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        let file = File::read(&self.file)?;
        let search = file.search()?;
        let mut lines = Lines {
            file: &file.name,
            text: String::new(),
            faults: 0,
            warnings: 0,
        };
        for found in &search.found {
            if search.guessed {
                let what =
                    "nothing is called `countersign`; the only wasm filter of the file is taken";
                lines.line(&found.path, "note: ", what);
            }
            match found.load() {
                Ok(loaded) => {
                    for warning in &loaded.warnings {
                        lines.warning(&found.path, warning);
                    }
                }
                Err(faults) => {
                    for fault in &faults {
                        lines.fault(&found.path, fault);
                    }
                }
            }
        }
        for finding in surroundings::findings(&search) {
            if finding.is_error {
                lines.fault(&finding.path, &finding.text);
            } else {
                lines.warning(&finding.path, &finding.text);
            }
        }
        Ok(lines.report(search.found.len()))
    }
}

struct Lines<'f> {
    file: &'f str,
    text: String,
    faults: usize,
    warnings: usize,
}

impl Lines<'_> {
    fn fault(&mut self, path: &str, what: impl Display) {
        self.faults += 1;
        self.line(path, "", what);
    }

    fn warning(&mut self, path: &str, what: impl Display) {
        self.warnings += 1;
        self.line(path, "warning: ", what);
    }

    fn line(&mut self, path: &str, kind: &str, what: impl Display) {
        let file = self.file;
        let line = if path.is_empty() {
            format!("{file}: {kind}{what}\n")
        } else {
            format!("{file}: {path}: {kind}{what}\n")
        };
        self.text.push_str(&line);
    }

    fn report(self, documents: usize) -> Report {
        let (faults, warnings) = (self.faults, self.warnings);
        let summary = format!(
            "{}, {}, {}\n",
            counted(documents, "document"),
            counted(faults, "fault"),
            counted(warnings, "warning"),
        );
        Report {
            text: self.text + &summary,
            ending: if faults == 0 {
                Ending::Good
            } else {
                Ending::Invalid
            },
        }
    }
}

fn counted(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}
