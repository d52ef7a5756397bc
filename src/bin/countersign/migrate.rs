//! `migrate`: configurations of Envoy's own filters, of Istio and of Envoy Gateway, as configurations of Countersign.
//!
//! ```text
//! files ─ envoy, istio, gateway ─▶ gates ─ divide, access ─▶ rules ─ write ─▶ YAML, and a report
//! ```
//!
//! A gate has a formula over questions about requests ([`formula::Formula`]), as the old filters ask them. The formula is
//! divided into rules. A question that Countersign cannot ask never permits a request, whatever its answer. So the
//! output permits no request that was denied.

mod access;
mod announce;
mod assume;
mod atom;
mod cel;
mod divide;
mod envoy;
mod formula;
mod gate;
mod gateway;
mod istio;
mod pattern;
mod peer;
mod report;
mod write;

use std::path::PathBuf;

use countersign::config;
use countersign::grammar::unprintable::escaped;

use self::assume::{Assumed, Assumption};
use self::atom::Atom;
use self::divide::Groups;
use self::gate::Gate;
use self::report::{GateReport, Report as Announced};
use self::write::Written;
use crate::exit::{Exit, Failure, Report};
use crate::file::File;
use crate::yaml;

const ABOUT: &str = "\
Several files are one deployment. Each gate, which is a listener or a workload, becomes one YAML document.

What cannot be translated is denied, and the report names it. `--assume` lets more be translated.

Exit codes:
  0  everything is translated
  1  failure: an invalid command line, an unreadable file, or files without a gate
  3  something cannot be translated, and is denied

Examples:
  countersign migrate envoy.yaml
  countersign migrate --assume trailing-slash --assume segments envoy.yaml > countersign.yaml
  countersign migrate --format json policies/*.yaml";

/// Translates configurations of other filters.
#[derive(clap::Args)]
#[command(after_help = ABOUT)]
pub struct Migrate {
    /// Configurations of Envoy, or Kubernetes manifests, in YAML or JSON; `-` for standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Yaml)]
    format: Format,
    /// Only the gate with this name
    #[arg(long)]
    gate: Option<String>,
    /// What the upstream is known to do; can be repeated
    #[arg(long, value_enum)]
    assume: Vec<Assumption>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// The configurations, with the report as comments
    Yaml,
    /// The report as text
    Text,
    /// The report as JSON
    Json,
}

/// A translated gate.
struct Translated {
    report: GateReport,
    configuration: String,
}

impl Migrate {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        let files = self.files.iter().map(|file| File::read(file));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        let mut gates = Vec::new();
        for file in &files {
            gates.extend(envoy::gates(file));
        }
        gates.extend(istio::gates(&files));
        gates.extend(gateway::gates(&files));
        make_names_unique(&mut gates);
        if let Some(wanted) = &self.gate {
            gates.retain(|gate| gate.name == *wanted);
        }
        if gates.is_empty() {
            return Err(Failure::new(
                "nothing to translate: expected a `jwt_authn` or `rbac` filter of Envoy, or policies of Istio or Envoy \
                 Gateway",
            ));
        }
        let assumed = Assumed::from(self.assume.as_slice());
        let translated = gates.into_iter().map(|gate| translate(gate, assumed));
        let translated = translated.collect::<Result<Vec<_>, _>>()?;
        let exit = match translated.iter().any(|gate| !gate.report.lost.is_empty()) {
            true => Exit::Invalid,
            false => Exit::Success,
        };
        let text = match self.format {
            Format::Yaml => documents(&translated),
            Format::Text => {
                let reports = translated.iter().map(|gate| gate.report.to_string());
                let report = reports.collect::<String>();
                let lines = report.lines().map(|line| format!("{}\n", escaped(line)));
                lines.collect()
            }
            Format::Json => {
                let gates = translated.into_iter().map(|gate| gate.report).collect();
                let report = serde_json::to_string_pretty(&Announced { gates });
                report.map_err(Failure::new)? + "\n"
            }
        };
        Ok(Report::new(text, exit))
    }
}

fn documents(translated: &[Translated]) -> String {
    let documents = translated.iter().map(|gate| {
        let report = gate.report.to_string();
        let comments = report.lines().map(|line| match line {
            "" => "#\n".to_owned(),
            line => write::comment_line(line),
        });
        comments.collect::<String>() + "\n" + &gate.configuration
    });
    documents.collect::<Vec<_>>().join("---\n")
}

fn make_names_unique(gates: &mut [Gate]) {
    let mut used: Vec<String> = Vec::new();
    for gate in gates {
        let own = gate.name.clone();
        let mut number = 2;
        while used.contains(&gate.name) {
            gate.name = format!("{own}-{number}");
            number += 1;
        }
        used.push(gate.name.clone());
    }
}

/// Translates a gate. The output is loaded as the filter loads it; if that fails, it denies every request.
fn translate(mut gate: Gate, assumed: Assumed) -> Result<Translated, Failure> {
    let groups = Groups::of(&gate, assumed);
    note_assumptions(&mut gate, &groups, assumed);
    let rules = groups.into_rules(&gate);
    note_limits(&mut gate);
    let text = Written::new(&gate, &rules).text().map_err(Failure::new)?;
    let (text, rules) = match fault(&text) {
        None => (text, rules),
        Some(fault) => {
            gate.notes.lost(
                "gate",
                "",
                format!("the translation is not a valid configuration, so that every request is denied: {fault}"),
            );
            let text = Written::denying("the translation is not valid").text();
            (text.map_err(Failure::new)?, Vec::new())
        }
    };
    Ok(Translated {
        report: announce::report(gate, &rules),
        configuration: text,
    })
}

/// Notes the paths at which an assumption would permit more.
fn note_assumptions(gate: &mut Gate, groups: &Groups, assumed: Assumed) {
    for (name, what, more) in assumed.others() {
        let more = Groups::of(gate, more);
        let patterns = groups.differing(&more).map(|own| format!("`{own}`"));
        let patterns: Vec<String> = patterns.collect();
        if patterns.is_empty() {
            continue;
        }
        let text = format!(
            "{what}, so that less is permitted at {}; see `--assume {name}`",
            patterns.join(", ")
        );
        gate.notes.lost("spelling", "", text);
    }
}

/// Notes the questions that rules can ask only about callers with a credential, or not at all.
fn note_limits(gate: &mut Gate) {
    let mut limits = Vec::new();
    for atom in gate.access.atoms() {
        limits.extend(atom.limit(!gate.providers.is_empty()));
    }
    gate.access.visit(&mut |atom, holds| {
        if let (Atom::OnlyRequired(text), false) = (atom, holds) {
            let text = format!("{text} can be required, and not excluded");
            limits.push(("negation", text));
        }
    });
    for (construct, text) in limits {
        gate.notes.lost(construct, "", text);
    }
}

/// Why the filter would reject a configuration.
fn fault(text: &str) -> Option<String> {
    let documents = match yaml::values(text) {
        Ok(documents) => documents,
        Err(fault) => return Some(fault.to_string()),
    };
    let [document] = documents.as_slice() else {
        return Some("expected one document".to_owned());
    };
    let faults = config::load_value_in(&|_| Some("placeholder".to_owned()), document).err()?;
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Some(faults.join("; "))
}
