//! The steps of an evaluation, for `countersign explain`.
//!
//! A step only refers to what the evaluation has anyway. The module ignores every step, so that none may cost anything: what
//! `explain` says of a step is found by the receiver, and its words are those of the command.

use crate::authenticate::{Principal, Provider, ProviderId};
use crate::authorize::{Access, Input, Requirements};
use crate::credential::{Carrier, LocationId, Shown};
use crate::plan::Rules;
use crate::reject::Reject;
use crate::request::RequestView;
use crate::request::path::Readings;
use crate::store::Store;
use crate::url::Host;

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
pub enum Step<'a> {
    /// The readings of the path.
    Read(&'a Readings<'a>),
    /// The route that Envoy selected, and its policies. This step occurs only if a rule matches routes.
    Route(&'a RequestView<'a>),
    /// The rule that matches; none if the default applies.
    Rule {
        /// Its name.
        name: Option<&'a str>,
        /// All rules.
        rules: &'a Rules,
        /// What they were compared with.
        sought: Sought<'a>,
    },
    /// An encoded slash in a path parameter is no separator, because `encoded_slash` is `segment`.
    KeepsSlashes,
    /// A rule that hides could match, so the response does not disclose this reason.
    Withheld(Reject),
    /// What the rule or the default requires of the caller.
    Requires(&'a Access),
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
    /// A credential, or the proof that belongs to it, is not valid.
    Invalid(Invalid<'a>),
    /// The caller does not meet requirements.
    Unmet {
        /// Whether they are those of every caller: the top-level `require`.
        everywhere: bool,
        /// Whether `acr` and `max_age` are checked after the others, because the rule hides.
        authentication_last: bool,
        /// The requirements.
        requirements: &'a Requirements,
        /// What they were evaluated against.
        input: Input<'a>,
    },
    /// The result of a CEL condition.
    Condition {
        /// Whether it is true; none if its evaluation failed.
        holds: Option<bool>,
        /// The operations that the conditions of this request have spent so far.
        spent: u32,
    },
}

/// What rules are compared with.
#[derive(Clone, Copy)]
pub struct Sought<'a> {
    /// The method.
    pub method: &'a [u8],
    /// The request.
    pub request: &'a RequestView<'a>,
    /// The readings of its path.
    pub readings: &'a Readings<'a>,
    /// Its host.
    pub host: &'a Host<'a>,
}

/// A credential that is not valid, and what is needed to say why.
#[derive(Clone, Copy)]
pub struct Invalid<'a> {
    /// The credential.
    pub credential: &'a Shown<'a>,
    /// Where it is.
    pub location: LocationId,
    /// The providers of the configuration.
    pub providers: &'a [Provider],
    /// Those that the rule accepts.
    pub accepted: &'a [ProviderId],
    /// What authorization servers said of tokens.
    pub store: &'a Store,
    /// The reason.
    pub reject: Reject,
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
