//! The steps of an evaluation, for `countersign explain`.

use std::fmt;

use crate::authenticate::Principal;
use crate::authorize::condition::OPERATIONS;
use crate::credential::Carrier;
use crate::grammar::unprintable::escaped;
use crate::reject::Reject;
use crate::request::RequestView;
use crate::request::path::{Reading, Readings};

/// Receives the steps of an evaluation.
pub trait Trace {
    /// Receives one step.
    fn step(&mut self, step: Step<'_>);
}

/// Ignores every step.
impl Trace for () {
    fn step(&mut self, _: Step<'_>) {}
}

/// A step of an evaluation.
#[derive(Debug)]
pub enum Step<'a> {
    /// The readings of the path.
    Read(&'a Readings<'a>),
    /// The route that Envoy selected, and its policies. This step occurs only if a rule matches routes.
    Route(&'a RequestView<'a>),
    /// The rule that matches; none if the default applies.
    Rule(Option<&'a str>),
    /// An encoded slash in a path parameter is no separator, because `encoded_slash` is `segment`.
    KeepsSlashes,
    /// A rule that hides could match, so the response does not disclose this reason.
    Withheld(Reject),
    /// What the rule or the default requires of the caller.
    Requires(&'static str),
    /// The result of throttling.
    Throttle(Throttling),
    /// Where the request has a credential, which is verified next; none if it has no credential.
    Presents(Option<&'a Carrier>),
    /// A cookie that is not read, because a header has a credential.
    Ignored(&'a str),
    /// A provider verified this credential.
    Verified {
        /// The name of the provider.
        provider: &'a str,
        /// The verified caller.
        principal: &'a Principal,
    },
    /// The client has proved that a credential is its own: by a DPoP proof, its certificate, or a nonce.
    Proven(&'static str),
    /// The rule needs a credential of this provider, and the request has none.
    Missing(&'a str),
    /// The caller lacks what is required everywhere.
    NotAdmitted,
    /// The result of a CEL condition.
    Condition {
        /// Whether it is true; none if its evaluation failed.
        holds: Option<bool>,
        /// The operations that the conditions of this request have spent so far.
        spent: u32,
    },
}

/// The result of throttling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttling {
    /// The client address is exempt from throttling.
    Exempt,
    /// No caller in the request is blocked.
    NotBlocked {
        /// The callers in the request: its client address, and the users of its credentials.
        callers: usize,
    },
    /// A caller in the request is blocked for this many seconds more.
    Blocked(u32),
}

impl fmt::Display for Throttling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exempt => write!(formatter, "throttle: the client address is exempt"),
            Self::NotBlocked { callers: 0 } => write!(
                formatter,
                "throttle: not blocked, because the request has no address or user to count failures for"
            ),
            Self::NotBlocked { .. } => {
                write!(formatter, "throttle: not blocked")
            }
            Self::Blocked(seconds) => {
                write!(
                    formatter,
                    "throttle: blocked for {seconds} s after too many failures"
                )
            }
        }
    }
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(readings) => {
                for (index, reading) in readings.iter().enumerate() {
                    match index {
                        0 if !reading.is_path() => write!(formatter, "the request has no path")?,
                        0 => write!(formatter, "the path is read as {}", Shown(reading))?,
                        _ => write!(formatter, ", or as {}", Shown(reading))?,
                    }
                }
                Ok(())
            }
            Self::Route(request) => {
                match request.route().map(String::from_utf8_lossy) {
                    Some(name) => write!(formatter, "the route is `{name}`")?,
                    None => write!(formatter, "the route has no name")?,
                }
                for (index, policy) in request.policies().iter().enumerate() {
                    let before = if index == 0 { ", with policy" } else { " and" };
                    let policy = String::from_utf8_lossy(policy);
                    write!(formatter, "{before} `{policy}`")?;
                }
                Ok(())
            }
            Self::Rule(Some(name)) => write!(formatter, "rule `{name}` matches"),
            Self::Rule(None) => write!(formatter, "no rule matches: the default applies"),
            Self::KeepsSlashes => write!(
                formatter,
                "`%2F` in a path parameter is a part of its value, because `encoded_slash` is `segment`"
            ),
            Self::Withheld(reject) => write!(
                formatter,
                "a rule with `on_forbidden: not_found` could match: the reason `{}` is not disclosed",
                reject.reason()
            ),
            Self::Requires(what) => write!(formatter, "access: {what}"),
            Self::Throttle(throttling) => throttling.fmt(formatter),
            Self::Presents(Some(carrier)) => write!(formatter, "the request has {carrier}"),
            Self::Ignored(cookie) => write!(
                formatter,
                "the cookie `{cookie}` is ignored and removed, because a header has a credential"
            ),
            Self::Presents(None) => write!(formatter, "the request has no credential"),
            Self::Verified {
                provider,
                principal,
            } => {
                write!(formatter, "provider `{provider}` verified ")?;
                match principal.subject() {
                    Some(subject) => write!(formatter, "subject `{}`", escaped(subject))?,
                    None => write!(formatter, "a credential without a subject")?,
                }
                for (kind, names) in [
                    ("scopes", principal.scopes()),
                    ("roles", principal.roles()),
                    ("groups", principal.groups()),
                ] {
                    if !names.is_empty() {
                        write!(formatter, ", {kind}")?;
                        for name in names.iter() {
                            write!(formatter, " `{}`", escaped(name))?;
                        }
                    }
                }
                Ok(())
            }
            Self::Proven(by) => write!(formatter, "the client has proved possession: {by}"),
            Self::Missing(provider) => {
                write!(
                    formatter,
                    "a credential of provider `{provider}` is missing"
                )
            }
            Self::NotAdmitted => {
                write!(
                    formatter,
                    "the caller does not meet the top-level `require`"
                )
            }
            Self::Condition { holds, spent } => {
                let result = match holds {
                    Some(true) => "is true",
                    Some(false) => "is false",
                    None => "failed: a value is missing, has another type or is too large",
                };
                write!(
                    formatter,
                    "CEL condition {result} (operations: {spent} of {OPERATIONS})"
                )
            }
        }
    }
}

/// A reading as a path; a `/` inside a segment is printed as `%2F`.
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
