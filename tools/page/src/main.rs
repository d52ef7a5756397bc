//! `countersign-page`: a web page that plays the demo's situations against an Envoy with the filter, beside `jwt_authn` and
//! `rbac`, explains requests, and shows the filter's counters.
//!
//! `make run` runs `countersign-page run`, which starts Envoy too. `bootstrap` and `serve` are for an Envoy that runs
//! elsewhere, such as in another container.
#![allow(clippy::restriction, reason = "a demo may panic")]

mod assets;
mod bootstrap;
mod counters;
mod explain;
mod guard;
mod play;
mod request;
mod response;
mod run;
mod send;
mod serve;
mod server;
mod state;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use demo::support::{self, leaks};

/// Plays the situations of the demo against an Envoy, in a web page
#[derive(Parser)]
struct Arguments {
    /// The folder of the repository, with `envoy/` [default: the one that this program was built from]
    #[arg(long, value_name = "DIR", global = true)]
    repository: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Run),
    Bootstrap(bootstrap::Arguments),
    Serve(serve::Serve),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(repository) = arguments.repository {
        support::REPOSITORY
            .set(repository)
            .expect("it is set before it is used");
    }
    // The tokens of the form are not kept.
    leaks::collect_tokens_only();
    let result = match arguments.command {
        Command::Run(run) => run.run(),
        Command::Bootstrap(arguments) => arguments.write(),
        Command::Serve(serve) => serve.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::FAILURE
        }
    }
}
