//! The result of a verb: what it prints, and the exit code.

use std::fmt::Display;
use std::process::ExitCode;

/// What a verb prints to standard output, and the exit code.
pub struct Report {
    /// The text for standard output.
    pub text: String,
    /// What failed although the verb has a report, for standard error.
    pub failures: Vec<Failure>,
    /// The exit code.
    pub exit: Exit,
}

/// The exit code of the process.
#[derive(Clone, Copy)]
pub enum Exit {
    /// The configuration is valid, the request is permitted, or the verb is done.
    Success = 0,
    /// The verb failed.
    ///
    /// An invalid command line also exits with 1, because 2 means that the request is denied.
    Failure = 1,
    /// The request is denied.
    Denied = 2,
    /// The configuration is invalid.
    Invalid = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Report {
    /// The report of a verb that did not fail.
    pub fn new(text: String, exit: Exit) -> Self {
        Self {
            text,
            failures: Vec::new(),
            exit,
        }
    }

    /// The report of a verb that succeeded; adds a final newline.
    pub fn success(text: impl Into<String>) -> Self {
        let mut text = text.into();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Self::new(text, Exit::Success)
    }
}

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    message: String,
    /// The name of the file in the message, which is shown even if it looks like a secret.
    pub file: Option<String>,
    /// The text of a file that cannot be parsed, and where.
    pub syntax: Option<Syntax>,
}

/// Where a file cannot be parsed.
#[derive(Debug)]
pub struct Syntax {
    /// The text of the file.
    pub text: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1; none if only the line is known.
    pub column: Option<usize>,
}

impl Failure {
    /// A failure with its message.
    pub fn new(message: impl Display) -> Self {
        Self::usage(format!("countersign: {message}"))
    }

    /// A failure whose message contains the name of a file.
    pub fn of_file(name: impl Into<String>, message: impl Display) -> Self {
        Self {
            file: Some(name.into()),
            ..Self::new(message)
        }
    }

    /// An invalid command line, with the message of clap.
    pub fn usage(message: String) -> Self {
        Self {
            message,
            file: None,
            syntax: None,
        }
    }

    /// The same failure, at a line of a text that cannot be parsed.
    pub fn at(self, text: &str, line: usize, column: Option<usize>) -> Self {
        let text = text.to_owned();
        Self {
            syntax: Some(Syntax { text, line, column }),
            ..self
        }
    }
}
