//! Responses that the configuration gives in full: a rule's `respond`, and `responses.not_found`.

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

    pub(super) fn as_configured(&self, configured: Configured<'_>, reply: &mut Reply) {
        let Configured { reply: own, code } = configured;
        (reply.status, reply.error) = (own.status, Some(code));
        let is_grpc = self.request.is_grpc();
        let headers = &mut reply.headers;
        for (name, value) in &own.headers {
            // The host sets the content type of gRPC, and sends the content as the message.
            if !(is_grpc && name == "content-type") {
                headers.put(name, value);
            }
        }
        if !own.sets("cache-control") {
            headers.put("cache-control", "no-store");
        }
        // With two values of `access-control-allow-origin` no origin may read the response (Fetch, "CORS check").
        if let Some(cors) = &self.presentation.cors
            && !own.sets("access-control-allow-origin")
        {
            headers.put("vary", "origin");
            cors::allow_reading(cors, self.request, headers);
        }
        match is_grpc {
            true => reply.body.push_str(&grpc::configured(own, headers)),
            false => reply.body.push_str(&own.body),
        }
    }
}
