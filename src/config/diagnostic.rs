//! What is wrong with a configuration, and where.

use std::fmt;

use super::Loaded;
use super::at::At;
use super::fault::{Fault, Warning};
use crate::plan::Plan;

/// A fault or a warning, and its location in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic<T = Fault> {
    /// The location, such as `providers[0].jwt.audiences`; empty for the configuration as a whole.
    pub path: String,
    /// What is wrong.
    pub what: T,
}

impl<T: fmt::Display> fmt::Display for Diagnostic<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        self.what.fmt(formatter)
    }
}

/// The proof that a fault was reported. Only [`Diagnostics::report`] makes one.
///
/// A value that is at fault is replaced by this proof, so that nothing that depends on the value can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported(());

/// Whether everything in a value could be read and compiled, or a fault was reported within it.
pub type Whole = Result<(), Reported>;

/// A compiled value. What is at fault was left out of it.
#[derive(Debug)]
pub struct Partly<T> {
    /// The value without what is at fault.
    pub known: T,
    /// Whether nothing was left out.
    pub whole: Whole,
}

impl<T> Partly<T> {
    /// The value, if nothing was left out.
    ///
    /// # Errors
    /// [`Reported`] if something was.
    pub fn whole(self) -> Result<T, Reported> {
        self.whole.map(|()| self.known)
    }
}

/// The diagnostics of a configuration, in the order in which they are found.
#[derive(Debug, Default)]
pub struct Diagnostics {
    faults: Vec<Diagnostic>,
    warnings: Vec<Diagnostic<Warning>>,
}

impl Diagnostics {
    /// Reports a fault. A location has one fault, the first that is reported.
    pub fn report(&mut self, at: &At<'_>, fault: impl Into<Fault>) -> Reported {
        self.add(at, fault.into());
        Reported(())
    }

    /// Reports what the user should know although it is not a fault.
    // Not inlined, because every warning has a call.
    #[inline(never)]
    pub fn warn(&mut self, at: &At<'_>, warning: Warning) {
        self.warnings.push(Diagnostic {
            path: at.to_string(),
            what: warning,
        });
    }

    /// The plan and the warnings, if no fault was reported.
    ///
    /// # Errors
    /// The faults, sorted by location.
    pub fn into_result(
        self,
        plan: Result<Plan, Reported>,
        hash: impl FnOnce() -> u64,
    ) -> Result<Loaded, Vec<Diagnostic>> {
        match plan {
            Ok(plan) if self.faults.is_empty() => Ok(Loaded {
                plan,
                warnings: self.warnings,
                hash: hash(),
            }),
            Ok(_) | Err(Reported(())) => Err(sorted(self.faults)),
        }
    }

    // Not inlined, because every fault has a call.
    #[inline(never)]
    fn add(&mut self, at: &At<'_>, what: Fault) {
        let path = at.to_string();
        if !self.faults.iter().any(|known| known.path == path) {
            self.faults.push(Diagnostic { path, what });
        }
    }
}

fn sorted(faults: Vec<Diagnostic>) -> Vec<Diagnostic> {
    // Faults are few, and a sort of the standard library adds 5 kB to the module.
    let mut sorted: Vec<Diagnostic> = Vec::with_capacity(faults.len());
    for fault in faults {
        let not_after = |known: &Diagnostic| order(&known.path).le(order(&fault.path));
        sorted.insert(sorted.partition_point(not_after), fault);
    }
    sorted
}

/// Names in alphabetical order, items of a list by their index.
fn order(path: &str) -> impl Iterator<Item = (usize, &str)> {
    path.split(['.', '['])
        .map(|step| match step.strip_suffix(']') {
            Some(index) => (index.parse().unwrap_or_default(), ""),
            None => (0, step),
        })
}

/// The one of `names` that was probably meant by `typed`.
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
    fn faults_are_sorted_by_location_and_a_location_has_one() {
        let mut diagnostics = Diagnostics::default();
        let list = At::Root.member("a");
        for at in [list.item(10), list.item(9), list.item(9).member("b")] {
            diagnostics.report(&at, Fault::NotJson);
            diagnostics.report(&at, Fault::UnknownKey { nearest: None });
        }
        let faults = sorted(diagnostics.faults);
        let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["a[9]", "a[9].b", "a[10]"]);
        assert!(faults.iter().all(|fault| fault.what == Fault::NotJson));
    }
}
