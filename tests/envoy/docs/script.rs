//! What is done for a page: files are written and commands are run, in the order of its blocks.

use regex_lite::Regex;

use super::servers::{ADMIN, SERVER};
use crate::pages::Page;
use crate::pages::transcript::{self, Command};

/// The commands that are not run: they build, fetch, install, or need a cluster, a registry or a release.
const NOT_RUN: [&str; 18] = [
    "apt-get",
    "brew",
    "cargo",
    "cd",
    "docker",
    "envoy",
    "git",
    "helm",
    "istioctl",
    "kubectl",
    "make",
    "npm",
    "pip",
    "pre-commit",
    "sha256sum",
    "skopeo",
    "ssh-keygen",
    "sudo",
];

/// The filter on port 10000.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// With `envoy/envoy.yaml`: `make run`, and where a page does not say.
    Example,
    /// With a recipe of the cookbook: `make run RECIPE=role-per-path`.
    Recipe(String),
    /// With the content of a file: `make run CONFIG=gate.yaml`.
    File(String),
}

/// A page, and what is done for it.
pub struct Script {
    pub page: Page,
    pub steps: Vec<Step>,
}

/// One step for a page.
pub enum Step {
    /// A file is written.
    File(String, String),
    /// A command is run.
    Run {
        gate: Gate,
        command: Command,
        /// The line of the page that the command begins on, from 1.
        line: usize,
    },
}

impl Script {
    pub fn of(page: Page) -> Self {
        let (mut steps, mut gate) = (Vec::new(), Gate::Example);
        for block in page.blocks() {
            if let Some(file) = block.file() {
                steps.push(Step::File(file.to_owned(), block.text.clone()));
            }
            // `tests/clients/compose.rs` runs the other blocks.
            if block.language != "console" || block.has("compose") {
                continue;
            }
            let commands = transcript::commands(&block.text);
            for command in
                commands.unwrap_or_else(|fault| panic!("{}: {fault}", page.at(block.line)))
            {
                let line = block.line + 1 + command.line;
                if let Some(started) = started_by(&command.text, &steps) {
                    gate = started.unwrap_or_else(|fault| panic!("{}: {fault}", page.at(line)));
                }
                if is_run(&command.text) {
                    let gate = gate.clone();
                    steps.push(Step::Run {
                        gate,
                        command,
                        line,
                    });
                }
            }
        }
        if !steps.iter().any(|step| matches!(step, Step::Run { .. })) {
            steps.clear();
        }
        Self { page, steps }
    }
}

/// The filter that a command starts, if it starts one.
fn started_by(command: &str, before: &[Step]) -> Option<Result<Gate, String>> {
    let words: Vec<&str> = command.split_whitespace().collect();
    if !words.starts_with(&["make", "run"]) {
        return None;
    }
    let started = words.iter().find_map(|word| word.split_once('='));
    Some(match started {
        Some(("RECIPE", name)) => Ok(Gate::Recipe(name.to_owned())),
        Some(("CONFIG", file)) => {
            let texts = before.iter().rev().filter_map(|step| match step {
                Step::File(name, text) if name == file => Some(text.clone()),
                _ => None,
            });
            let text = texts.into_iter().next();
            text.map(Gate::File)
                .ok_or_else(|| format!("no block `yaml {file}` before `{command}`"))
        }
        _ => Ok(Gate::Example),
    })
}

/// Whether a command is run.
fn is_run(command: &str) -> bool {
    let is_variable = |word: &&str| word.contains('=') && !word.contains(['"', '\'', '$']);
    let program = command.split_whitespace().find(|word| !is_variable(word));
    let program = program.unwrap_or_default();
    // Other servers than the one of `make run`.
    let url = Regex::new(r"https?://([^/\s'\x22$]+)").unwrap();
    let mut hosts = url.captures_iter(command);
    let is_elsewhere = program == "curl" && hosts.any(|url| url[1] != *SERVER && url[1] != *ADMIN);
    !NOT_RUN.contains(&program) && !is_elsewhere
}

#[test]
fn what_is_not_run_is_known_by_its_program() {
    for (command, expected) in [
        ("countersign check a.yaml", true),
        ("curl -i http://127.0.0.1:10000/orders/17", true),
        (
            "curl -s 'http://127.0.0.1:9901/stats' | grep countersign",
            true,
        ),
        ("curl https://login.example.com/token", false),
        ("make build   # the filter", false),
        ("FUZZ_SECONDS=1 make fuzz", false),
        ("token=$(cat tokens/reader.jwt)", true),
        ("git clone https://example.com/a", false),
    ] {
        assert_eq!(is_run(command), expected, "{command}");
    }
}

#[test]
fn what_is_on_port_10000_is_what_the_page_has_started() {
    let before = ["a", "b"].map(|text| Step::File("gate.yaml".to_owned(), text.to_owned()));
    for (command, expected) in [
        ("make demo", None),
        ("make run", Some(Gate::Example)),
        (
            "make run RECIPE=role-per-path",
            Some(Gate::Recipe("role-per-path".to_owned())),
        ),
        (
            "make run CONFIG=gate.yaml",
            Some(Gate::File("b".to_owned())),
        ),
    ] {
        assert_eq!(
            started_by(command, &before).map(Result::unwrap),
            expected,
            "{command}"
        );
    }
    assert!(
        started_by("make run CONFIG=a.yaml", &before)
            .unwrap()
            .is_err()
    );
}
