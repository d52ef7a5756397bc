//! CORS preflights (WHATWG Fetch, "CORS-preflight fetch").

use super::{Answer, Decision, Judging, Passage, Verdict};
use crate::authorize::permit_anyone;
use crate::plan::Access;
use crate::presentation::cors::Preflight;
use crate::reject::Reject;
use crate::request::authority::Host;
use crate::request::path::Readings;
use crate::request::{Field, RequestView};

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
    pub(super) fn preflight(
        &self,
        decision: &mut Decision<'p>,
        readings: &Readings<'_>,
        host: &Host<'_>,
        is_withheld: bool,
    ) -> Result<Option<Verdict>, Reject> {
        let Some(method) = requested_method(self.request) else {
            return Ok(None);
        };
        let cors = self.presentation.cors.as_ref();
        match cors.map_or(Preflight::Pass, |cors| cors.preflight) {
            Preflight::Authenticate => Ok(None),
            Preflight::Answer => match self.request.field(b"origin") {
                Field::One(origin) if cors.is_some_and(|cors| cors.allowed(origin).is_some()) => {
                    Ok(Some(Verdict::Answers(Answer::Preflight)))
                }
                _ => Err(Reject::ForeignOrigin),
            },
            Preflight::Pass => {
                let rule = self.find_rule(method, readings, host, &mut None)?;
                let answers = rule.is_some_and(|fit| matches!(fit.rule.access, Access::Respond(_)));
                let is_kept_out = is_withheld && self.is_kept_out(readings, host);
                if answers || is_kept_out || self.request.goes_on() {
                    return Ok(None);
                }
                decision.passage = Passage::Preflight;
                Ok(Some(Verdict::Passes(permit_anyone())))
            }
        }
    }
}
