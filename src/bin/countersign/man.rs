//! `man`: the manual pages, one for the command and one for each verb.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_mangen::Man as Page;

use crate::exit::{Failure, Report};
use crate::input;

/// Prints a manual page, or writes all of them.
#[derive(clap::Args)]
pub struct Man {
    /// The verb, such as `explain` or `hash key`; default: the page of the command, which lists the verbs
    verb: Vec<String>,
    /// Write the pages of the command and of every verb to this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "verb")]
    out: Option<PathBuf>,
}

impl Man {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        let mut command = crate::Command::command().disable_help_subcommand(true);
        // A verb that is not built has no full name.
        command.build();
        if let Some(folder) = &self.out {
            let mut written = Vec::new();
            write_all(folder, &command, &mut written)?;
            return Ok(Report::success(written.join("\n")));
        }
        let mut own = &command;
        for verb in &self.verb {
            own = own
                .find_subcommand(verb)
                .ok_or_else(|| unknown(own, verb))?;
        }
        page(own.clone()).map(Report::success)
    }
}

fn unknown(command: &Command, verb: &str) -> Failure {
    let verbs = command.get_subcommands().map(Command::get_name);
    let verbs = verbs.collect::<Vec<_>>().join(", ");
    match verbs.is_empty() {
        true => Failure::new(format_args!(
            "`{}` has no verbs, found `{verb}`",
            name(command)
        )),
        false => Failure::new(format_args!(
            "expected a verb, one of {verbs}, found `{verb}`"
        )),
    }
}

/// Writes the page of a command and those of its verbs, and collects the names of the files.
fn write_all(folder: &Path, command: &Command, written: &mut Vec<String>) -> Result<(), Failure> {
    written.push(write(folder, command.clone())?);
    let mut verbs = command.get_subcommands();
    verbs.try_for_each(|verb| write_all(folder, verb, written))
}

/// Writes a page to a folder, and returns the name of its file.
fn write(folder: &Path, command: Command) -> Result<String, Failure> {
    let file = folder.join(format!("{}.1", name(&command)));
    let text = page(command)?;
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, text));
    written
        .map_err(|error| input::failure(&file, |name| format!("cannot write `{name}`: {error}")))?;
    Ok(file.display().to_string())
}

/// The manual page of a command, in roff.
fn page(command: Command) -> Result<String, Failure> {
    let title = name(&command).to_uppercase();
    let page = Page::new(command)
        .title(title)
        .source(concat!("countersign ", env!("CARGO_PKG_VERSION")))
        .manual("Countersign");
    let mut text = Vec::new();
    page.render(&mut text).map_err(Failure::new)?;
    let text = String::from_utf8(text).map_err(Failure::new)?;
    Ok(sections(&text))
}

/// The page with a section for the examples and one for the exit codes, whose lines are not filled: a line that is broken or
/// justified cannot be copied. clap has one text for both, after the options.
fn sections(page: &str) -> String {
    let mut text = String::new();
    let mut is_literal = false;
    for line in page.lines() {
        let section = match line {
            "Examples:" => Some("EXAMPLES"),
            "Exit codes:" => Some("\"EXIT STATUS\""),
            ".SH EXTRA" => {
                text += ".SH NOTES\n";
                continue;
            }
            _ => None,
        };
        if is_literal && (line.is_empty() || line.starts_with('.')) {
            text += ".fi\n";
            is_literal = false;
        }
        match section {
            Some(title) => {
                text += &format!(".SH {title}\n.nf\n");
                is_literal = true;
            }
            None => text += &format!("{line}\n"),
        }
    }
    if is_literal {
        text += ".fi\n";
    }
    // A section that begins with another one has no text.
    text.replace(".SH NOTES\n.SH", ".SH")
}

/// `countersign`, or `countersign-` and the verb.
fn name(command: &Command) -> String {
    let name = command.get_display_name();
    name.unwrap_or_else(|| command.get_name()).to_owned()
}
