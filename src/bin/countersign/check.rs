//! `check`: the errors in the configurations of files, and the settings around them that make them ineffective.

mod bypass;
mod clusters;
mod deployment;
mod expired;
mod gate;
mod issuer;
mod istio;
mod mesh;
mod names;
mod order;
mod routes;
mod secrets;
mod state;
mod tls;
mod unmet;
mod verbs;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::exit::{Exit, Failure, Report};
use crate::file::File;
use crate::finding::{Finding, code};
use crate::locate::{Located, locate};
use crate::report::{self, Checked, Counts};
use crate::{input, redact};

/// Checks every Countersign configuration in files.
#[derive(clap::Args)]
pub struct Check {
    /// Countersign configurations, Envoy configurations or Kubernetes manifests, in YAML or JSON; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How the findings are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Exit with 3 also if there are only warnings
    #[arg(long)]
    strict: bool,
    /// Whether the text has colors: `auto` means on a terminal, unless `NO_COLOR` is set
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,
}

/// How the findings are printed.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Text with the line of each finding
    Text,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// Whether the text has colors.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// In each output
    Always,
    /// In no output
    Never,
}

impl Color {
    fn is_on(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let no_color = std::env::var_os("NO_COLOR");
                no_color.is_none_or(|value| value.is_empty()) && std::io::stdout().is_terminal()
            }
        }
    }
}

impl Check {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        let mut files: Vec<Checked> = self.files.iter().map(|file| checked(file)).collect();
        // The message about a single file that cannot be checked is the whole output.
        if let ([file], Format::Text) = (files.as_mut_slice(), self.format)
            && let Some(failure) = file.failure.take()
        {
            return Err(failure);
        }
        let text = match self.format {
            Format::Text => report::text::render(&files, self.color.is_on()),
            Format::Json => report::json::render(&files),
            Format::Sarif => report::sarif::render(&files),
        };
        let exit = self.exit(&files);
        let failures = files.into_iter().filter_map(|file| file.failure);
        let failures = match self.format {
            Format::Text => failures.collect(),
            Format::Json | Format::Sarif => Vec::new(),
        };
        Ok(Report {
            text,
            failures,
            exit,
        })
    }

    fn exit(&self, files: &[Checked]) -> Exit {
        let counts = Counts::of(files);
        if files.iter().any(|file| file.failure.is_some()) {
            Exit::Failure
        } else if counts.errors > 0 || self.strict && counts.warnings > 0 {
            Exit::Invalid
        } else {
            Exit::Success
        }
    }
}

/// What a check of a file finds.
fn checked(file: &Path) -> Checked {
    let name = input::name(file);
    let failed = |failure: Failure| {
        let shown = Failure::of_file(&name, &name);
        let shown = redact::without_secrets(&shown, std::env::args_os());
        Checked {
            name: shown.trim_start_matches("countersign: ").to_owned(),
            source: None,
            configurations: 0,
            findings: Vec::new(),
            failure: Some(failure),
        }
    };
    let file = match File::read(file) {
        Ok(file) => file,
        Err(failure) => return failed(failure),
    };
    let (configurations, findings) = match locate(&file) {
        Ok(located) => (located.configurations.len(), findings(&file, &located)),
        Err(failure) => return failed(failure),
    };
    Checked {
        name,
        source: Some(file.source),
        configurations,
        findings,
        failure: None,
    }
}

/// Every finding in a file.
fn findings(file: &File, located: &Located<'_>) -> Vec<Finding> {
    let mut findings: Vec<_> = not_json(file, located).into_iter().collect();
    for configuration in &located.configurations {
        let path = &configuration.path;
        if located.is_assumed {
            let text = "no name contains `countersign`, so the only Wasm filter in the file is assumed to be Countersign";
            findings.push(Finding::note("assumed-filter", path, text).at_key());
        }
        match configuration.load() {
            Ok(loaded) => findings.extend(loaded.warnings.iter().map(|warning| {
                let code = code(&warning.what);
                Finding::warning(code, &warning.path, &warning.what).below(path)
            })),
            Err(faults) => findings.extend(faults.into_iter().map(|fault| fault.below(path))),
        }
    }
    findings.extend(deployment::findings(located));
    findings
}

/// The warning about a file that is not JSON, if the filter does not read the text itself.
fn not_json(file: &File, located: &Located<'_>) -> Option<Finding> {
    let not_json = file.not_json.as_ref()?;
    let fault = &not_json.fault;
    match (not_json.is_error, located.filters.is_empty()) {
        // The filter reads the text, and reports the error.
        (true, true) | (false, false) => None,
        (true, false) => Some(Finding::warning(
            "not-json",
            "",
            format_args!(
                "not JSON: {fault}: Kubernetes rejects this file, and Envoy may reject it unless its name ends with \
                 `.yaml`"
            ),
        )),
        (false, true) => Some(Finding::warning(
            "not-json",
            "",
            format_args!(
                "YAML but not JSON: {fault}: the filter accepts it as a `google.protobuf.Struct`, not as a \
                 `google.protobuf.StringValue`"
            ),
        )),
    }
}
