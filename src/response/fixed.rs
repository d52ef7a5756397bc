//! Responses that the configuration gives in full: a rule's `respond`, and `responses.not_found`.

use std::borrow::Cow;

use super::headers::{Headers, put};
use super::{Exchange, Reply, cors, grpc};
use crate::presentation::fixed::FixedReply;
use crate::reject::{Code, Reject};

/// A configured response, and the error code that counters have for it.
pub(super) struct Configured<'r> {
    reply: &'r FixedReply,
    code: Code,
}

impl<'r> Exchange<'r> {
    /// The configured response to a denied request; none if the filter explains the error itself.
    pub(super) fn fixed_reply(&self, reject: Reject) -> Option<Configured<'r>> {
        if let (Reject::Fixed, Some(reply)) = (reject, self.decision.fixed) {
            return Some(Configured {
                reply,
                code: Code::Respond,
            });
        }
        self.decision.hides.then_some(Configured {
            reply: &self.presentation.not_found,
            code: Code::NotFound,
        })
    }

    pub(super) fn as_configured(&self, configured: Configured<'_>, details: String) -> Reply {
        let Configured { reply, code } = configured;
        let mut headers: Headers = reply
            .headers
            .iter()
            .map(|(name, value)| (Cow::Owned(name.clone()), value.clone()))
            .collect();
        if !reply.sets("cache-control") {
            put(&mut headers, "cache-control", "no-store");
        }
        // With two values of `access-control-allow-origin` no origin may read the response (Fetch, "CORS check").
        if let Some(cors) = &self.presentation.cors
            && !reply.sets("access-control-allow-origin")
        {
            put(&mut headers, "vary", "origin");
            cors::allow_reading(cors, self.request, &mut headers);
        }
        let body = if self.request.is_grpc() {
            // The host sets the content type of gRPC, and sends the content as the message.
            headers.retain(|(name, _)| name != "content-type");
            grpc::configured(reply, &mut headers)
        } else {
            reply.body.clone()
        };
        Reply {
            status: reply.status,
            error: Some(code),
            details,
            headers,
            body,
        }
    }
}
