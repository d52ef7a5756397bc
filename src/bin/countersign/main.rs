//! The native command: checks a configuration and explains what the filter does with a request, without a proxy.
//!
//! Each verb has its own file. A verb reads its input and returns a [`Report`] or a [`Failure`]. Only `main` writes to
//! standard output and standard error. It removes secrets from failures first.

mod check;
mod clock;
mod completions;
mod examples;
mod exit;
mod explain;
mod file;
mod finding;
mod hash;
mod input;
mod locate;
mod man;
mod migrate;
mod mint;
mod node;
mod redact;
mod report;
mod schema;
mod source;
mod yaml;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::exit::{Exit, Failure, Report};

const EXIT_CODES: &str = "\
Exit codes:
  0  the configuration is valid, the request is permitted, or the command is done
  1  failure: an invalid command line, an unreadable file, or a file without a configuration
  2  the request is denied, or answered by the filter
  3  the configuration is invalid";

/// Checks a Countersign configuration, explains what the filter does with a request, and creates tokens and hashes for
/// a configuration.
#[derive(Parser)]
#[command(name = "countersign", version, after_help = EXIT_CODES)]
struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Checks the configurations in files: their errors, and settings around them that make them ineffective.
    #[command(after_help = examples::CHECK)]
    Check(check::Check),
    /// Explains what the filter does with one request: the steps and the response.
    #[command(after_help = examples::EXPLAIN)]
    Explain(Box<explain::Explain>),
    /// Translates configurations of Envoy's own filters, Istio and Envoy Gateway.
    Migrate(migrate::Migrate),
    /// Prints the JSON Schema of the configuration or of the error body.
    #[command(after_help = examples::SCHEMA)]
    Schema(schema::Schema),
    /// Reads a secret from standard input and prints its hash for the configuration.
    #[command(after_help = examples::HASH)]
    Hash(hash::Hash),
    /// Signs a token for tests.
    #[command(after_help = examples::MINT)]
    Mint(Box<mint::Mint>),
    /// Prints the completion script of a shell.
    #[command(after_help = examples::COMPLETIONS)]
    Completions(completions::Completions),
    /// Prints the manual page of the command or of a verb, or writes all pages.
    #[command(after_help = examples::MAN)]
    Man(man::Man),
}

fn main() -> ExitCode {
    let result = match Command::try_parse() {
        Ok(command) => run(command.verb),
        Err(help) if !help.use_stderr() => Ok(Report::success(help.to_string())),
        Err(error) => Err(Failure::usage(error.to_string())),
    };
    let (text, exit, failures) = match result {
        Ok(report) => (report.text, report.exit, report.failures),
        Err(failure) => (String::new(), Exit::Failure, vec![failure]),
    };
    for failure in failures {
        let text = redact::without_secrets(&failure, std::env::args_os());
        let excerpt = failure.syntax.as_ref().map(report::text::syntax);
        // If standard error is closed, the exit code still reports the failure.
        let _ = writeln!(
            std::io::stderr(),
            "{}{}",
            text.trim_end(),
            excerpt.unwrap_or_default()
        );
    }
    // A reader such as `head` may close standard output early; that is not a failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
    exit.into()
}

fn run(verb: Verb) -> Result<Report, Failure> {
    match verb {
        Verb::Check(check) => check.run(),
        Verb::Explain(explain) => explain.run(),
        Verb::Migrate(migrate) => migrate.run(),
        Verb::Schema(schema) => schema.run(),
        Verb::Hash(hash) => hash.run(),
        Verb::Mint(mint) => mint.run(),
        Verb::Completions(completions) => completions.run(),
        Verb::Man(man) => man.run(),
    }
}
