//! The native command: what a document says, and what it does to a request, without a proxy.
//!
//! One verb a file. A verb reads its input and returns what is to be printed and how it ended; it writes nothing to
//! the terminal itself, so that no token can slip into an error on the way.

mod check;
mod clock;
mod ending;
mod explain;
mod found;
mod hash;
mod input;
mod mint;
mod redact;
mod routes;
mod schema;
mod surroundings;
mod tree;
mod yaml;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::ending::{Ending, Failure, Report};

const EXIT_CODES: &str = "\
Exit codes:
  0  the document is valid, the request is permitted, or it is done
  1  failure: the command line, or a file that cannot be read or holds no document
  2  the request is denied
  3  the document is invalid";

/// Checks a Countersign document, explains what it does to a request, and makes what one needs to write and test it.
#[derive(Parser)]
#[command(name = "countersign", version, after_help = EXIT_CODES)]
struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Finds the documents in a file, and says what is wrong with them and what around them undoes them.
    #[command(after_help = EXIT_CODES)]
    Check(check::Check),
    /// Judges one request by a document: the steps, and the response.
    #[command(after_help = EXIT_CODES)]
    Explain(explain::Explain),
    /// Prints the JSON Schema of the document, or of the body of an error.
    Schema(schema::Schema),
    /// Hashes a secret for the document; it is read from standard input.
    Hash(hash::Hash),
    /// Signs a token to test with.
    Mint(mint::Mint),
}

fn main() -> ExitCode {
    let ending = match Command::try_parse() {
        Ok(command) => run(command.verb),
        Err(asked) if !asked.use_stderr() => Ok(Report::done(asked.to_string())),
        Err(wrong) => Err(Failure::usage(wrong.to_string())),
    };
    let (text, ending) = match ending {
        Ok(report) => (report.text, report.ending),
        Err(failure) => {
            let text = redact::without_secrets(&failure.to_string(), std::env::args_os());
            // Nobody is left to be told that standard error is closed.
            let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
            (String::new(), Ending::Failure)
        }
    };
    // A reader that has seen enough, such as `head`, is no failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ending.into()
}

fn run(verb: Verb) -> Result<Report, Failure> {
    match verb {
        Verb::Check(check) => check.run(),
        Verb::Explain(explain) => explain.run(),
        Verb::Schema(schema) => schema.run(),
        Verb::Hash(hash) => hash.run(),
        Verb::Mint(mint) => mint.run(),
    }
}
