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
use crate::plan::{Access, Considered, Fit, Rule};
use crate::reject::Reject;
use crate::request::authority::Host;
use crate::request::path::Readings;

/// Withholds a refusal where the rule `hides`; the first one counts.
///
/// # Errors
/// The refusal, where it does not.
#[cold]
pub(super) fn withhold(
    reject: Reject,
    hides: bool,
    withheld: &mut Option<Reject>,
) -> Result<(), Reject> {
    if !hides {
        return Err(reject);
    }
    withheld.get_or_insert(reject);
    Ok(())
}

impl<'p> Judging<'p, '_> {
    /// The rule for the request, were its method that one. Where rules that hide keep it from being known, that is
    /// `withheld`, and the rule is what it would be without them.
    ///
    /// # Errors
    /// As for [`Policy::rule_for`](crate::plan::Policy::rule_for), where nothing is hidden.
    pub(super) fn find_rule<'r>(
        &self,
        method: &[u8],
        readings: &'r Readings<'_>,
        host: &Host<'_>,
        withheld: &mut Option<Reject>,
    ) -> Result<Option<Fit<'p, 'r>>, Reject> {
        let fit = self.policy.rule_for(method, self.request, readings, host);
        fit.or_else(|reject| self.find_visible_rule(reject, method, readings, host, withheld))
    }

    #[cold]
    fn find_visible_rule<'r>(
        &self,
        reject: Reject,
        method: &[u8],
        readings: &'r Readings<'_>,
        host: &Host<'_>,
        withheld: &mut Option<Reject>,
    ) -> Result<Option<Fit<'p, 'r>>, Reject> {
        let (policy, request) = (self.policy, self.request);
        let is_hidden = policy.could_be_hidden(method, request, readings, host, |_| true);
        withhold(reject, is_hidden, withheld)?;
        policy.rule_among(Considered::Visible, method, request, readings, host)
    }

    /// Whether the networks of a rule that hides refuse the client, where the request could fall under it.
    #[cold]
    pub(super) fn is_kept_out(&self, readings: &Readings<'_>, host: &Host<'_>) -> bool {
        let method = self.request.method();
        let is_kept_out =
            |rule: &Rule| self.refuse_foreign_address(rule.networks.as_ref()).is_err();
        let policy = self.policy;
        policy.could_be_hidden(method, self.request, readings, host, is_kept_out)
    }

    /// What [`Judging::ask`] asks, where a rule hides; the caller learns only what this module's list says.
    #[inline(never)]
    pub(super) fn ask_where_hidden(
        &self,
        asking: &Asking<'p, '_>,
        withheld: Option<Reject>,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<Verdict, Stop> {
        let access = &self.policy.strangers;
        let failures = effects.failures.len();
        let mut refusal = withheld;
        let mut is_judged = false;
        if let Some(reject) = withheld {
            trace.step(Step::Withheld(reject));
        } else {
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
            is_judged = choice(asking.access) == choice(access);
        }
        // The providers of the rule could judge otherwise than those of the default, and count otherwise.
        if !is_judged {
            effects.failures.truncate(failures);
            (decision.principal, decision.provider) = (None, None);
            let asking = &Asking { access, ..*asking };
            let verdict = self.ask(asking, decision, effects, trace);
            if decision.principal.is_none() {
                return verdict;
            }
        } else if let Some(gate) = access.gate() {
            decision.schemes = &gate.schemes;
            decision.requirements = Some(&gate.requirements);
        }
        decision.hides = decision.principal.is_some();
        Err(refusal.unwrap_or(Reject::NoRule).into())
    }
}

/// What tells by which providers credentials are judged.
fn choice(access: &Access) -> Option<usize> {
    access.gate().map(|gate| gate.choice)
}
