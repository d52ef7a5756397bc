//! The one function: a plan, a request, a moment → a decision.
//!
//! The order of the questions decides which answer a request gets when several would do:
//!
//! 1. no valid document: 503;
//! 2. TRACE: 405;
//! 3. an ambiguous path, a bad authority: 400;
//!    then the rule is found, and a header field that it looks at twice is a 400 too;
//! 4. `allow: public`: it passes, nothing is judged;
//! 5. two credentials, or one that breaks its grammar: 400;
//! 6. no credential: 401, or on an optional rule it passes;
//! 7. a credential that is refused: 401, also where the rule would not accept its provider: nothing unverified
//!    reaches an upstream that might read it;
//! 8. a good one of a provider that the rule does not accept, or where nothing permits the request: 403;
//! 9. a missing scope, role or group: 403;
//! 10. it passes.
//!
//! Where the rule has no scheme to offer, 6 and 7 are 403: a 401 must have a challenge (RFC 9110 §15.5.2).

use std::fmt;
use std::rc::Rc;

use crate::authenticate::signature::Backend;
use crate::authenticate::{Principal, authenticate};
use crate::authorize::{Permit, permit, permit_anyone};
use crate::credential::present;
use crate::plan::{Access, Gate, Plan, Policy};
use crate::reject::Reject;
use crate::request::RequestView;
use crate::request::path::Reading;
use crate::scheme::Scheme;
use crate::time::Timestamp;

/// What is decided, and by what.
#[derive(Debug)]
pub struct Decision<'p> {
    /// Leave to pass, or why not.
    pub verdict: Result<Permit, Reject>,
    /// The rule that decided; none before one is found, and where none fits.
    pub rule: Option<&'p str>,
    /// The provider that vouched for the caller.
    pub provider: Option<&'p str>,
    /// The caller, where one was verified.
    pub principal: Option<Rc<Principal>>,
    /// The schemes in play, in the order of their challenges.
    pub schemes: &'p [Scheme],
}

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
    /// The path was read as these segments, or as none.
    Read(&'a Reading<'a>),
    /// A rule fits; none leaves it to the default.
    Rule(Option<&'a str>),
    /// What the rule asks.
    Asks(&'static str),
    /// What the caller shows; none shows nothing.
    Shows(Option<Scheme>),
    /// A provider vouches for the caller.
    Vouched {
        /// The provider.
        provider: &'a str,
        /// The caller.
        principal: &'a Principal,
    },
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(Reading::NoPath) => write!(formatter, "the request has no path"),
            Self::Read(Reading::Path(segments)) => {
                write!(formatter, "the path is read as `/{}`", segments.join("/"))
            }
            Self::Rule(Some(name)) => write!(formatter, "the rule `{name}` fits first"),
            Self::Rule(None) => write!(formatter, "no rule fits: the default decides"),
            Self::Asks(what) => write!(formatter, "it asks for {what}"),
            Self::Shows(Some(scheme)) => write!(formatter, "a {scheme} credential is shown"),
            Self::Shows(None) => write!(formatter, "no credential is shown"),
            Self::Vouched {
                provider,
                principal,
            } => {
                let subject = principal.subject().unwrap_or("a caller without a subject");
                write!(formatter, "the provider `{provider}` vouches for {subject}")?;
                for (what, names) in [
                    ("scopes", principal.scopes()),
                    ("roles", principal.roles()),
                    ("groups", principal.groups()),
                ] {
                    if !names.is_empty() {
                        write!(formatter, ", {what} {}", names.join(" "))?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// Decides a request.
pub fn evaluate<'p>(
    plan: &'p Plan,
    request: &RequestView<'_>,
    backend: &dyn Backend,
    now: Timestamp,
    trace: &mut impl Trace,
) -> Decision<'p> {
    let mut decision = Decision {
        verdict: Err(Reject::NoDocument),
        rule: None,
        provider: None,
        principal: None,
        schemes: &[],
    };
    if let Some(policy) = &plan.policy {
        let judging = Judging {
            policy,
            request,
            backend,
            now,
        };
        decision.verdict = judging.judge(&mut decision, trace);
    }
    decision
}

struct Judging<'p, 'r> {
    policy: &'p Policy,
    request: &'r RequestView<'r>,
    backend: &'r dyn Backend,
    now: Timestamp,
}

impl<'p> Judging<'p, '_> {
    fn judge(&self, decision: &mut Decision<'p>, trace: &mut impl Trace) -> Result<Permit, Reject> {
        if self.request.method() == b"TRACE" {
            return Err(Reject::Trace);
        }
        let host = self.request.host()?;
        let reading = Reading::of_target(self.request.target()).map_err(Reject::Path)?;
        trace.step(Step::Read(&reading));

        let rule = self.policy.rule_for(self.request, &reading, &host)?;
        decision.rule = rule.map(|rule| rule.name.as_str());
        trace.step(Step::Rule(decision.rule));

        let access = rule.map_or(&self.policy.default, |rule| &rule.access);
        let (gate, asks) = match access {
            Access::Public => (None, "nothing"),
            Access::Optional(gate) => (
                Some(gate),
                "nothing, but a credential that is shown must be good",
            ),
            Access::Required(gate) => (Some(gate), "a credential"),
            Access::Closed(gate) => (Some(gate), "what nobody has"),
        };
        trace.step(Step::Asks(asks));
        let Some(gate) = gate else {
            return Ok(permit_anyone());
        };
        decision.schemes = &gate.schemes;
        match self.identify(gate, decision, trace)? {
            None if matches!(access, Access::Optional(_)) => Ok(permit_anyone()),
            None => Err(Reject::NoCredential),
            Some(principal) => Self::admit(principal, access, gate),
        }
    }

    /// The caller, proven; none where nothing was shown.
    fn identify(
        &self,
        gate: &'p Gate,
        decision: &mut Decision<'p>,
        trace: &mut impl Trace,
    ) -> Result<Option<Rc<Principal>>, Reject> {
        let presented = present(self.request, self.policy.schemes_served())?;
        trace.step(Step::Shows(presented.map(|presented| presented.scheme)));
        let Some(presented) = presented else {
            return Ok(None);
        };
        let principal = authenticate(
            &self.policy.providers,
            &gate.providers,
            presented,
            self.backend,
            self.now,
        )
        .map(Rc::new)?;
        decision.principal = Some(Rc::clone(&principal));
        if let Some(provider) = self.policy.providers.get(principal.provider()) {
            decision.provider = Some(&provider.name);
            trace.step(Step::Vouched {
                provider: &provider.name,
                principal: &principal,
            });
        }
        Ok(Some(principal))
    }

    fn admit(principal: Rc<Principal>, access: &Access, gate: &Gate) -> Result<Permit, Reject> {
        if !gate.providers.contains(&principal.provider()) {
            Err(Reject::ProviderNotAccepted)
        } else if matches!(access, Access::Closed(_)) {
            Err(Reject::NoRule)
        } else {
            permit(principal, &gate.requirements)
        }
    }
}
