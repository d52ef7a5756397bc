//! CORS preflights (WHATWG Fetch, "CORS-preflight fetch").

use super::{Answer, Decision, Judging, Passage, Verdict};
use crate::authorize::permit_anyone;
use crate::plan::{Access, Considered};
use crate::presentation::cors::Preflight;
use crate::reject::Reject;
use crate::request::path::Readings;
use crate::request::{Field, RequestView};
use crate::url::Host;

/// Whether a request is a preflight: OPTIONS, with one origin, and one method that is asked for.
pub(super) fn is_one(request: &RequestView<'_>) -> bool {
    requested_method(request).is_some()
}

fn requested_method<'a>(request: &RequestView<'a>) -> Option<&'a [u8]> {
    if request.method() != b"OPTIONS" {
        return None;
    }
    let origin = request.field(b"origin");
    match (origin, request.field(b"access-control-request-method")) {
        (Field::One(_), Field::One(method)) => Some(method),
        _ => None,
    }
}

impl<'p> Judging<'p, '_> {
    /// What becomes of a preflight; nothing where the request is none, or is to be treated as if it were none.
    ///
    /// A preflight passes, or is answered, as it would without the rules that hide: also the `refusal` is the one
    /// without them.
    pub(super) fn preflight(
        &self,
        decision: &mut Decision<'p>,
        readings: &Readings<'_>,
        host: &Host<'_>,
        refusal: Option<Reject>,
    ) -> Result<Option<Verdict>, Reject> {
        let Some(method) = requested_method(self.request) else {
            return Ok(None);
        };
        let cors = self.presentation.cors.as_ref();
        match cors.map_or(Preflight::Pass, |cors| cors.preflight) {
            Preflight::Authenticate => Ok(None),
            Preflight::Answer => match (refusal, self.request.field(b"origin")) {
                (Some(reject), _) => Err(reject),
                (None, Field::One(origin))
                    if cors.is_some_and(|cors| cors.allowed(origin).is_some()) =>
                {
                    Ok(Some(Verdict::Answers(Answer::Preflight)))
                }
                (None, _) => Err(Reject::ForeignOrigin),
            },
            Preflight::Pass => {
                let (policy, request, visible) = (self.policy, self.request, Considered::Visible);
                let rule = policy.rule_among(visible, method, request, readings, host);
                let rule = rule.map_err(|reject| refusal.unwrap_or(reject))?;
                let answers = rule.is_some_and(|fit| matches!(fit.rule.access, Access::Respond(_)));
                if answers || self.request.goes_on() {
                    return Ok(None);
                }
                if let Some(reject) = refusal {
                    return Err(reject);
                }
                decision.passage = Passage::Preflight;
                Ok(Some(Verdict::Passes(permit_anyone())))
            }
        }
    }
}
