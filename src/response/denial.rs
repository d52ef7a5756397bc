//! The response to a denied request.

use std::borrow::Cow;

use super::challenges::Terms;
use super::head::{Head, Kind};
use super::headers::put_common;
use super::{Exchange, Reply, grpc};
use crate::reject::{Code, Reject};

impl Exchange<'_> {
    #[inline(never)]
    pub(super) fn denial(&self, reject: Reject, reply: &mut Reply) {
        reply.details = reject.reason().details();
        if let Some(fixed) = self.fixed_reply(reject) {
            return self.as_configured(fixed, reply);
        }
        let terms = Terms::of(self.decision);
        let head = self.head(&terms, reject);
        reply.error = Some(head.code);
        if let Some(redirect) = self.redirect(reject, head.code) {
            return self.redirected(redirect, reply);
        }
        reply.status = head.status;
        head.write(&self.decision.nonces, &mut reply.headers);
        if let Reject::TooManyFailures { retry_after } = reject {
            reply.headers.put("retry-after", &retry_after.to_string());
        }
        // A client that is asked for a nonce gets one, also where the rule does not accept the provider of its token.
        if (head.has_proofs || head.code == Code::UseDpopNonce)
            && let Some(nonce) = self.decision.nonces.of_proofs(terms.offers)
        {
            reply.headers.put("dpop-nonce", nonce);
        }
        self.put_hint(reject, &mut reply.headers);
        put_common(self.presentation, &mut reply.headers);
        self.put_cors(&mut reply.headers);
        if self.request.is_grpc() {
            grpc::denied(&head, reply);
        } else {
            self.explain(&head, reply);
        }
    }

    /// What responses of this kind share: prepared, or made for this request alone.
    fn head(&self, terms: &Terms<'_>, reject: Reject) -> Cow<'_, Head> {
        let kind = Kind::of(reject, self.decision.schemes, terms.offers);
        match self.prepared.find(kind, terms, &self.decision.nonces) {
            Some(head) => Cow::Borrowed(head),
            None => Cow::Owned(self.unprepared(kind, terms)),
        }
    }

    #[cold]
    fn unprepared(&self, kind: Kind, terms: &Terms<'_>) -> Head {
        let nonce = |provider| self.decision.nonces.of(provider);
        Head::new(kind, terms, self.presentation, self.lacks_scope(), &nonce)
    }
}
