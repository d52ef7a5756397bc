//! Scopes, roles and groups that a caller must have.

use crate::authenticate::granted::Granted;

/// Names that a caller must have: every one of `all`, and one of `any` where there are any.
#[derive(Debug, Default)]
pub struct Names {
    /// Every one of these.
    pub all: Vec<Name>,
    /// At least one of these, where there are any.
    pub any: Vec<Name>,
}

/// A name that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub name: String,
    /// Other names that stand for it too: `admin`, say, for `read`.
    pub implied_by: Vec<String>,
}

impl Names {
    /// Whether these are met.
    pub fn are_met_by(&self, granted: &Granted) -> bool {
        self.all.iter().all(|name| name.is_among(granted))
            && (self.any.is_empty() || self.any.iter().any(|name| name.is_among(granted)))
    }

    /// What to ask for: all of `all`, and the first of `any`.
    pub fn to_ask_for(&self) -> Vec<&str> {
        let first = self.any.first().filter(|first| !self.all.contains(first));
        self.all
            .iter()
            .chain(first)
            .map(|own| own.name.as_str())
            .collect()
    }

    /// What is missing: of `all` each that is, and where none of `any` is there, its first.
    pub fn missing(&self, granted: &Granted) -> Vec<&str> {
        let none_of_any = !self.any.iter().any(|name| name.is_among(granted));
        let first = self.any.first().filter(|_| none_of_any);
        let all = self.all.iter().filter(|name| !name.is_among(granted));
        all.chain(first).map(|own| own.name.as_str()).collect()
    }
}

impl Name {
    /// Names are compared whole and case-sensitively (RFC 6749 §3.3).
    fn is_among(&self, granted: &Granted) -> bool {
        granted
            .iter()
            .any(|own| own == self.name || self.implied_by.iter().any(|other| own == other))
    }
}
