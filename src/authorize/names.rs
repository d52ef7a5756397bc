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
    /// Whether nothing is required.
    pub fn are_none(&self) -> bool {
        self.all.is_empty() && self.any.is_empty()
    }

    /// Whether the granted names meet the requirement.
    pub fn are_met_by(&self, granted: &Granted) -> bool {
        self.all.iter().all(|name| name.is_among(granted))
            && (self.any.is_empty() || self.any.iter().any(|name| name.is_among(granted)))
    }
}

/// The names of both requirements that `is_held` says a caller lacks, each once: every required one, and the first of
/// alternatives, unless one of these is held or required in any case.
pub(super) fn lacked<'n>(both: [&'n Names; 2], is_held: &dyn Fn(&Name) -> bool) -> Vec<&'n str> {
    let required = || both.iter().flat_map(|names| &names.all);
    let is_covered =
        |own: &Name| is_held(own) || required().any(|required| own.is_met_by(&required.name));
    let mut lacked = Vec::new();
    for names in both {
        let first = names.any.first();
        let first = first.filter(|_| !names.any.iter().any(is_covered));
        let all = names.all.iter().filter(|own| !is_held(own));
        for own in all.chain(first) {
            if !lacked.contains(&own.name.as_str()) {
                lacked.push(own.name.as_str());
            }
        }
    }
    lacked
}

impl Name {
    /// Whether a caller with the name `other` meets the requirement.
    fn is_met_by(&self, other: &str) -> bool {
        self.name == other || self.implied_by.iter().any(|own| own == other)
    }

    /// Whether the name is granted. Names are compared as a whole and case-sensitively (RFC 6749 §3.3).
    pub(super) fn is_among(&self, granted: &Granted) -> bool {
        granted.iter().any(|own| self.is_met_by(own))
    }
}
