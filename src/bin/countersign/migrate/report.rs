//! The report of `migrate`: what is equal, what answers differently, and what cannot be carried over.
//!
//! `--format json` prints it as one object:
//!
//! ```json
//! {"gates": [{
//!   "name": "ingress",
//!   "sources": ["envoy.yaml: static_resources.listeners[0]…http_filters[0]"],
//!   "equal": [{"construct": "provider", "where": "…", "text": "…"}],
//!   "differences": [{"construct": "jwt_authn", "where": "…",
//!                    "old": {"status": 401, "body": "Jwt is missing"},
//!                    "new": {"status": 403, "error": "forbidden"},
//!                    "when": "…"}],
//!   "lost": [{"construct": "remote_jwks.retry_policy", "where": "…", "text": "…"}],
//!   "statuses": [{"old": 401, "new": 403}]
//! }]}
//! ```
//!
//! Status 200 stands for a request that is permitted, whatever the upstream responds. `statuses` is the set of pairs of
//! `differences`: a request whose status differs in another way is an error of the translation. No pair has the new
//! status 200 unless `permits` of its difference is true: the same valid credential or resource, in another spelling.

use serde::Serialize;

/// The report about all gates.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// One entry for each configuration that was written.
    pub gates: Vec<GateReport>,
}

/// The report about one gate: the filters of one listener, or the policies of one workload.
#[derive(Debug, Default, Serialize)]
pub struct GateReport {
    /// The name of the gate, as in the comment above its configuration.
    pub name: String,
    /// The parts of the input that decide at this gate.
    pub sources: Vec<String>,
    /// What has the same effect as before.
    pub equal: Vec<Note>,
    /// What answers differently.
    pub differences: Vec<Difference>,
    /// What cannot be carried over. What it permitted is denied.
    pub lost: Vec<Note>,
    /// Every pair of an old and a new status that a request can receive, except equal ones.
    pub statuses: Vec<Statuses>,
}

/// A statement about one construct of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The construct, by its name in the input.
    pub construct: String,
    /// Where it is in the input: a file and a path.
    pub r#where: String,
    /// What becomes of it.
    pub text: String,
}

/// A request that receives another answer than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The construct, by its name in the input.
    pub construct: String,
    /// Where it is in the input: a file and a path. Empty if the difference has no one place.
    pub r#where: String,
    /// The old answer.
    pub old: OldAnswer,
    /// The new answer.
    pub new: NewAnswer,
    /// Which requests these are.
    pub when: String,
    /// Whether the request was denied and is permitted now: the same valid credential in another spelling.
    pub permits: bool,
}

impl Difference {
    /// A difference between the old answer, a status and a body, and the new one, a status and an `error`.
    pub fn new(
        construct: &str,
        place: &str,
        old: (u16, &str),
        new: (u16, &str),
        when: &str,
    ) -> Self {
        Self {
            construct: construct.to_owned(),
            r#where: place.to_owned(),
            old: OldAnswer {
                status: old.0,
                body: old.1.to_owned(),
            },
            new: NewAnswer {
                status: new.0,
                error: new.1.to_owned(),
            },
            when: when.to_owned(),
            permits: false,
        }
    }
}

/// The answer of the old filters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OldAnswer {
    /// The status. 200 stands for a request that is permitted.
    pub status: u16,
    /// The body, if the filter answers.
    pub body: String,
}

/// The answer of Countersign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewAnswer {
    /// The status. 200 stands for a request that is permitted.
    pub status: u16,
    /// The `error` of the body, if the filter answers.
    pub error: String,
}

/// A pair of statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Statuses {
    /// The old status.
    pub old: u16,
    /// The new status.
    pub new: u16,
}
