//! What is required of callers everywhere, and what a caller's requirements are evaluated against.

use std::cell::RefCell;

use super::identify::rank;
use super::trace::{Step, Trace};
use super::{Applicable, Decision, Effects, Evaluation};
use crate::authorize::condition::Failed;
use crate::authorize::{Admitted, Gate, Input, Required, Requirements, admit};
use crate::reject::Reject;

impl<'p> Evaluation<'p, '_> {
    /// What is required of callers under a rule with this gate.
    pub(super) fn required(&self, gate: &'p Gate) -> Required<'p> {
        Required::new(&self.policy.require, gate)
    }

    /// Checks that the first caller has what is required everywhere, and notes the result.
    ///
    /// The check precedes what a rule requires, and applies also where a rule does not accept the caller's provider and
    /// where no rule matches. So a caller who lacks it learns of no hidden rule.
    ///
    /// # Errors
    /// Those of [`admit`].
    pub(super) fn admit(
        &self,
        applicable: &Applicable<'p, '_>,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<Admitted, Reject> {
        let everywhere = &self.policy.require;
        let requirements = (true, &everywhere.0);
        let admitted = self.check_caller(
            requirements,
            applicable,
            decision,
            effects,
            trace,
            |input| admit(&decision.principals, everywhere, input),
        );
        decision.admission = Some(admitted.as_ref().map(|_| ()).map_err(|reject| *reject));
        admitted
    }

    /// Whether the caller has what is required everywhere, if the rules that hide are left out: the caller that is the
    /// first for `gate`.
    ///
    /// # Errors
    /// Those of [`admit`].
    pub(super) fn admit_without_hidden(
        &self,
        gate: &Gate,
        applicable: &Applicable<'p, '_>,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<(), Reject> {
        let callers = decision.principals.iter().enumerate();
        let first = callers.min_by_key(|(_, caller)| rank(gate, caller));
        if let Some((first @ 1.., caller)) = first {
            let provider = self.policy.providers.get(caller.provider().0);
            decision.provider = provider.map(|provider| provider.name.as_str());
            decision.principals.swap(0, first);
            decision.admission = None;
        }
        match decision.admission {
            Some(known) => known,
            None => self.admit(applicable, decision, effects, trace).map(drop),
        }
    }

    /// Runs a check of the first caller, with what requirements are evaluated against. `everywhere` says whether the
    /// requirements are those of every caller.
    pub(super) fn check_caller<T>(
        &self,
        (everywhere, requirements): (bool, &Requirements),
        applicable: &Applicable<'p, '_>,
        decision: &Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
        check: impl FnOnce(Input<'_>) -> Result<T, Reject>,
    ) -> Result<T, Reject> {
        let principal = decision.principal().ok_or(Reject::NoCredential)?;
        let observers = RefCell::new((trace, effects));
        let on_condition = |holds: Result<bool, Failed>| {
            let (trace, effects) = &mut *observers.borrow_mut();
            trace.step(Step::Condition {
                holds: holds.ok(),
                spent: self.budget.spent(),
            });
            effects.failed_conditions += u32::from(holds.is_err());
        };
        // Built again for the trace: a copy would cost every request, also without a trace.
        let input = || Input {
            principal,
            provider: decision.provider.unwrap_or_default(),
            callers: &decision.principals,
            providers: &self.policy.providers,
            request: self.request,
            https_by: self.policy.https_by,
            path: applicable.readings,
            parameters: applicable.bound.as_slice(),
            now: self.circumstances.now.get(),
            budget: &self.budget,
            on_condition: &on_condition,
        };
        let checked = check(input());
        if checked.is_err() {
            observers.borrow_mut().0.step(Step::Unmet {
                everywhere,
                authentication_last: decision.hides && !everywhere,
                requirements,
                input: input(),
            });
        }
        checked
    }
}
