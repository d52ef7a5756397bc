//! Rules that hide (`on_forbidden: not_found`): who may not pass cannot tell them from no rule.
//!
//! 1. What is wrong with a request only because of such a rule is withheld until the caller is known: readings of the
//!    path that differ on it, a repeated header field that it looks at, a path that its condition looks at and that has
//!    several readings, an address that its own networks refuse. What would be wrong without it is answered as ever.
//! 2. Without a credential, and with one that fails, the answer is that of the rule that would match without those that
//!    hide, or of the default: its networks, its path in doubt, its providers, its scopes in a challenge, its own answer.
//!    Where that lets such a request pass, it is 401 all the same, with the challenges of every provider.
//! 3. A caller who is known and may not pass receives `responses.not_found`.
//! 4. That the authentication is too weak, or too long ago, is told only to callers who lack nothing else.
//! 5. A preflight, which has no caller, is treated as without those rules (`preflight`).

use super::trace::{Step, Trace};
use super::{Asking, Decision, Effects, Judging, Stop, Verdict};
use crate::authorize::Access;
use crate::plan::{Considered, Matched, Rule, Terms};
use crate::reject::Reject;
use crate::request::path::Readings;
use crate::url::Host;

/// A rule that hides under which a request falls, or could fall, and what would become of the request without it.
pub(super) struct Hidden<'p> {
    rule: &'p Rule,
    /// Whether the request falls under it, by every reading of its path.
    pub is_matched: bool,
    /// What is wrong because of it.
    withheld: Option<Reject>,
    /// What applies without the rules that hide.
    visible: Terms<'p>,
    /// What is wrong without them; only where the rule matches, since otherwise it is the answer to everyone.
    pub refusal: Option<Reject>,
}

/// Refuses what does not pass a check by the `terms`; where those are of a rule that hides, notes what it would be by
/// them, and by the terms without such rules.
///
/// # Errors
/// The refusal, where nothing is hidden.
pub(super) fn check<'p>(
    terms: &Terms<'p>,
    hidden: &mut Option<Hidden<'p>>,
    passes: impl Fn(&Terms<'p>) -> Result<(), Reject>,
) -> Result<(), Reject> {
    let result = passes(terms);
    let Some(hidden) = hidden.as_mut().filter(|hidden| hidden.is_matched) else {
        return result;
    };
    hidden.withheld = hidden.withheld.or(result.err());
    if hidden.refusal.is_none() {
        hidden.refusal = passes(&hidden.visible).err();
    }
    Ok(())
}

/// What everyone receives in place of a refusal that comes later without the rules that hide.
pub(super) fn instead_of(reject: Reject, hidden: Option<&Hidden<'_>>) -> Reject {
    let earlier = hidden.and_then(|hidden| hidden.refusal);
    earlier.unwrap_or(reject)
}

impl<'p> Judging<'p, '_> {
    /// The rule for the request, were its method that one. Where rules that hide keep it from being known, the rule is
    /// what it would be without them.
    ///
    /// # Errors
    /// As for [`Policy::rule_for`](crate::plan::Policy::rule_for), where nothing is hidden.
    pub(super) fn find_rule<'r>(
        &self,
        method: &[u8],
        readings: &'r Readings<'_>,
        host: &Host<'_>,
        hidden: &mut Option<Hidden<'p>>,
    ) -> Result<Option<Matched<'p, 'r>>, Reject> {
        match self.policy.rule_for(method, self.request, readings, host) {
            Ok(Some(fit)) if fit.rule.hides => {
                *hidden = Some(self.matched(fit.rule, method, readings, host));
                Ok(Some(fit))
            }
            Ok(fit) => Ok(fit),
            Err(reject) => self.find_visible_rule(reject, method, readings, host, hidden),
        }
    }

    #[cold]
    fn matched(
        &self,
        rule: &'p Rule,
        method: &[u8],
        readings: &Readings<'_>,
        host: &Host<'_>,
    ) -> Hidden<'p> {
        let visible = Considered::Visible;
        let fit = self
            .policy
            .rule_among(visible, method, self.request, readings, host);
        let (visible, refusal) = match fit {
            Ok(fit) => (fit.map(|fit| fit.rule), None),
            Err(reject) => (None, Some(reject)),
        };
        Hidden {
            rule,
            is_matched: true,
            withheld: None,
            visible: self.policy.terms(visible),
            refusal,
        }
    }

    #[cold]
    fn find_visible_rule<'r>(
        &self,
        reject: Reject,
        method: &[u8],
        readings: &'r Readings<'_>,
        host: &Host<'_>,
        hidden: &mut Option<Hidden<'p>>,
    ) -> Result<Option<Matched<'p, 'r>>, Reject> {
        let (policy, request) = (self.policy, self.request);
        let rule = policy.hidden_rule(method, request, readings, host);
        let rule = rule.ok_or(reject)?;
        let fit = policy.rule_among(Considered::Visible, method, request, readings, host)?;
        *hidden = Some(Hidden {
            rule,
            is_matched: false,
            withheld: Some(reject),
            visible: policy.terms(fit.as_ref().map(|fit| fit.rule)),
            refusal: None,
        });
        Ok(fit)
    }

    /// What [`Judging::ask`] asks, where a rule hides; the caller learns only what this module's list says.
    #[inline(never)]
    pub(super) fn ask_where_hidden(
        &self,
        asking: &Asking<'p, '_>,
        hidden: &Hidden<'p>,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<Verdict, Stop> {
        let visible = hidden.visible.access;
        let gate = visible.gate().unwrap_or(&self.policy.strangers);
        let failures = effects.failures.len();
        decision.rule = Some(&hidden.rule.name);
        let mut judged = None;
        if let Some(reject) = hidden.withheld {
            trace.step(Step::Withheld(reject));
        } else {
            decision.hides = true;
            let verdict = self.ask(asking, decision, effects, trace);
            decision.hides = false;
            match verdict {
                // Nothing else is lacking, and there is a challenge to say so.
                Err(Stop::Reject(reject @ Reject::Authentication(_)))
                    if !decision.offers.is_empty() =>
                {
                    return Err(reject.into());
                }
                Err(Stop::Reject(reject)) => judged = Some(reject),
                other => return other,
            }
        }
        // What keeps a known caller out, for the log.
        let lack = hidden.withheld.or(judged).unwrap_or(Reject::NoRule);
        // The providers of the rule could judge otherwise than those without it, and count otherwise.
        let own = asking.access.gate().map(|gate| gate.choice);
        let reject = match judged.filter(|_| own == Some(gate.choice)) {
            Some(reject) => reject,
            None => {
                effects.failures.truncate(failures);
                decision.principals.clear();
                decision.provider = None;
                match self.identify(gate, decision, effects, trace) {
                    Ok(callers) if callers.is_empty() => Reject::NoCredential,
                    Ok(_) => lack,
                    Err(Stop::Reject(reject)) => reject,
                    Err(needs @ Stop::Needs(_)) => return Err(needs),
                }
            }
        };
        decision.hides = !decision.principals.is_empty();
        if decision.hides {
            return Err(lack.into());
        }
        (decision.offers, decision.requirements) = (&[], None);
        // Without the rule, no credential is looked at where the request is refused before, or answered.
        if let Some(refusal) = hidden.refusal {
            effects.failures.truncate(failures);
            return Err(refusal.into());
        }
        let gate = match visible {
            Access::Respond(reply) => {
                effects.failures.truncate(failures);
                decision.fixed = self.policy.reply(*reply);
                return Err(Reject::Fixed.into());
            }
            // Without the rule, the request would pass.
            Access::Optional(_) if reject == Reject::NoCredential => &self.policy.strangers,
            Access::Public | Access::Optional(_) | Access::Required(_) | Access::Closed(_) => gate,
        };
        (decision.offers, decision.requirements) = (&gate.offers, Some(&gate.requirements));
        Err(reject.into())
    }
}
