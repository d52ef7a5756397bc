//! The one function: a plan, a request, a moment → a decision.
//!
//! The order of the questions decides which answer a request gets when several would do:
//!
//! 1. no valid document: 503;
//! 2. TRACE: 405;
//! 3. a method that is not in upper case, an ambiguous path, a bad authority: 400;
//!    then the rule is found, and a header field that it looks at twice is a 400 too;
//! 4. `allow: public`: it passes, nothing is judged;
//! 5. two credentials, or one that breaks its grammar: 400;
//! 6. no credential: 401, or on an optional rule it passes;
//! 7. a credential that is refused: 401, also where the rule would not accept its provider: nothing unverified
//!    reaches an upstream that might read it;
//!    whether it is good cannot be said now, since keys are not to be had: 503;
//! 8. a good one of a provider that the rule does not accept, or where nothing permits the request: 403;
//! 9. a missing scope, role or group: 403;
//! 10. it passes.
//!
//! Where the rule has no scheme to offer, 6 and 7 are 403: a 401 must have a challenge (RFC 9110 §15.5.2).

mod effects;
mod identify;
mod trace;

use std::rc::Rc;

pub use self::effects::{Effects, TokenEffect};
pub use self::trace::{Step, Trace};
use crate::authenticate::Principal;
use crate::authenticate::signature::Backend;
use crate::authorize::{Permit, permit, permit_anyone};
use crate::credential::{Place, without_parameters};
use crate::plan::{Access, Gate, Plan, Policy};
use crate::reject::{Reject, TokenFault};
use crate::request::RequestView;
use crate::request::path::Reading;
use crate::scheme::Scheme;
use crate::store::Store;
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
    /// How the request is changed on its way to the upstream, where it passes.
    pub forward: Forward,
}

/// How a request is changed on its way to the upstream.
#[derive(Debug, Default)]
pub struct Forward {
    /// A new target, without the tokens that were in its query.
    pub target: Option<Vec<u8>>,
}

/// Decides a request, or says what must be fetched first.
///
/// Nothing is saved between the two: once the fetch has ended, well or not, the same request is evaluated from the
/// top, with the source among the `settled`. What is settled is not asked for again.
pub fn evaluate<'p>(
    plan: &'p Plan,
    request: &RequestView<'_>,
    store: &Store,
    settled: &[Fetch],
    backend: &dyn Backend,
    now: Timestamp,
    trace: &mut impl Trace,
) -> Outcome<'p> {
    let mut decision = Decision {
        verdict: Err(Reject::NoDocument),
        rule: None,
        provider: None,
        principal: None,
        schemes: &[],
        forward: Forward::default(),
    };
    let mut effects = Effects::default();
    if let Some(policy) = &plan.policy {
        let judging = Judging {
            policy,
            request,
            store,
            settled,
            backend,
            now,
        };
        decision.verdict = match judging.judge(&mut decision, &mut effects, trace) {
            Ok(permit) => Ok(permit),
            Err(Stop::Reject(reject)) => Err(reject),
            Err(Stop::Needs(fetch)) => return Outcome::Needs(fetch),
        };
    }
    Outcome::Decided(decision, effects)
}

/// What comes of an evaluation.
#[derive(Debug)]
pub enum Outcome<'p> {
    /// A decision, and what it leaves behind.
    Decided(Decision<'p>, Effects),
    /// Nothing yet: this must be fetched.
    Needs(Fetch),
}

/// Something to fetch: the keys of the source of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    /// The number of the source.
    pub source: usize,
}

/// What keeps an evaluation from going on.
enum Stop {
    Reject(Reject),
    Needs(Fetch),
}

impl From<Reject> for Stop {
    fn from(reject: Reject) -> Self {
        Self::Reject(reject)
    }
}

impl From<TokenFault> for Stop {
    fn from(fault: TokenFault) -> Self {
        Self::Reject(Reject::Token(fault))
    }
}

struct Judging<'p, 'r> {
    policy: &'p Policy,
    request: &'r RequestView<'r>,
    store: &'r Store,
    settled: &'r [Fetch],
    backend: &'r dyn Backend,
    now: Timestamp,
}

impl<'p> Judging<'p, '_> {
    fn judge(
        &self,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<Permit, Stop> {
        // Methods have case (RFC 9110 §9.1), but not every upstream knows it.
        if self.request.method().eq_ignore_ascii_case(b"TRACE") {
            return Err(Reject::Trace.into());
        }
        // `delete` would slip past a rule for DELETE, and reach an upstream to which it is the same.
        if self.request.method().iter().any(u8::is_ascii_lowercase) {
            return Err(Reject::MethodCase.into());
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
        let principal = match self.identify(gate, decision, effects, trace)? {
            None if matches!(access, Access::Optional(_)) => return Ok(permit_anyone()),
            None => return Err(Reject::NoCredential.into()),
            Some(principal) => principal,
        };
        let permit = Self::admit(principal, access, gate)?;
        decision.forward.target = self.target_without_tokens();
        Ok(permit)
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

    /// The target as the upstream gets it, where it held a token: a query stands in logs (RFC 6750 §5.3).
    fn target_without_tokens(&self) -> Option<Vec<u8>> {
        let names = self
            .policy
            .places
            .iter()
            .filter_map(|served| match &served.place {
                Place::Query(name) => Some(name.as_str()),
                _ => None,
            });
        without_parameters(self.request.target()?, names)
    }
}
