//! `make demo`: sends requests to an Envoy with the filter and the configurations of `envoy/`, and prints the responses.
//!
//! `make run` runs `demo --stay`: it leaves Envoy running and prints requests to paste. `make run RECIPE=…` runs
//! `demo --recipe …`: it does the same with a recipe of `docs/cookbook.md`, and plays the transcript of the recipe.
//! `make run CONFIG=…` runs `demo --config …`: it does the same with the configuration in a file.
#![allow(clippy::restriction, reason = "a demo may panic")]

mod certificates;
mod credentials;
mod proofs;
mod rules;
mod situation;
mod support;

use std::net::{SocketAddr, TcpListener};
use std::process::{ExitCode, Stdio};

use serde_json::{Value, json};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tempfile::TempDir;

use self::situation::Situation;
use support::authorization;
use support::cookbook::{self, Recipe};
use support::envoy::Envoy;
use support::example::{self, Mint};
use support::upstream::Upstream;

/// The ports in the example.
const LISTENER: u16 = 10000;
const ADMIN: u16 = 9901;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let stay = match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => false,
        (Some("--stay"), None) => true,
        (Some("--recipe"), Some(name)) => return play_recipe(&name),
        (Some("--config"), Some(file)) => return run_configuration(&file),
        _ => {
            eprintln!("error: expected no argument, `--stay`, `--recipe NAME`, or `--config FILE`");
            return ExitCode::FAILURE;
        }
    };
    println!("==> starting the upstream and Envoy");
    let upstream = Upstream::start();
    let mint = Mint::new();
    if stay {
        let bootstrap = bootstrap(free_or(LISTENER), free_or(ADMIN), upstream.port());
        let envoy = Envoy::start_with(&bootstrap, Stdio::inherit());
        write_tokens(&mint);
        print_requests(envoy.listener("public"), envoy.admin_address());
        wait_for_signal();
        return ExitCode::SUCCESS;
    }
    let login = authorization::start();
    let mut bootstrap = bootstrap(0, 0, upstream.port());
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

/// Situations of one listener.
struct Group {
    what: &'static str,
    listener: &'static str,
    situations: Vec<Situation>,
}

/// Every situation that the demo plays.
fn groups(mint: &Mint) -> [Group; 4] {
    let group = |what, listener, situations| Group {
        what,
        listener,
        situations,
    };
    [
        group("rules", "public", rules::situations(mint)),
        group(
            "kinds of credentials",
            "credentials",
            credentials::situations(mint),
        ),
        group("proofs of possession", "proofs", proofs::situations(mint)),
        group(
            "client certificates",
            "certificates",
            certificates::situations(mint),
        ),
    ]
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

/// Writes tokens to files of the folder `tokens`, and prints where.
fn write_tokens(mint: &Mint) {
    example::write_tokens(&support::in_repository("tokens"), mint);
    let names = example::TOKENS.map(|name| format!("tokens/{name}.jwt"));
    println!("==> wrote {}; they are valid for a day", names.join(", "));
}

/// The port, or 0 (any port) if it is in use.
fn free_or(port: u16) -> u16 {
    TcpListener::bind(("127.0.0.1", port)).map_or(0, |_| port)
}

/// `envoy/envoy.yaml` with these ports and the built module.
fn bootstrap(listener: u16, admin: u16, upstream: u16) -> Value {
    let mut bootstrap = example::bootstrap("envoy/envoy.yaml", &[("upstream", upstream)]);
    listen(&mut bootstrap, listener, admin);
    bootstrap
}

/// Sets the ports of a bootstrap.
fn listen(bootstrap: &mut Value, listener: u16, admin: u16) {
    let port = "/address/socket_address/port_value";
    example::set(&mut bootstrap["admin"], port, json!(admin));
    let listeners = &mut bootstrap["static_resources"]["listeners"];
    example::set(&mut listeners[0], port, json!(listener));
}

fn signed(mint: &Mint, claims: &Value) -> Vec<u8> {
    bearer(&mint.token(claims))
}

fn bearer(token: &str) -> Vec<u8> {
    format!("Bearer {token}").into_bytes()
}

/// The header with a token of `tokens/`, as a shell reads it in double quotes.
const READER: &str = "authorization: Bearer $(cat tokens/reader.jwt)";

/// Prints requests to paste into another terminal.
fn print_requests(server: SocketAddr, admin: SocketAddr) {
    println!(
        "==> Envoy listens on {server}. Requests to paste into another terminal, in this folder:\n"
    );
    println!("# public\ncurl -i http://{server}/healthz\n");
    println!("# 401: no credential\ncurl -i http://{server}/orders/17\n");
    for (what, token, request) in [
        ("200: alice may read orders", "reader", "/orders/17"),
        (
            "403: alice may not write orders",
            "reader",
            "/orders/17 -X POST",
        ),
        ("401: the token is expired", "expired", "/orders/17"),
        ("200: olga is an operator", "operator", "/admin/users"),
    ] {
        let header = READER.replace("reader", token);
        println!("# {what}\ncurl -i http://{server}{request} -H \"{header}\"\n");
    }
    println!("# the metrics\ncurl -s http://{admin}/stats/prometheus | grep ^countersign_\n");
    println!("==> the access log follows; press Ctrl-C to stop Envoy");
}

/// Returns after Ctrl-C or SIGTERM.
fn wait_for_signal() {
    let mut signals = Signals::new([SIGINT, SIGTERM]).expect("signals can be waited for");
    let _ = signals.forever().next();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The README says how many requests the demo sends.
    #[test]
    fn the_readme_counts_the_requests() {
        let sent: usize = groups(&Mint::new())
            .iter()
            .map(|group| group.situations.len())
            .sum();
        let readme = std::fs::read_to_string(support::in_repository("README.md")).unwrap();
        assert!(readme.contains(&format!("sends {sent} requests")), "{sent}");
    }
}
