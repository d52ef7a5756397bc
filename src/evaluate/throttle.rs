//! Throttling: who is denied because of earlier failures, and for whom a failure counts.

use super::identify::Candidate;
use super::trace::{Step, Throttling, Trace};
use super::{Effects, Evaluation};
use crate::authorize::Gate;
use crate::plan::Throttle;
use crate::reject::Reject;
use crate::store::{Caller, CallerId, Failures, Judged};

impl Evaluation<'_, '_> {
    /// Denies a request from an address with too many failures, whatever it presents, and a request with a credential of a
    /// user with too many failures, valid or not.
    pub(super) fn refuse_blocked_callers(
        &self,
        gate: &Gate,
        candidates: &[Candidate<'_, '_>],
        trace: &mut impl Trace,
    ) -> Result<(), Reject> {
        match self.throttle() {
            Some(throttle) => self.refuse_by(throttle, gate, candidates, trace),
            None => Ok(()),
        }
    }

    #[inline(never)]
    fn refuse_by(
        &self,
        (throttle, failures): (&Throttle, &Failures),
        gate: &Gate,
        candidates: &[Candidate<'_, '_>],
        trace: &mut impl Trace,
    ) -> Result<(), Reject> {
        if throttle.exempts(self.request.client()) {
            trace.step(Step::Throttle(Throttling::Exempt));
            return Ok(());
        }
        let by_address = self.address(throttle, failures).into_iter();
        // Lazy: if the address is blocked, users are not looked up.
        let by_user = candidates
            .iter()
            .filter_map(|candidate| self.user(throttle, failures, gate, candidate));
        let mut callers = 0;
        for caller in by_address.chain(by_user) {
            callers += 1;
            if let Some(retry_after) = failures.blocked_for(caller, self.circumstances.now.get()) {
                trace.step(Step::Throttle(Throttling::Blocked(retry_after)));
                return Err(Reject::TooManyFailures { retry_after });
            }
        }
        trace.step(Step::Throttle(Throttling::NotBlocked { callers }));
        Ok(())
    }

    /// Counts the failure of a credential.
    pub(super) fn count(&self, gate: &Gate, candidate: &Candidate<'_, '_>, effects: &mut Effects) {
        let Some((throttle, failures)) = self.throttle() else {
            return;
        };
        if !throttle.exempts(self.request.client()) {
            let by_address = self.address(throttle, failures);
            let by_user = self.user(throttle, failures, gate, candidate);
            effects
                .failures
                .extend(by_address.into_iter().chain(by_user));
        }
    }

    fn throttle(&self) -> Option<(&Throttle, &Failures)> {
        Some((
            self.policy.throttle.as_ref()?,
            self.store.failures.as_ref()?,
        ))
    }

    fn address(&self, throttle: &Throttle, failures: &Failures) -> Option<CallerId> {
        let address = self.request.client().filter(|_| throttle.by_address)?;
        Some(failures.id(Caller::Address(address)))
    }

    /// The user that a credential names. Nothing of it is verified.
    fn user(
        &self,
        throttle: &Throttle,
        failures: &Failures,
        gate: &Gate,
        candidate: &Candidate<'_, '_>,
    ) -> Option<CallerId> {
        if !throttle.by_user {
            return None;
        }
        let id = |provider, name| failures.id(Caller::User { provider, name });
        let providers = &self.policy.providers;
        // A credential that was verified before need not be parsed.
        let tokens = &self.store.tokens;
        let token = self.remembered_as(gate, candidate);
        let now = self.circumstances.now.get();
        if let Some(Judged::Verified(principal)) = tokens.find(tokens.slot(token), token, now) {
            let provider = providers.get(principal.provider().0)?;
            return Some(id(&provider.name, principal.subject()?));
        }
        let selected = self.select(gate, candidate).ok()?;
        Some(id(&selected.provider.name, selected.claim.subject()?))
    }
}
