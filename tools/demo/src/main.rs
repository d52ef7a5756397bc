//! `make demo`: sends requests to an Envoy with the filter and the configurations of `envoy/`, and prints the responses.
//!
//! `make run RECIPE=…` runs `demo --recipe …`: it leaves Envoy running with a recipe of `docs/cookbook.md`, plays the
//! transcript of the recipe, and prints requests to paste. `make run CONFIG=…` runs `demo --config …`: it does the same with
//! the configuration in a file.
#![allow(clippy::restriction, reason = "a demo may panic")]

use std::process::{ExitCode, Stdio};

use demo::situation;
use demo::support::cookbook::{self, Recipe};
use demo::support::envoy::Envoy;
use demo::support::example::{self, Mint};
use demo::support::upstream::Upstream;
use demo::support::{self, authorization};
use demo::{ADMIN, LISTENER, READER, free_or, groups, listen, wait_for_signal, write_tokens};
use serde_json::Value;
use tempfile::TempDir;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => play(),
        (Some("--recipe"), Some(name)) => play_recipe(&name),
        (Some("--config"), Some(file)) => run_configuration(&file),
        _ => {
            eprintln!("error: expected no argument, `--recipe NAME`, or `--config FILE`");
            ExitCode::FAILURE
        }
    }
}

/// Plays every situation.
fn play() -> ExitCode {
    println!("==> starting the upstream and Envoy");
    let (upstream, login, mint) = (Upstream::start(), authorization::start(), Mint::new());
    let mut bootstrap = bootstrap(upstream.port());
    let files = TempDir::new().expect("a temporary folder");
    for other in [
        example::credentials(upstream.port(), login.port()),
        example::bootstrap("envoy/proofs.yaml", &[("upstream", upstream.port())]),
        example::certificates(upstream.port(), files.path()),
    ] {
        add_listener(&mut bootstrap, other);
    }
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    let fetched = "wasmcustom.countersign.lists.entries.partners";
    support::until("the list is fetched", || envoy.stat(fetched) > 0);
    let groups = groups(&mint);
    let unexpected: usize = groups
        .iter()
        .map(|group| {
            situation::play(
                group.what,
                envoy.listener(group.listener),
                &group.situations,
            )
        })
        .sum();
    let played: usize = groups.iter().map(|group| group.situations.len()).sum();
    println!("==> {played} requests, {unexpected} unexpected responses");
    match unexpected {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// `envoy/envoy.yaml` on any free ports, with the built module.
fn bootstrap(upstream: u16) -> Value {
    let mut bootstrap = example::bootstrap("envoy/envoy.yaml", &[("upstream", upstream)]);
    listen(&mut bootstrap, 0, 0);
    bootstrap
}

/// Adds the listener and the clusters of another configuration.
fn add_listener(bootstrap: &mut Value, mut other: Value) {
    let (own, other) = (
        &mut bootstrap["static_resources"],
        &mut other["static_resources"],
    );
    for kind in ["listeners", "clusters"] {
        let own = own[kind].as_array_mut().expect("a list");
        let mut others = std::mem::take(other[kind].as_array_mut().expect("a list"));
        others.retain(|new| own.iter().all(|one| one["name"] != new["name"]));
        own.append(&mut others);
    }
}

/// Runs Envoy with a recipe of the cookbook until Ctrl-C. If no recipe has this name, prints the names of all recipes.
fn play_recipe(name: &str) -> ExitCode {
    let mut recipes = cookbook::recipes();
    if !recipes.iter().any(|recipe| recipe.name == name) {
        let names: Vec<&str> = recipes.iter().map(|recipe| &*recipe.name).collect();
        eprintln!(
            "error: unknown recipe `{name}`: expected one of {}",
            names.join(", ")
        );
        return ExitCode::FAILURE;
    }
    recipes.retain(|recipe| recipe.name == name);
    println!("==> starting the upstream and Envoy");
    let (upstream, mint) = (Upstream::start(), Mint::new());
    let login = authorization::start();
    let mut bootstrap = cookbook::bootstrap(&recipes, upstream.port(), login.port());
    listen(&mut bootstrap, free_or(LISTENER), free_or(ADMIN));
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    write_tokens(&mint);
    let server = envoy.listener(name);
    println!("==> Envoy listens on {server}; requests to paste into another terminal:\n");
    for line in recipes.iter().flat_map(|recipe| &recipe.transcript) {
        println!("# {}", line.text.replace('\n', "\n# "));
        if line.at.is_some() {
            println!("# only `countersign explain --now` can set the time of a request\n");
            continue;
        }
        let differences = line.differences(&line.play(server, &mint));
        for difference in differences {
            println!("# UNEXPECTED: {difference}");
        }
        println!("{}\n", line.curl(server, &mint));
    }
    println!("==> press Ctrl-C to stop Envoy");
    wait_for_signal();
    ExitCode::SUCCESS
}

/// Runs Envoy with the configuration in a file until Ctrl-C.
fn run_configuration(file: &str) -> ExitCode {
    let text = std::fs::read_to_string(file).map_err(|fault| fault.to_string());
    let recipe = match text.and_then(|text| Recipe::of_configuration("config", &text)) {
        Ok(recipe) => recipe,
        Err(fault) => {
            eprintln!("error: {file}: {fault}");
            return ExitCode::FAILURE;
        }
    };
    println!("==> starting the upstream and Envoy");
    let (upstream, mint, login) = (Upstream::start(), Mint::new(), authorization::start());
    let mut bootstrap = cookbook::bootstrap(&[recipe], upstream.port(), login.port());
    listen(&mut bootstrap, free_or(LISTENER), free_or(ADMIN));
    let envoy = match Envoy::try_start(&bootstrap, Stdio::inherit()) {
        Ok(envoy) => envoy,
        Err(fault) => {
            eprintln!(
                "{fault}\nerror: Envoy does not start: `countersign check {file}` lists the faults"
            );
            return ExitCode::FAILURE;
        }
    };
    write_tokens(&mint);
    let server = envoy.listener("config");
    println!("==> Envoy listens on {server}. A request to paste into another terminal:\n");
    println!("curl -i http://{server}/orders/17 -H \"{READER}\"\n");
    println!("==> the access log follows; press Ctrl-C to stop Envoy");
    wait_for_signal();
    ExitCode::SUCCESS
}
