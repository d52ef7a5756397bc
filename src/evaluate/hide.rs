//! Rules that hide (`on_forbidden: not_found`): a client that such a rule denies cannot tell it from a missing rule.
//!
//! 1. A fault that a request has only because of such a rule is withheld until the caller is known. Such faults are:
//!    readings of the path of which only some match the rule, a repeated header that the rule looks at, a path with
//!    several readings if the rule's condition looks at the path, an address that the rule's networks deny, and an unknown
//!    address if the rule matches addresses. A fault that the request has without the rule too is answered at once.
//! 2. Without a credential, or with an invalid one, the response is that of the rule that matches if the hiding rules are
//!    left out, or of the default: its networks, its check of the path, its providers, its scopes in a challenge, its
//!    fixed response. If that rule would let the request pass, the response is 401 with the challenges of every provider.
//! 3. A caller with a valid credential that is denied receives `responses.not_found`.
//! 4. A caller learns that the authentication is too weak or too old only if nothing else is missing.
//! 5. A caller who lacks what the configuration requires everywhere receives the response of 2. If the request would pass
//!    without the rule, this response shows the rule; the configuration has a warning of such rules.
//! 6. A proof or a nonce that was used before is an invalid credential (2), also of a caller who is permitted. That it was
//!    used is known only when the effects of the decision are committed ([`Visible`]).
//! 7. A CORS preflight, which has no caller, is handled as if there were no hiding rules (`preflight`).

use std::borrow::Cow;

use super::trace::{Step, Trace};
use super::{Applicable, Decision, Effects, Evaluation, Nonces, Stop, Verdict};
use crate::authenticate::Offer;
use crate::authorize::{Access, Needs, Required, refuse_missing};
use crate::plan::{Considered, Matched, Rule, Terms};
use crate::presentation::fixed::FixedReply;
use crate::reject::Reject;
use crate::request::path::Readings;
use crate::url::Host;

/// A hiding rule that matches the request, or could match it, and what applies to the request without the rule.
pub(super) struct Hidden<'p> {
    rule: &'p Rule,
    /// Whether the rule matches by every reading of the path.
    pub is_matched: bool,
    /// The fault that the request has because of the rule.
    withheld: Option<Reject>,
    /// What applies without the hiding rules.
    visible: Terms<'p>,
    /// The fault that the request has without them. Known only if the rule matches: otherwise it is the response at once.
    pub refusal: Option<Reject>,
}

/// The response without the hiding rules to a proof or a nonce that was used before. This is known only when the effects of
/// the decision are committed.
#[derive(Debug)]
pub(super) struct Visible<'p> {
    /// The fault that the request has anyway.
    pub refusal: Option<Reject>,
    pub offers: &'p [Offer],
    pub requirements: Required<'p>,
    pub fixed: Option<&'p FixedReply>,
}

/// Runs a check by the `terms`. If they are those of a hiding rule, notes the result of the check by them, and by the terms
/// without hiding rules.
///
/// # Errors
/// The result of the check, if no rule hides.
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

/// The response in place of `reject`: without the hiding rules, an earlier check may fail.
pub(super) fn instead_of(reject: Reject, hidden: Option<&Hidden<'_>>) -> Reject {
    let earlier = hidden.and_then(|hidden| hidden.refusal);
    earlier.unwrap_or(reject)
}

impl<'p> Evaluation<'p, '_> {
    /// The rule that matches the request with `method` as its method. If hiding rules make this ambiguous, the rule that
    /// matches without them.
    ///
    /// # Errors
    /// Those of [`Policy::rule_for`](crate::plan::Policy::rule_for), if no rule hides.
    pub(super) fn find_rule<'r>(
        &self,
        method: &[u8],
        readings: &'r Readings<'_>,
        host: &Host<'_>,
        hidden: &mut Option<Hidden<'p>>,
    ) -> Result<Option<Matched<'p, 'r>>, Reject> {
        match self.policy.rule_for(method, self.request, readings, host) {
            Ok(Some(found)) if found.rule.hides => {
                *hidden = Some(self.matched(found.rule, method, readings, host));
                Ok(Some(found))
            }
            Ok(found) => Ok(found),
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
        let found = self
            .policy
            .rule_among(visible, method, self.request, readings, host);
        let (visible, refusal) = match found {
            Ok(found) => (found.map(|found| found.rule), None),
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
        let found = policy.rule_among(Considered::Visible, method, request, readings, host)?;
        *hidden = Some(Hidden {
            rule,
            is_matched: false,
            withheld: Some(reject),
            visible: policy.terms(found.as_ref().map(|found| found.rule)),
            refusal: None,
        });
        Ok(found)
    }

    /// The same as [`Evaluation::authorize`] for a hiding rule. The client learns only what this module's list says.
    #[inline(never)]
    pub(super) fn authorize_where_hidden(
        &self,
        applicable: &Applicable<'p, '_>,
        hidden: &Hidden<'p>,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<Verdict, Stop> {
        let visible = hidden.visible.access;
        let gate = visible.gate().unwrap_or(&self.policy.strangers);
        let before = (effects.failures.len(), effects.uses.len());
        decision.rule = Some(hidden.rule);
        let mut judged = None;
        if let Some(reject) = hidden.withheld {
            trace.step(Step::Withheld(reject));
        } else {
            decision.hides = true;
            let verdict = self.authorize(applicable, decision, effects, trace);
            decision.hides = false;
            match verdict {
                // Nothing else is missing, and there is a challenge that can say so.
                Err(Stop::Reject(reject @ Reject::Authentication(_)))
                    if decision.offers.iter().any(Offer::has_errors)
                        && decision.admission == Some(Ok(())) =>
                {
                    return Err(reject.into());
                }
                Err(Stop::Reject(reject)) => judged = Some(reject),
                other => return other,
            }
        }
        // Why a known caller is denied, for the log.
        let lack = hidden.withheld.or(judged).unwrap_or(Reject::NoRule);
        // Without the rule, another provider could be selected, and another failure counted.
        let own = applicable.access.gate();
        let is_same = gate.needs == Needs::One
            && own.is_some_and(|own| {
                let ids = |gate| self.mtls_of(gate).map(|(id, _)| id);
                own.reads_like(gate) && ids(own).eq(ids(gate))
            });
        let mut offers = Cow::Borrowed(gate.offers.as_slice());
        let reject = match judged.filter(|_| is_same) {
            Some(reject) => reject,
            None => {
                effects.truncate(before);
                decision.nonces = Nonces::default();
                decision.principals.clear();
                decision.provider = None;
                decision.admission = None;
                decision.offers = offers;
                let identified = self.identify(gate, decision, effects, trace);
                offers = std::mem::take(&mut decision.offers);
                match identified {
                    Ok(()) if decision.principals.is_empty() => Reject::NoCredential,
                    Ok(()) => lack,
                    Err(Stop::Reject(reject)) => reject,
                    Err(needs @ Stop::Needs(..)) => return Err(needs),
                }
            }
        };
        let reject = if decision.principals.is_empty() {
            reject
        } else if let Err(reject) =
            self.admit_without_hidden(gate, applicable, decision, effects, trace)
        {
            match refuse_missing(gate, &decision.principals) {
                Ok(()) => reject,
                Err(missing) => {
                    offers = self.offers_besides_callers(gate, &decision.principals);
                    missing
                }
            }
        } else {
            decision.hides = true;
            return Err(lack.into());
        };
        (decision.offers, decision.requirements) = (Cow::default(), None);
        // Without the rule, the request is denied before its credentials are read, or the response is fixed.
        if let Some(refusal) = hidden.refusal {
            effects.truncate(before);
            return Err(refusal.into());
        }
        let gate = match visible {
            Access::Respond(reply) => {
                effects.truncate(before);
                decision.fixed = self.policy.reply(*reply);
                return Err(Reject::Fixed.into());
            }
            // Without the rule, the request would pass.
            Access::Optional(_) if reject == Reject::NoCredential => {
                offers = Cow::Borrowed(&self.policy.strangers.offers);
                &self.policy.strangers
            }
            Access::Public | Access::Optional(_) | Access::Required(_) | Access::Closed(_) => gate,
        };
        (decision.offers, decision.requirements) = (offers, Some(self.required(gate)));
        Err(reject.into())
    }

    /// Notes the response without the hiding rules, in case that the request uses something that was used before.
    pub(super) fn note_visible(
        &self,
        hidden: &Hidden<'p>,
        decision: &mut Decision<'p>,
        effects: &Effects,
    ) {
        if effects.uses.is_empty() {
            return;
        }
        let access = hidden.visible.access;
        let gate = access.gate().unwrap_or(&self.policy.strangers);
        let fixed = match access {
            Access::Respond(reply) => self.policy.reply(*reply),
            Access::Public | Access::Optional(_) | Access::Required(_) | Access::Closed(_) => None,
        };
        decision.visible = Some(Box::new(Visible {
            refusal: hidden.refusal.or(fixed.map(|_| Reject::Fixed)),
            offers: &gate.offers,
            requirements: self.required(gate),
            fixed,
        }));
    }
}
