//! How a request is changed on its way to the upstream.

use super::Judging;
use crate::authenticate::Principal;
use crate::credential::{Place, without_cookies, without_parameters};
use crate::presentation::Protects;
use crate::reject::Reject;
use crate::request::folds_to;

/// How a request is changed on its way to the upstream: first what is taken out, then what is set.
#[derive(Debug, Default)]
pub struct Forward<'p> {
    /// A new target, without the tokens that were in its query.
    pub target: Option<Vec<u8>>,
    /// Header fields that are taken out, names as they were sent; each is there.
    pub remove: Vec<String>,
    /// Header fields that are set, in place of any of that name.
    pub set: Vec<(&'p str, String)>,
}

impl Forward<'_> {
    /// Whether something is taken out of what the client sent.
    pub fn takes_out(&self) -> bool {
        self.target.is_some() || !self.remove.is_empty()
    }
}

/// Fields that make some upstreams take a request for one of another method.
const METHOD_OVERRIDES: [&str; 3] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];

/// Where credentials stand that the filter itself may know nothing of (RFC 9110 §11.6.2, §11.7.2, RFC 6265 §5.4).
const CREDENTIALS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

impl<'p> Judging<'p, '_> {
    /// What is done to every request that passes, also where a refusal is only noted: nobody but the filter says who the
    /// caller is.
    pub(super) fn forward_anyone(&self) -> Forward<'p> {
        let mut forward = Forward::default();
        let identity = &self.policy.identity;
        if identity.is_told() {
            self.take_out_if(|name| identity.is_claimed_by(name), &mut forward);
        }
        if identity.strip_credential {
            self.strip(&mut forward);
        }
        forward
    }

    /// Holds the request to the route by which it is judged.
    ///
    /// The host chooses the route again once a request is changed, and does not say which: whatever a client sends only
    /// to have it taken out would let it choose the route that is judged, and then take another.
    pub(super) fn keep_to_the_route(&self, forward: &Forward<'_>) -> Result<(), Reject> {
        let is_at_risk =
            self.policy.asks_for_route() && (self.request.was_changed() || forward.takes_out());
        if is_at_risk {
            Err(Reject::RouteAtRisk)
        } else {
            Ok(())
        }
    }

    /// What is done to the request of anyone who was let pass.
    pub(super) fn forward_admitted(&self) -> Forward<'p> {
        let mut forward = self.forward_anyone();
        // What is for a proxy ends at the proxy (RFC 9110 §11.7.2).
        if self.presentation.protects == Protects::Proxy {
            self.take_out("proxy-authorization", &mut forward);
        }
        forward
    }

    /// What is done besides to the request of a caller who was let pass.
    pub(super) fn forward_caller(&self, principal: &Principal, forward: &mut Forward<'p>) {
        self.without_tokens_in_the_query(forward);
        if let Some(provider) = self.policy.providers.get(principal.provider()) {
            forward
                .set
                .extend(self.policy.identity.of(principal, &provider.name));
        }
    }

    /// What is done to a preflight, which carries no credentials (WHATWG Fetch, "CORS-preflight fetch"): where something
    /// calls itself one and does, nothing unverified reaches the upstream.
    pub(super) fn forward_preflight(&self) -> Forward<'p> {
        let mut forward = self.forward_anyone();
        self.without_tokens_in_the_query(&mut forward);
        for name in CREDENTIALS.into_iter().chain(METHOD_OVERRIDES) {
            self.take_out(name, &mut forward);
        }
        for served in &self.policy.places {
            if let Place::Scheme { field, .. } | Place::Field(field) = &served.place {
                self.take_out(field, &mut forward);
            }
        }
        forward.set.clear();
        forward
    }

    /// Takes out whatever stands where a provider looks, judged or not.
    fn strip(&self, forward: &mut Forward<'p>) {
        let mut cookies = Vec::new();
        for served in &self.policy.places {
            match &served.place {
                Place::Scheme { field, .. } | Place::Field(field) => self.take_out(field, forward),
                Place::Cookie(name) => cookies.push(name.as_str()),
                Place::Query(_) => {}
            }
        }
        self.without_tokens_in_the_query(forward);
        if let Some(rest) = without_cookies(self.request, &cookies) {
            self.take_out("cookie", forward);
            forward
                .set
                .extend((!rest.is_empty()).then_some(("cookie", rest)));
        }
    }

    /// Takes out a field, and every other that an upstream could take for it.
    fn take_out(&self, name: &str, forward: &mut Forward<'p>) {
        self.take_out_if(|sent| folds_to(name.as_bytes(), sent), forward);
    }

    fn take_out_if(&self, is_meant: impl Fn(&[u8]) -> bool, forward: &mut Forward<'p>) {
        let names = self.request.names().filter(|name| is_meant(name));
        for name in names.filter_map(|name| std::str::from_utf8(name).ok()) {
            if !forward.remove.iter().any(|known| known == name) {
                forward.remove.push(name.to_owned());
            }
        }
    }

    /// The upstream gets a target without the token that was in it: a query stands in logs (RFC 6750 §5.3).
    fn without_tokens_in_the_query(&self, forward: &mut Forward<'p>) {
        let names = self
            .policy
            .places
            .iter()
            .filter_map(|served| match &served.place {
                Place::Query(name) => Some(name.as_str()),
                Place::Scheme { .. } | Place::Field(_) | Place::Cookie(_) => None,
            });
        let target = self.request.target();
        forward.target = target.and_then(|target| without_parameters(target, names));
    }
}
