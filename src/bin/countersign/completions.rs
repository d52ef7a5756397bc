//! `completions`: the script with which a shell completes a command line.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::exit::{Failure, Report};

/// Prints the completion script of a shell.
#[derive(clap::Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        let mut script = Vec::new();
        let mut command = crate::Command::command();
        generate(self.shell, &mut command, "countersign", &mut script);
        String::from_utf8(script)
            .map(Report::success)
            .map_err(Failure::new)
    }
}
