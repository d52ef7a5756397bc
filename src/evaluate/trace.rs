//! How a decision is reached, step by step, for whoever wants to hear it.

use std::fmt;

use crate::authenticate::Principal;
use crate::authorize::condition::OPERATIONS;
use crate::grammar::unprintable::escaped;
use crate::reject::Reject;
use crate::request::RequestView;
use crate::request::path::{Reading, Readings};
use crate::scheme::Scheme;

/// Listens to how a decision is reached.
pub trait Trace {
    /// Hears of one step.
    fn step(&mut self, step: Step<'_>);
}

/// Nobody listens.
impl Trace for () {
    fn step(&mut self, _: Step<'_>) {}
}

/// A step on the way to a decision.
#[derive(Debug)]
pub enum Step<'a> {
    /// The path can be read in these ways.
    Read(&'a Readings<'a>),
    /// The request is on a route of the host's, at which rules look.
    Route(&'a RequestView<'a>),
    /// A rule fits; none leaves it to the default.
    Rule(Option<&'a str>),
    /// A rule that hides could match, and the client is not told what is wrong.
    Withheld(Reject),
    /// What the rule asks.
    Asks(&'static str),
    /// What is known of failures before.
    Throttle(Throttling),
    /// What the caller shows; none shows nothing.
    Shows(Option<Scheme>),
    /// A provider vouches for the caller.
    Vouched {
        /// The provider.
        provider: &'a str,
        /// The caller.
        principal: &'a Principal,
    },
    /// What became of a condition.
    Condition {
        /// Whether it holds; none could not be evaluated.
        holds: Option<bool>,
        /// How many operations the conditions of the request have spent so far.
        spent: u32,
    },
}

/// What is known of failures before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttling {
    /// The address is exempt.
    Exempt,
    /// Nobody whom the request names is blocked.
    NothingKnown {
        /// How many were looked for: an address, users.
        callers: usize,
    },
    /// There were too many, for so many seconds more.
    Blocked(u32),
}

impl fmt::Display for Throttling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exempt => write!(formatter, "failures from this address are not counted"),
            Self::NothingKnown { callers: 0 } => write!(
                formatter,
                "failures are counted, and the request names nobody whose they would be"
            ),
            Self::NothingKnown { .. } => {
                write!(formatter, "failures are counted, and nothing known blocks")
            }
            Self::Blocked(seconds) => {
                write!(formatter, "too many failures: blocked for {seconds} s more")
            }
        }
    }
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(readings) => {
                for (place, reading) in readings.iter().enumerate() {
                    match place {
                        0 if !reading.is_path() => write!(formatter, "the request has no path")?,
                        0 => write!(formatter, "the path is read as {}", Shown(reading))?,
                        _ => write!(formatter, ", or as {}", Shown(reading))?,
                    }
                }
                Ok(())
            }
            Self::Route(request) => {
                match request.route().map(String::from_utf8_lossy) {
                    Some(name) => write!(formatter, "it is on the route `{name}`")?,
                    None => write!(formatter, "it is on no route that has a name")?,
                }
                for (place, policy) in request.policies().iter().enumerate() {
                    let before = if place == 0 {
                        ", under the policy"
                    } else {
                        " and"
                    };
                    let policy = String::from_utf8_lossy(policy);
                    write!(formatter, "{before} `{policy}`")?;
                }
                Ok(())
            }
            Self::Rule(Some(name)) => write!(formatter, "the rule `{name}` fits first"),
            Self::Rule(None) => write!(formatter, "no rule fits: the default decides"),
            Self::Withheld(reject) => write!(
                formatter,
                "a rule with `on_forbidden: not_found` could match: `{}` is not disclosed",
                reject.reason()
            ),
            Self::Asks(what) => write!(formatter, "it asks for {what}"),
            Self::Throttle(throttling) => throttling.fmt(formatter),
            Self::Shows(Some(scheme)) => write!(formatter, "a {scheme} credential is shown"),
            Self::Shows(None) => write!(formatter, "no credential is shown"),
            Self::Vouched {
                provider,
                principal,
            } => {
                let subject = principal.subject().unwrap_or("a caller without a subject");
                let subject = escaped(subject);
                write!(formatter, "the provider `{provider}` vouches for {subject}")?;
                for (what, names) in [
                    ("scopes", principal.scopes()),
                    ("roles", principal.roles()),
                    ("groups", principal.groups()),
                ] {
                    if !names.is_empty() {
                        write!(formatter, ", {what}")?;
                        for name in names.iter() {
                            write!(formatter, " {}", escaped(name))?;
                        }
                    }
                }
                Ok(())
            }
            Self::Condition { holds, spent } => {
                let what = match holds {
                    Some(true) => "holds",
                    Some(false) => "is false",
                    None => "fails: what it looks at is not there, of another type, or too much",
                };
                write!(
                    formatter,
                    "the condition in CEL {what} (operations: {spent} of {OPERATIONS})"
                )
            }
        }
    }
}

/// A reading as a path, in which only `/` separates.
struct Shown<'a>(Reading<'a>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let segments: Vec<_> = self
            .0
            .segments()
            .map(|segment| segment.replace('/', "%2F"))
            .collect();
        write!(formatter, "`/{}`", segments.join("/"))
    }
}
