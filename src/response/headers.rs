//! The headers that every denied request receives.

use super::{Exchange, cors};
use crate::grammar::encoded;
use crate::header_map::HeaderMap;
use crate::presentation::{BodyForm, Presentation};
use crate::reject::Reject;

/// Appends the headers that keep a response to this one request.
pub(super) fn put_common(presentation: &Presentation, headers: &mut HeaderMap) {
    headers.put("cache-control", "no-store");
    headers.put("x-content-type-options", "nosniff");
    put_vary(presentation, headers);
}

/// Appends `vary`, the request headers on which the response depends (RFC 9110 §12.5.5).
fn put_vary(presentation: &Presentation, headers: &mut HeaderMap) {
    let has_form = presentation.body == BodyForm::Negotiate;
    let (signs_in, has_cors) = (presentation.login.is_some(), presentation.cors.is_some());
    let vary = match (has_form, signs_in, has_cors) {
        (_, true, false) => "accept, sec-fetch-mode, x-requested-with",
        (_, true, true) => "accept, sec-fetch-mode, x-requested-with, origin",
        (true, false, false) => "accept",
        (true, false, true) => "accept, origin",
        (false, false, true) => "origin",
        (false, false, false) => return,
    };
    headers.put("vary", vary);
}

impl Exchange<'_> {
    /// Appends `x-permission-required`, which names what the caller lacks, and `x-api-scope`, the scopes of an API key that
    /// lacks one, if the configuration has `hints`.
    pub(super) fn put_hint(&self, reject: Reject, headers: &mut HeaderMap) {
        let decision = self.decision;
        if let (true, Some(requirements), Some(principal)) = (
            self.presentation.hints,
            decision.requirements,
            decision.principal(),
        ) {
            let missing = requirements.missing(reject, principal);
            if !missing.is_empty() {
                // A configured name may contain a space, or bytes that a header cannot carry.
                let names: Vec<_> = missing.into_iter().map(encoded).collect();
                headers.put("x-permission-required", &names.join(" "));
            }
            let granted: Vec<_> = principal.scopes().iter().map(encoded).collect();
            if reject == Reject::Scope && principal.has_api_key() && !granted.is_empty() {
                headers.put("x-api-scope", &granted.join(" "));
            }
        }
    }

    /// Appends the headers that let another origin read the response.
    pub(super) fn put_cors(&self, headers: &mut HeaderMap) {
        if let Some(cors) = &self.presentation.cors {
            cors::allow_reading(cors, self.request, headers);
        }
    }
}
