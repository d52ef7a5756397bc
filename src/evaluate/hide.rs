//! Rules that hide (`on_forbidden: not_found`): who may not pass cannot tell them from no rule.
//!
//! 1. What is wrong with a request only because of such a rule is withheld until the caller is known: readings of the
//!    path that differ on it, a repeated header field that it looks at, a path that its condition looks at and that has
//!    several readings, an address that its own networks refuse. What would be wrong without it is answered as ever.
//! 2. Without a credential, and with one that fails, the answer is that of the default, with the challenges of every
//!    provider and without the scopes of the rule. Where the default lets such a request pass, it is 401 all the same.
//! 3. A caller who is known and may not pass receives `responses.not_found`.
//! 4. That the authentication is too weak, or too long ago, is told only to callers who lack nothing else.

use super::trace::{Step, Trace};
use super::{Asking, Decision, Effects, Judging, Stop, Verdict};
use crate::plan::Fit;
use crate::reject::Reject;
use crate::request::authority::Host;
use crate::request::path::Readings;

/// The rule under which a request falls.
pub(super) struct Found<'p, 'r> {
    /// The rule, none for the default; where something is withheld, what it would be without the rules that hide.
    pub fit: Option<Fit<'p, 'r>>,
    /// What keeps it from being known, only because of rules that hide.
    pub withheld: Option<Reject>,
}

/// Withholds a refusal where the rule `hides`; the first one counts.
pub(super) fn withhold_if(
    hides: bool,
    withheld: &mut Option<Reject>,
    outcome: Result<(), Reject>,
) -> Result<(), Reject> {
    match outcome {
        Err(reject) if hides => {
            withheld.get_or_insert(reject);
            Ok(())
        }
        outcome => outcome,
    }
}

impl<'p> Judging<'p, '_> {
    /// The rule for the request, were its method that one.
    pub(super) fn find_rule<'r>(
        &self,
        method: &[u8],
        readings: &'r Readings<'_>,
        host: &Host<'_>,
    ) -> Result<Found<'p, 'r>, Reject> {
        let policy = self.policy;
        let (fit, withheld) = match policy.rule_for(method, self.request, readings, host) {
            Ok(fit) => (fit, None),
            Err(reject) if self.could_be_hidden(method, readings, host) => {
                let fit = policy.visible_rule_for(method, self.request, readings, host)?;
                (fit, Some(reject))
            }
            Err(reject) => return Err(reject),
        };
        Ok(Found { fit, withheld })
    }

    #[cold]
    fn could_be_hidden(&self, method: &[u8], readings: &Readings<'_>, host: &Host<'_>) -> bool {
        let mut rules = self
            .policy
            .hiding_rules(method, self.request, readings, host);
        rules.next().is_some()
    }

    /// Whether the networks of a rule that hides refuse the client, where the request could fall under it.
    #[cold]
    pub(super) fn is_kept_out(&self, readings: &Readings<'_>, host: &Host<'_>) -> bool {
        let method = self.request.method();
        let mut rules = self
            .policy
            .hiding_rules(method, self.request, readings, host);
        rules.any(|rule| self.refuse_foreign_address(rule.networks.as_ref()).is_err())
    }

    /// What [`Judging::ask`] asks, where a rule hides; the caller learns only what this module's list says.
    #[inline(never)]
    pub(super) fn ask_where_hidden(
        &self,
        asking: Asking<'p, '_>,
        withheld: Option<Reject>,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<Verdict, Stop> {
        let strangers = &self.policy.strangers;
        let failures = effects.failures.len();
        let mut refusal = withheld;
        let mut is_judged = false;
        if let Some(reject) = withheld {
            trace.step(Step::Withheld(reject));
        } else {
            let choice = asking.access.gate().map(|gate| gate.choice);
            decision.hides = true;
            let verdict = self.ask(asking, decision, effects, trace);
            decision.hides = false;
            match verdict {
                // Nothing else is lacking, and there is a challenge to say so.
                Err(Stop::Reject(reject @ Reject::Authentication(_)))
                    if !decision.schemes.is_empty() =>
                {
                    return Err(reject.into());
                }
                Err(Stop::Reject(reject)) => refusal = Some(reject),
                other => return other,
            }
            is_judged = choice == Some(strangers.choice);
        }
        decision.schemes = &strangers.schemes;
        decision.requirements = Some(&strangers.requirements);
        // The providers of the rule could judge otherwise than those of the default, and count otherwise.
        if !is_judged {
            effects.failures.truncate(failures);
            (decision.principal, decision.provider) = (None, None);
            self.identify(strangers, decision, effects, trace)?;
        }
        decision.hides = decision.principal.is_some();
        let is_anonymous = !is_judged && !decision.hides;
        let refusal = refusal.filter(|_| !is_anonymous);
        Err(refusal.unwrap_or(Reject::NoCredential).into())
    }
}
