//! The commands of the documentation print what the pages say. `BLESS=1` rewrites the pages.
//!
//! The commands of a page run in order, in one shell. What listens on port 10000 there is an Envoy as `make run` starts it:
//! after `make run RECIPE=…` with a recipe of the cookbook, and after `make run CONFIG=gate.yaml` with a block of the page.

mod terminal;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Stdio;

use regex_lite::Regex;

use self::terminal::Terminal;
use crate::pages::transcript::{self, Command};
use crate::pages::{Page, pages};
use crate::support::authorization;
use crate::support::cookbook::{self, Recipe};
use crate::support::envoy::Envoy;
use crate::support::example;
use crate::support::in_repository;
use crate::support::issuer::Issuer;
use crate::support::upstream::Upstream;

/// Where `make run` listens.
const SERVER: &str = "127.0.0.1:10000";
const ADMIN: &str = "127.0.0.1:9901";

/// The commands that are not run: they build, fetch, install, or need a cluster.
const NOT_RUN: [&str; 15] = [
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
    "sudo",
];

#[test]
fn every_command_prints_what_the_page_says() {
    let pages = pages();
    let is_selected = |page: &Page| match std::env::var("PAGE") {
        Ok(path) => page.path.contains(&path),
        Err(_) => true,
    };
    let mut pages: Vec<Script> = pages
        .into_iter()
        .filter(is_selected)
        .map(Script::of)
        .collect();
    pages.retain(|page| !page.steps.is_empty());
    assert!(!pages.is_empty());
    let servers = Servers::start(&pages);
    let (mut faults, is_blessed) = (Vec::new(), std::env::var_os("BLESS").is_some());
    for script in &pages {
        let mut rewritten = Rewritten::of(&script.page);
        let mut terminal = Terminal::start();
        for step in &script.steps {
            match step {
                Step::File(name, text) => terminal.write(name, text),
                Step::Run {
                    gate,
                    command,
                    line,
                } => {
                    let at = script.page.at(*line);
                    match servers.run(&mut terminal, gate, &command.text) {
                        Ok(output) if transcript::is_as_written(&command.output, &output) => {}
                        Ok(output) if is_blessed => rewritten.replace(*line, command, &output),
                        Ok(output) => {
                            faults.push(format!("{at}: $ {}\n{}", command.text, output.join("\n")))
                        }
                        Err(fault) => faults.push(format!("{at}: $ {}\n{fault}", command.text)),
                    }
                }
            }
        }
        rewritten.save();
    }
    assert!(
        faults.is_empty(),
        "{} commands print something else:\n\n{}",
        faults.len(),
        faults.join("\n\n")
    );
    assert_eq!(servers.envoy.alarms(), Vec::<String>::new());
}

/// The filter on port 10000.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Gate {
    /// With `envoy/envoy.yaml`: `make run`, and where a page does not say.
    Example,
    /// With a recipe of the cookbook: `make run RECIPE=role-per-path`.
    Recipe(String),
    /// With the content of a file: `make run CONFIG=gate.yaml`.
    File(String),
}

/// A page, and what is done for it.
struct Script {
    page: Page,
    steps: Vec<Step>,
}

enum Step {
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
    fn of(page: Page) -> Self {
        let (mut steps, mut gate) = (Vec::new(), Gate::Example);
        for block in page.blocks() {
            if let Some(file) = block.file() {
                steps.push(Step::File(file.to_owned(), block.text.clone()));
            }
            if block.language != "console" {
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

/// The servers that the commands of all pages reach.
struct Servers {
    envoy: Envoy,
    /// The names of the listeners.
    listeners: BTreeMap<Gate, String>,
    _upstream: Upstream,
    _authorization: Issuer,
}

impl Servers {
    fn start(scripts: &[Script]) -> Self {
        let (upstream, authorization) = (Upstream::start(), authorization::start());
        let steps = scripts.iter().flat_map(|script| &script.steps);
        let gates = steps.filter_map(|step| match step {
            Step::Run { gate, .. } => Some(gate.clone()),
            Step::File(..) => None,
        });
        let gates: BTreeSet<Gate> = gates.collect();
        let mut known = cookbook::recipes();
        let (mut listeners, mut recipes) = (BTreeMap::new(), Vec::new());
        for gate in gates {
            let name = match &gate {
                Gate::Example => "public".to_owned(),
                Gate::Recipe(name) => {
                    let at = known.iter().position(|recipe| recipe.name == *name);
                    recipes.push(
                        known.swap_remove(at.unwrap_or_else(|| panic!("no recipe `{name}`"))),
                    );
                    name.clone()
                }
                Gate::File(text) => {
                    let recipe = Recipe::of_configuration(&format!("file-{}", recipes.len()), text);
                    let recipe = recipe.unwrap_or_else(|fault| panic!("{fault}:\n{text}"));
                    let name = recipe.name.clone();
                    recipes.push(recipe);
                    name
                }
            };
            listeners.insert(gate, name);
        }
        let mut bootstrap = cookbook::bootstrap(&recipes, upstream.port(), authorization.port());
        let mut example = example::bootstrap("envoy/envoy.yaml", &[("upstream", upstream.port())]);
        let public = example["static_resources"]["listeners"][0].take();
        let all = bootstrap["static_resources"]["listeners"].as_array_mut();
        all.expect("a list of listeners").push(public);
        Self {
            envoy: Envoy::start_with(&bootstrap, Stdio::null()),
            listeners,
            _upstream: upstream,
            _authorization: authorization,
        }
    }

    /// Runs a command in which the ports of `make run` are those of a listener and of the admin page.
    fn run(
        &self,
        terminal: &mut Terminal,
        gate: &Gate,
        command: &str,
    ) -> Result<Vec<String>, String> {
        let ports = [
            (
                SERVER,
                self.envoy.listener(&self.listeners[gate]).to_string(),
            ),
            (ADMIN, self.envoy.admin_address().to_string()),
        ];
        let mut command = command.to_owned();
        for (written, real) in &ports {
            command = command.replace(written, real);
        }
        let mut output = terminal.run(&command)?;
        for line in &mut output {
            for (written, real) in &ports {
                *line = line.replace(real, written);
            }
        }
        Ok(output)
    }
}

/// The text of a page, in which outputs are replaced.
struct Rewritten {
    path: String,
    /// A line can become several, or none.
    lines: Vec<Vec<String>>,
    is_changed: bool,
}

impl Rewritten {
    fn of(page: &Page) -> Self {
        Self {
            path: page.path.clone(),
            lines: page
                .text
                .lines()
                .map(|line| vec![line.to_owned()])
                .collect(),
            is_changed: false,
        }
    }

    /// Replaces the output of a command that begins on a line of the page.
    fn replace(&mut self, line: usize, command: &Command, output: &[String]) {
        let begin = line - 1 + command.output_line - command.line;
        let first = &self.lines[line - 1][0];
        let indent = " ".repeat(first.len() - first.trim_start().len());
        let new = transcript::rewritten(&command.output, output);
        let new = new
            .into_iter()
            .map(|line| format!("{indent}{line}").trim_end().to_owned());
        let new: Vec<String> = new.collect();
        match command.output.len() {
            // After the command.
            0 => self.lines[begin - 1].extend(new),
            count => {
                for old in &mut self.lines[begin..begin + count] {
                    old.clear();
                }
                self.lines[begin] = new;
            }
        }
        self.is_changed = true;
    }

    fn save(self) {
        if self.is_changed {
            let text = self.lines.concat().join("\n") + "\n";
            fs::write(in_repository(&self.path), text).unwrap();
        }
    }
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

#[test]
fn a_page_is_rewritten_in_place() {
    let page = Page {
        path: "a.md".to_owned(),
        text: "a\n\n- b:\n\n  ```console\n  $ c\n  1\n  2\n\n  $ d\n  $ e\n  3\n  ```\nf\n"
            .to_owned(),
    };
    let script = Script::of(Page {
        path: page.path.clone(),
        text: page.text.clone(),
    });
    let mut rewritten = Rewritten::of(&page);
    for (step, output) in script.steps.iter().zip(["4", "5", "6\n7"]) {
        let Step::Run { command, line, .. } = step else {
            continue;
        };
        let output: Vec<String> = output.lines().map(str::to_owned).collect();
        rewritten.replace(*line, command, &output);
    }
    let expected = "a\n\n- b:\n\n  ```console\n  $ c\n  4\n\n  $ d\n  5\n  $ e\n  6\n  7\n  ```\nf";
    assert_eq!(rewritten.lines.concat().join("\n"), expected);
}
