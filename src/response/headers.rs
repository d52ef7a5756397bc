//! The headers of a response, and the ones that every denied request receives.

use std::borrow::Cow;

use super::{Exchange, cors};
use crate::grammar::encoded;
use crate::presentation::BodyForm;
use crate::reject::Reject;

/// Headers in order, names in lower case.
pub type Headers = Vec<(Cow<'static, str>, String)>;

/// Appends a header. `name` is in lower case.
pub(super) fn put(headers: &mut Headers, name: &'static str, value: impl Into<String>) {
    headers.push((Cow::Borrowed(name), value.into()));
}

impl Exchange<'_> {
    /// Appends `x-permission-required`, which names what the caller lacks, and `x-api-scope`, the scopes of an API key that
    /// lacks one, if the configuration has `hints`.
    pub(super) fn put_hint(&self, reject: Reject, headers: &mut Headers) {
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
                put(headers, "x-permission-required", names.join(" "));
            }
            let granted: Vec<_> = principal.scopes().iter().map(encoded).collect();
            if reject == Reject::Scope && principal.has_api_key() && !granted.is_empty() {
                put(headers, "x-api-scope", granted.join(" "));
            }
        }
    }

    /// Appends the headers that keep a response to this one request, and those that let other origins read it.
    pub(super) fn put_common(&self, headers: &mut Headers) {
        put(headers, "cache-control", "no-store");
        put(headers, "x-content-type-options", "nosniff");
        self.put_vary(headers);
        if let Some(cors) = &self.presentation.cors {
            cors::allow_reading(cors, self.request, headers);
        }
    }

    /// Appends `vary`, the request headers on which the response depends (RFC 9110 §12.5.5).
    fn put_vary(&self, headers: &mut Headers) {
        let presentation = self.presentation;
        let mut depends_on = Vec::with_capacity(4);
        if presentation.body == BodyForm::Negotiate || presentation.login.is_some() {
            depends_on.push("accept");
        }
        if presentation.login.is_some() {
            depends_on.extend(["sec-fetch-mode", "x-requested-with"]);
        }
        if presentation.cors.is_some() {
            depends_on.push("origin");
        }
        if !depends_on.is_empty() {
            put(headers, "vary", depends_on.join(", "));
        }
    }
}
