//! What `countersign migrate` writes: configurations, and the report.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use serde::Deserialize;
use serde_json::Value;

use super::{Example, documents};

/// The comment above each configuration.
const GATE: &str = "# gate: ";

/// The configurations of an example, with the report about them.
pub struct Translated {
    /// One for each gate, in the order of the output.
    pub gates: Vec<Gate>,
}

/// One configuration.
pub struct Gate {
    /// Its name.
    pub name: String,
    /// What the filter is configured with.
    pub configuration: Value,
    report: GateReport,
}

#[derive(Deserialize)]
struct Report {
    gates: Vec<GateReport>,
}

/// The part of `src/bin/countersign/migrate/report.rs` that the test reads.
#[derive(Deserialize)]
struct GateReport {
    name: String,
    sources: Vec<String>,
    differences: Vec<Difference>,
    statuses: Vec<Statuses>,
}

#[derive(Deserialize)]
struct Difference {
    old: Answer,
    new: Answer,
    permits: bool,
}

#[derive(Deserialize)]
struct Answer {
    status: u16,
}

#[derive(Deserialize)]
struct Statuses {
    old: u16,
    new: u16,
}

impl Translated {
    /// Runs the command, which is this program.
    ///
    /// # Panics
    /// It fails, or its two outputs are of different gates.
    pub fn run(program: &str, example: &Example, options: &[&str]) -> Self {
        let yaml = stdout(program, example, options);
        let report = stdout(program, example, &[options, &["--format", "json"]].concat());
        let report: Report =
            serde_json::from_str(&report).unwrap_or_else(|e| panic!("{e}: {report}"));
        let mut reports: BTreeMap<String, GateReport> = BTreeMap::new();
        for gate in report.gates {
            reports.insert(gate.name.clone(), gate);
        }
        let names = yaml.lines().filter_map(|line| line.strip_prefix(GATE));
        let names: Vec<&str> = names.collect();
        let configurations = documents(&yaml);
        assert_eq!(
            names.len(),
            configurations.len(),
            "{}: {yaml}",
            example.name
        );
        let gates = names
            .into_iter()
            .zip(configurations)
            .map(|(name, configuration)| {
                let report = reports.remove(name);
                Gate {
                    name: name.to_owned(),
                    configuration,
                    report: report
                        .unwrap_or_else(|| panic!("{}: no report on {name}", example.name)),
                }
            });
        let mut gates: Vec<Gate> = gates.collect();
        if let Some(workload) = &example.workload {
            let chosen = workload.gate(gates.iter().map(|gate| gate.name.as_str()));
            gates = gates
                .into_iter()
                .enumerate()
                .filter(|(at, _)| chosen == Some(*at))
                .map(|(_, gate)| gate)
                .collect();
        }
        Self { gates }
    }

    /// No gate at all, which announces nothing.
    pub fn open() -> Self {
        Self { gates: Vec::new() }
    }

    /// Whether this pair of an old and a new status is announced.
    pub fn announces(&self, (old, new): (u16, u16)) -> bool {
        let mut statuses = self.gates.iter().flat_map(|gate| &gate.report.statuses);
        statuses.any(|pair| (pair.old, pair.new) == (old, new))
    }

    /// Whether a filter of Envoy was translated, by its position in the connection manager.
    pub fn replaces(&self, position: usize) -> bool {
        let part = format!("http_filters[{position}]");
        let mut sources = self.gates.iter().flat_map(|gate| &gate.report.sources);
        self.gates.is_empty() || sources.any(|source| source.contains(&part))
    }

    /// Whether something that received this status is permitted by intention, and the report says so.
    pub fn permits(&self, old: u16) -> bool {
        let mut differences = self.gates.iter().flat_map(|gate| &gate.report.differences);
        differences.any(|one| one.permits && (one.old.status, one.new.status) == (old, 200))
    }

    /// Whether a provider reads `authorization` without a scheme, and so with `Bearer` as well.
    pub fn reads_bare_authorization(&self) -> bool {
        let providers = self
            .gates
            .iter()
            .map(|gate| &gate.configuration["providers"]);
        let mut locations = providers
            .flat_map(|providers| providers.as_array().into_iter().flatten())
            .flat_map(|provider| provider["jwt"]["from"].as_array().into_iter().flatten());
        locations.any(|from| from["header"] == "authorization" && from["scheme"].is_null())
    }

    /// Whether each configuration is for some of the routes, as those of Envoy Gateway are.
    pub fn is_for_routes(&self) -> bool {
        let is_for = |gate: &Gate, kind: &str| gate.name.contains(kind);
        let mut gates = self.gates.iter();
        gates.any(|gate| is_for(gate, " HTTPRoute/") || is_for(gate, " Gateway/"))
    }

    /// The gate of a route of Envoy Gateway: that of the target of its policy.
    pub fn gate_of(&self, route: &Value) -> Option<&Gate> {
        let test = &route["metadata"]["filter_metadata"]["countersign.test"];
        let target = test["target"].as_str()?;
        let mut gates = self.gates.iter();
        gates.find(|gate| gate.name.ends_with(&format!(" {target}")))
    }
}

fn stdout(program: &str, example: &Example, options: &[&str]) -> String {
    let mut command = Command::new(program);
    command.arg("migrate").args(&example.files).args(options);
    let output = command.output().expect("the command runs");
    let Output {
        status,
        stdout,
        stderr,
    } = &output;
    assert!(
        matches!(status.code(), Some(0 | 3)),
        "{}: {status}: {}",
        example.name,
        String::from_utf8_lossy(stderr),
    );
    String::from_utf8(stdout.clone()).expect("UTF-8")
}
