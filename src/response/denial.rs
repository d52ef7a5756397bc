//! The response to a denied request.

use super::headers::{Headers, put};
use super::table::{Meaning, meaning};
use super::{Exchange, Reply, grpc};
use crate::presentation::Protects;
use crate::reject::{Code, Reject};

impl Exchange<'_> {
    #[inline(never)]
    pub(super) fn denial(&self, reject: Reject) -> Reply {
        let details = format!("countersign_{}", reject.reason());
        if let Some(fixed) = self.fixed_reply(reject) {
            return self.as_configured(fixed, details);
        }
        let meaning = meaning(reject, self.decision, self.presentation);
        if let Some(redirect) = self.redirect(reject, meaning.code) {
            return self.redirected(redirect, meaning.code, details);
        }
        let status = self.status(meaning.code);
        let mut headers = Headers::with_capacity(10);
        self.put_challenges(&meaning, &mut headers);
        put_retry(&meaning, &mut headers);
        self.put_hint(reject, &mut headers);
        self.put_common(&mut headers);
        let body = if self.request.is_grpc() {
            grpc::denied(&meaning, &mut headers)
        } else {
            self.explain(&meaning, status, &mut headers)
        };
        Reply {
            status,
            error: Some(meaning.code),
            details,
            headers,
            body,
        }
    }

    /// The status of a code. A proxy asks for credentials with 407 (RFC 9110 §15.5.8).
    fn status(&self, code: Code) -> u16 {
        match (code.status(), self.presentation.protects) {
            (401, Protects::Proxy) => 407,
            (status, Protects::Origin | Protects::Proxy) => status,
        }
    }
}

/// Appends how the client can succeed with the same credential: with another method, or later.
fn put_retry(meaning: &Meaning, headers: &mut Headers) {
    if let Some(methods) = meaning.allow {
        put(headers, "allow", methods);
    }
    if let Some(seconds) = meaning.retry_after {
        put(headers, "retry-after", seconds.to_string());
    }
}
