//! What is wrong in a file, and where.

use std::borrow::Cow;
use std::fmt::{self, Debug, Display};

use countersign::config::{Diagnostic, Fault};

/// What is wrong in a file, and where.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// How severe it is.
    pub severity: Severity,
    /// The kind of finding, such as `unknown-key`.
    pub code: Cow<'static, str>,
    /// The path in the file, such as `rules[0].match`; empty for the whole file.
    pub path: String,
    /// What is wrong.
    pub text: String,
    /// What to change; none if the text says it, or if there is no one change.
    pub fix: Option<String>,
    /// What is wrong at the path.
    pub mark: Mark,
}

/// How severe a finding is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Requests pass without authentication, or the filter cannot work.
    Error,
    /// The effect depends on the rest of the deployment.
    Warning,
    /// The file does not show whether the deployment does what the configuration needs.
    Note,
}

/// What is wrong at a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The key.
    Key,
    /// The value.
    Value,
}

impl Severity {
    /// The name in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Finding {
    /// An error.
    pub fn error(
        code: impl Into<Cow<'static, str>>,
        path: impl Into<String>,
        text: impl Display,
    ) -> Self {
        Self::new(Severity::Error, code, path, text)
    }

    /// A warning.
    pub fn warning(
        code: impl Into<Cow<'static, str>>,
        path: impl Into<String>,
        text: impl Display,
    ) -> Self {
        Self::new(Severity::Warning, code, path, text)
    }

    /// A note.
    pub fn note(
        code: impl Into<Cow<'static, str>>,
        path: impl Into<String>,
        text: impl Display,
    ) -> Self {
        Self::new(Severity::Note, code, path, text)
    }

    /// A finding. In a message, the fix follows the last `; `.
    fn new(
        severity: Severity,
        code: impl Into<Cow<'static, str>>,
        path: impl Into<String>,
        text: impl Display,
    ) -> Self {
        let text = text.to_string();
        // A `; ` between backticks is text of the user.
        let parts = text.rsplit_once("; ");
        let parts = parts.filter(|(_, fix)| fix.matches('`').count() % 2 == 0);
        let (text, fix) = match parts {
            Some((text, fix)) => (text.to_owned(), Some(fix.to_owned())),
            None => (text, None),
        };
        Self {
            severity,
            code: code.into(),
            path: path.into(),
            text,
            fix,
            mark: Mark::Value,
        }
    }

    /// The error about a fault of a configuration.
    pub fn of_fault(fault: &Diagnostic) -> Self {
        let finding = Self::error(code(&fault.what), &fault.path, &fault.what);
        let is_key = matches!(
            fault.what,
            Fault::UnknownKey { .. } | Fault::MisplacedKey(_)
        );
        Self {
            mark: if is_key { Mark::Key } else { Mark::Value },
            ..finding
        }
    }

    /// The same finding with another message.
    pub fn with_text(self, text: impl Display) -> Self {
        let Self {
            severity,
            code,
            path,
            mark,
            ..
        } = self;
        Self {
            mark,
            ..Self::new(severity, code, path, text)
        }
    }

    /// The same finding about the key at its path.
    pub fn at_key(self) -> Self {
        Self {
            mark: Mark::Key,
            ..self
        }
    }

    /// The same finding below another path.
    pub fn below(mut self, path: &str) -> Self {
        self.path = match (path, self.path.as_str()) {
            ("", _) => self.path,
            (_, "") => path.to_owned(),
            (around, own) => format!("{around}.{own}"),
        };
        self
    }
}

impl Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        formatter.write_str(&self.text)?;
        match &self.fix {
            Some(fix) => write!(formatter, "; {fix}"),
            None => Ok(()),
        }
    }
}

/// The code of a fault or a warning: the name of its kind in the library, such as `unknown-key` of `UnknownKey`.
///
/// Of a kind within another one, such as `Jwt(Audiences)`, it has both names: `jwt-audiences`. A name is not repeated.
pub fn code(kind: &impl Debug) -> String {
    let debug = format!("{kind:?}");
    let names = debug.split(|end: char| !end.is_ascii_alphanumeric());
    let mut names =
        names.take_while(|name| name.starts_with(|first: char| first.is_ascii_uppercase()));
    let mut code = String::new();
    // The outer name is followed by `(` only if it contains another kind.
    let outer = names.next().unwrap_or_default();
    let inner = debug
        .strip_prefix(outer)
        .is_some_and(|rest| rest.starts_with('('));
    let inner = names.next().filter(|name| inner && *name != outer);
    for name in std::iter::once(outer).chain(inner) {
        for (index, letter) in name.char_indices() {
            let is_word = letter.is_ascii_uppercase() && (index > 0 || !code.is_empty());
            code.extend(is_word.then_some('-'));
            code.push(letter.to_ascii_lowercase());
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    enum Kind {
        UnknownKey,
        Jwt(Inner),
        NotHidden(NotHidden),
    }

    #[derive(Debug)]
    enum Inner {
        Audiences,
    }

    #[derive(Debug)]
    struct NotHidden;

    #[test]
    fn a_code_has_the_names_of_the_kinds_once() {
        assert_eq!(code(&Kind::UnknownKey), "unknown-key");
        assert_eq!(code(&Kind::Jwt(Inner::Audiences)), "jwt-audiences");
        assert_eq!(code(&Kind::NotHidden(NotHidden)), "not-hidden");
    }
}
