//! How a verb ends.

use std::fmt::Display;
use std::process::ExitCode;

/// What a verb prints, and how it ended.
pub struct Report {
    /// What goes to standard output.
    pub text: String,
    /// How it ended.
    pub ending: Ending,
}

/// The exit code.
#[derive(Clone, Copy)]
pub enum Ending {
    /// Valid, permitted, done.
    Good = 0,
    /// It could not be done. Also a wrong command line, for which others exit with 2: here that is a denial.
    Failure = 1,
    /// The request is denied.
    Denied = 2,
    /// The document is invalid.
    Invalid = 3,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending as u8)
    }
}

impl Report {
    /// It is done.
    pub fn done(text: impl Into<String>) -> Self {
        let mut text = text.into();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Self {
            text,
            ending: Ending::Good,
        }
    }
}

/// Why a verb could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    /// A failure, in words.
    pub fn new(what: impl Display) -> Self {
        Self(format!("countersign: {what}"))
    }

    /// A wrong command line, as clap explains it.
    pub fn usage(explanation: String) -> Self {
        Self(explanation)
    }
}
