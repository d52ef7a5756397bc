//! The servers that the commands of the pages reach.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use super::script::{Gate, Script, Step};
use crate::pages::terminal::Terminal;
use crate::support::cookbook::{self, Recipe};
use crate::support::envoy::Envoy;
use crate::support::issuer::Issuer;
use crate::support::upstream::Upstream;
use crate::support::{authorization, example};

/// Where `make run` listens.
pub const SERVER: &str = "127.0.0.1:10000";
/// The admin page of its Envoy.
pub const ADMIN: &str = "127.0.0.1:9901";

/// The servers that the commands of all pages reach.
pub struct Servers {
    pub envoy: Envoy,
    /// The names of the listeners.
    listeners: BTreeMap<Gate, String>,
    _upstream: Upstream,
    _authorization: Issuer,
}

impl Servers {
    pub fn start(scripts: &[Script]) -> Self {
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
    pub fn run(
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
