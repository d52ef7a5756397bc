//! What is wrong with a document, and where.

use std::fmt;

use super::Loaded;
use crate::plan::Plan;

/// One thing that is wrong, or worth knowing, at one place of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The place, as `providers[0].jwt.audiences`; empty for the document itself.
    pub path: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The configuration is neither JSON nor a protobuf `Struct`.
    #[error("neither JSON nor a google.protobuf.Struct: {0}")]
    NotADocument(String),
    /// A key that the contract does not have.
    #[error("unknown key{}", suggestion(.0))]
    UnknownKey(Option<String>),
    /// A key or a value that the contract has, but this version does not serve.
    #[error("not supported yet")]
    Unsupported,
    /// A key that must be there is not.
    #[error("missing; expected {0}")]
    Missing(&'static str),
    /// A value of another kind or form.
    #[error("expected {expected}, found {found}{}", suggestion(.nearest))]
    Unexpected {
        /// What would be right.
        expected: String,
        /// What stands there.
        found: String,
        /// The valid value that is nearest to it.
        nearest: Option<String>,
    },
    /// A name that something before it has.
    #[error("the name `{0}` is taken by {1}")]
    DuplicateName(String, String),
    /// A name that nothing has.
    #[error("there is no {kind} `{name}`{}", suggestion(.nearest))]
    UnknownName {
        /// What it should be the name of.
        kind: &'static str,
        /// The name.
        name: String,
        /// The name that is nearest to it.
        nearest: Option<String>,
    },
    /// A rule that an earlier one leaves no request.
    #[error("no request can reach this rule: `{0}` fits everything that it fits")]
    Unreachable(String),
    /// Something that contradicts something else, or cannot work; the text is the whole sentence.
    #[error("{0}")]
    Invalid(String),
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(formatter, "{}", self.fault)
        } else {
            write!(formatter, "{}: {}", self.path, self.fault)
        }
    }
}

/// The faults of a document, as they are found.
#[derive(Debug, Default)]
pub struct Faults(Vec<Diagnostic>);

impl Faults {
    /// Reports a fault at a place.
    ///
    /// A place that has a fault already is left at that, and so is what lies within it: the second would be a
    /// consequence of the first.
    pub fn report(&mut self, path: impl Into<String>, fault: Fault) {
        let path = path.into();
        if !self.0.iter().any(|known| lies_within(&path, &known.path)) {
            self.0.push(Diagnostic { path, fault });
        }
    }

    /// Whether something within the place is at fault.
    pub fn any_within(&self, path: &str) -> bool {
        self.0.iter().any(|known| lies_within(&known.path, path))
    }

    /// The plan, if there is no fault; else the faults, those of one place together.
    pub(super) fn into_result(
        self,
        plan: Plan,
        warnings: Vec<Diagnostic>,
    ) -> Result<Loaded, Vec<Diagnostic>> {
        if self.0.is_empty() {
            Ok(Loaded { plan, warnings })
        } else {
            // Faults are few, and a sort of the library's is 5 kB of the module.
            let mut sorted: Vec<Diagnostic> = Vec::with_capacity(self.0.len());
            for fault in self.0 {
                let not_after = |known: &Diagnostic| order(&known.path).le(order(&fault.path));
                sorted.insert(sorted.partition_point(not_after), fault);
            }
            Err(sorted)
        }
    }
}

/// Names by the alphabet, items of a list by their number.
fn order(path: &str) -> impl Iterator<Item = (usize, &str)> {
    path.split(['.', '['])
        .map(|step| match step.strip_suffix(']') {
            Some(number) => (number.parse().unwrap_or_default(), ""),
            None => (0, step),
        })
}

fn lies_within(path: &str, around: &str) -> bool {
    path.strip_prefix(around)
        .is_some_and(|rest| rest.is_empty() || around.is_empty() || rest.starts_with(['.', '[']))
}

/// The one of `names` that `typed` is probably meant to be.
pub fn nearest<'n>(typed: &str, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
    let typed = typed.to_ascii_lowercase();
    names
        .into_iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&typed, &name.to_ascii_lowercase()),
                name,
            )
        })
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["audiences", "issuer", "jwks"];
        assert_eq!(nearest("audience", names).as_deref(), Some("audiences"));
        assert_eq!(nearest("Issuer", names).as_deref(), Some("issuer"));
        assert_eq!(nearest("jwk_set", names), None);
    }

    #[test]
    fn a_consequence_of_a_fault_is_not_reported() {
        let mut faults = Faults::default();
        faults.report("a[1]", Fault::Unsupported);
        faults.report("a[1].b", Fault::Unsupported);
        faults.report("a[1]", Fault::UnknownKey(None));
        faults.report("a[10]", Fault::Unsupported);
        assert_eq!(faults.0.len(), 2);
        assert!(faults.any_within("a") && !faults.any_within("a[2]"));
    }
}
