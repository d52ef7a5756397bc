//! A gate of the input: who may do what, independent of the product that enforced it.

use serde_yaml_ng::Mapping;

use super::formula::Formula;
use super::report::{Difference, Note};

/// What the old filters of one listener, or the old policies of one workload, decide.
#[derive(Debug)]
pub struct Gate {
    /// The name of the gate in the output.
    pub name: String,
    /// The parts of the input that decide.
    pub sources: Vec<String>,
    /// The providers of credentials.
    pub providers: Vec<Provider>,
    /// When a request passes the authentication.
    pub authentication: Formula,
    /// When a request is permitted.
    pub access: Formula,
    /// Whether paths arrive normalized: without dot segments and without escapes of unreserved characters.
    pub is_normalized: bool,
    /// What the upstream receives about callers.
    pub identity: Mapping,
    /// What is said about single constructs.
    pub notes: Notes,
}

/// What the translation says about single constructs.
#[derive(Debug, Default)]
pub struct Notes {
    /// What has the same effect as before.
    pub equal: Vec<Note>,
    /// What answers differently.
    pub differences: Vec<Difference>,
    /// What cannot be carried over.
    pub lost: Vec<Note>,
}

/// A provider of credentials.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its name, which is unique in the gate.
    pub name: String,
    /// Its key in the configuration, and what is below it.
    pub settings: (&'static str, Mapping),
    /// Where it reads credentials.
    pub locations: Vec<Location>,
}

/// Where a provider reads credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A header, by its name in lower case.
    Header(String),
    /// A query parameter.
    Query(String),
    /// A cookie.
    Cookie(String),
}

impl Gate {
    /// The providers that read a location which one of `names` reads.
    pub fn sharing(&self, names: &[String]) -> Vec<&str> {
        let named = self
            .providers
            .iter()
            .filter(|own| names.contains(&own.name));
        let locations: Vec<&Location> = named.flat_map(|own| &own.locations).collect();
        let shares = |own: &&Provider| own.locations.iter().any(|own| locations.contains(&own));
        let sharing = self.providers.iter().filter(shares);
        sharing.map(|own| own.name.as_str()).collect()
    }
}

impl Notes {
    /// Adds what has the same effect as before.
    pub fn equal(&mut self, construct: &str, place: &str, text: impl Into<String>) {
        push(&mut self.equal, construct, place, text);
    }

    /// Adds what differs although the request is permitted before and after.
    pub fn differs(&mut self, construct: &str, place: &str, when: &str) {
        self.differs_from(construct, place, (200, ""), (200, ""), when);
    }

    /// Adds an answer that differs: the old status and body, the new status and `error`.
    pub fn differs_from(
        &mut self,
        construct: &str,
        place: &str,
        old: (u16, &str),
        new: (u16, &str),
        when: &str,
    ) {
        let difference = Difference::new(construct, place, old, new, when);
        if !self.differences.contains(&difference) {
            self.differences.push(difference);
        }
    }

    /// Adds the differences of a filter that verifies no tokens of preflight requests.
    pub fn skips_preflights(&mut self, construct: &str, place: &str) {
        let when = "a preflight request has a valid token, which the old filter did not verify";
        self.differs_from(
            construct,
            place,
            (403, "RBAC: access denied"),
            (200, ""),
            when,
        );
        if let Some(last) = self.differences.last_mut() {
            last.permits = true;
        }
        self.differs_from(construct, place, (200, ""), (403, "forbidden"), when);
        self.differs_from(
            construct,
            place,
            (200, ""),
            (401, "unauthorized"),
            "a preflight request needs a credential where other requests do: put a `cors` filter before this one, or \
             configure `cors`",
        );
    }

    /// Adds what cannot be carried over.
    pub fn lost(&mut self, construct: &str, place: &str, text: impl Into<String>) {
        push(&mut self.lost, construct, place, text);
    }
}

fn push(notes: &mut Vec<Note>, construct: &str, place: &str, text: impl Into<String>) {
    let note = Note {
        construct: construct.to_owned(),
        r#where: place.to_owned(),
        text: text.into(),
    };
    if !notes.contains(&note) {
        notes.push(note);
    }
}
