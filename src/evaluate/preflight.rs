//! CORS preflights (WHATWG Fetch, "CORS-preflight fetch").

use super::{Answer, Decision, Evaluation, Told, Verdict};
use crate::authorize::{Access, permit_preflight};
use crate::plan::Considered;
use crate::presentation::cors::Preflight;
use crate::reject::Reject;
use crate::request::path::Readings;
use crate::url::Host;

impl<'p> Evaluation<'p, '_> {
    /// The verdict on a preflight. None if the request is not a preflight, or is handled like any other request.
    ///
    /// Hiding rules do not affect preflights. `refusal` is the fault that the request has without them.
    pub(super) fn preflight(
        &self,
        decision: &mut Decision<'p>,
        readings: &Readings<'_>,
        host: &Host<'_>,
        refusal: Option<Reject>,
    ) -> Result<Option<Verdict>, Reject> {
        let Some(asked) = self.request.as_preflight() else {
            return Ok(None);
        };
        let cors = self.presentation.cors.as_ref();
        match cors.map_or(Preflight::Pass, |cors| cors.preflight) {
            Preflight::Authenticate => Ok(None),
            Preflight::Answer => match refusal {
                Some(reject) => Err(reject),
                None if cors.is_some_and(|cors| cors.allowed(asked.origin).is_some()) => {
                    Ok(Some(Verdict::Answers(Answer::Preflight)))
                }
                None => Err(Reject::ForeignOrigin),
            },
            Preflight::Pass => {
                let (policy, request, visible) = (self.policy, self.request, Considered::Visible);
                let rule = policy.rule_among(visible, asked.method, request, readings, host);
                let rule = rule.map_err(|reject| refusal.unwrap_or(reject))?;
                let needs_address = policy
                    .terms(rule.as_ref().map(|found| found.rule))
                    .needs_address;
                let is_known = self.refuse_unknown_address(needs_address);
                is_known.map_err(|reject| refusal.unwrap_or(reject))?;
                let answers =
                    rule.is_some_and(|found| matches!(found.rule.access, Access::Respond(_)));
                if answers || self.request.has_more() {
                    return Ok(None);
                }
                if let Some(reject) = refusal {
                    return Err(reject);
                }
                decision.told = Told::NothingOfPreflight;
                Ok(Some(Verdict::Passes(permit_preflight(asked))))
            }
        }
    }
}
