//! Scopes, roles and groups that a caller must have.

use crate::authenticate::granted::Granted;

/// Required names: all of `all`, and one of `any` unless `any` is empty.
#[derive(Debug, Default)]
pub struct Names {
    /// The caller must have all of these.
    pub all: Vec<Name>,
    /// The caller must have one of these, unless there are none.
    pub any: Vec<Name>,
}

/// A required name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub name: String,
    /// Other names that meet the requirement too: for example `admin` for `read`.
    pub implied_by: Vec<String>,
}

impl Names {
    /// Whether the granted names meet the requirement.
    pub fn are_met_by(&self, granted: &Granted) -> bool {
        self.all.iter().all(|name| name.is_among(granted))
            && (self.any.is_empty() || self.any.iter().any(|name| name.is_among(granted)))
    }

    /// The names to request: all of `all`, and the first of `any`.
    pub fn to_ask_for(&self) -> Vec<&str> {
        let first = self.any.first().filter(|first| !self.all.contains(first));
        self.all
            .iter()
            .chain(first)
            .map(|own| own.name.as_str())
            .collect()
    }

    /// The missing names: those of `all` that are not granted, and the first of `any` if none of them is granted.
    pub fn missing(&self, granted: &Granted) -> Vec<&str> {
        let none_of_any = !self.any.iter().any(|name| name.is_among(granted));
        let first = self.any.first().filter(|_| none_of_any);
        let all = self.all.iter().filter(|name| !name.is_among(granted));
        all.chain(first).map(|own| own.name.as_str()).collect()
    }
}

impl Name {
    /// Whether the name is granted. Names are compared as a whole and case-sensitively (RFC 6749 §3.3).
    fn is_among(&self, granted: &Granted) -> bool {
        granted
            .iter()
            .any(|own| own == self.name || self.implied_by.iter().any(|other| own == other))
    }
}
