//! How a request is changed on its way to the upstream.

use super::Judging;
use crate::authenticate::Principal;
use crate::credential::{Place, is_called, without_cookies, without_parameters_that};
use crate::plan::{Plan, Policy, TakenOut};
use crate::reject::Reject;
use crate::request::folds_to;
use crate::request::overrides::{METHOD_FIELDS, is_method_parameter};

/// How a request is changed on its way to the upstream: first what is taken out, then what is set.
#[derive(Debug, Default)]
pub struct Forward<'p> {
    /// A new target, without the tokens and overrides that were in its query.
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

/// Where credentials stand that the filter itself may know nothing of (RFC 9110 §11.6.2, §11.7.2, RFC 6265 §5.4).
const CREDENTIALS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

impl<'p> Judging<'p, '_> {
    /// What is done to every request that passes, also where a refusal is only noted: nobody but the filter says who the
    /// caller is, and nothing says that the request is another than the one that was judged.
    pub(super) fn forward_anyone(&self) -> Forward<'p> {
        let fields = &self.policy.taken_out.fields;
        let mut forward = Forward::default();
        if !fields.is_empty() {
            self.take_out_if(|name| fields.have(name), &mut forward);
        }
        self.forward_besides_fields(forward)
    }

    /// What is done to the request of anyone who was let pass: the same, what is for a proxy ends at the proxy
    /// (RFC 9110 §11.7.2), be it this one or none, and so does what an upstream could take for a credential that was judged.
    pub(super) fn forward_admitted(&self) -> Forward<'p> {
        let TakenOut {
            fields, misspelt, ..
        } = &self.policy.taken_out;
        let is_own = |name: &[u8]| served_fields(self.policy).any(|own| own.as_bytes() == name);
        let is_meant = |name: &[u8]| {
            fields.have(name)
                || folds_to(b"proxy-authorization", name)
                || misspelt.have(name) && !is_own(name)
        };
        let mut forward = Forward::default();
        self.take_out_if(is_meant, &mut forward);
        self.forward_besides_fields(forward)
    }

    fn forward_besides_fields(&self, mut forward: Forward<'p>) -> Forward<'p> {
        if self.policy.taken_out.method_parameter {
            self.take_out_parameters(is_method_parameter, &mut forward);
        }
        if self.request.connection_options().next().is_some() {
            self.end_with_the_connection(&mut forward);
        }
        if self.policy.identity.strip_credential {
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

    /// What is done besides to the request of a caller who was let pass.
    pub(super) fn forward_caller(&self, principal: &Principal, forward: &mut Forward<'p>) {
        self.take_out_tokens(forward);
        if let Some(provider) = self.policy.providers.get(principal.provider()) {
            forward
                .set
                .extend(self.policy.identity.of(principal, &provider.name));
        }
    }

    /// What is done besides to the request of someone who was let pass without a credential.
    pub(super) fn forward_nobody(&self, forward: &mut Forward<'p>) {
        forward.set.extend(self.policy.identity.of_nobody());
    }

    /// What is done to a preflight, which carries no credentials (WHATWG Fetch, "CORS-preflight fetch"): where something
    /// calls itself one and does, nothing unverified reaches the upstream.
    pub(super) fn forward_preflight(&self) -> Forward<'p> {
        let mut forward = self.forward_anyone();
        self.take_out_tokens(&mut forward);
        self.take_out_parameters(is_method_parameter, &mut forward);
        for name in CREDENTIALS.into_iter().chain(METHOD_FIELDS) {
            self.take_out(name, &mut forward);
        }
        for name in served_fields(self.policy) {
            self.take_out(name, &mut forward);
        }
        forward.set.retain(|(name, _)| *name == "connection");
        forward
    }

    /// Takes out whatever stands where a provider looks, judged or not.
    #[inline(never)]
    fn strip(&self, forward: &mut Forward<'p>) {
        let mut cookies = Vec::new();
        for served in &self.policy.places {
            match &served.place {
                Place::Scheme { field, .. } | Place::Field(field) => self.take_out(field, forward),
                Place::Cookie(name) => cookies.push(name.as_str()),
                Place::Query(_) => {}
            }
        }
        self.take_out_tokens(forward);
        if let Some(rest) = without_cookies(self.request, &cookies) {
            self.take_out("cookie", forward);
            forward
                .set
                .extend((!rest.is_empty()).then_some(("cookie", rest)));
        }
    }

    /// Takes out the credentials that end with the connection, which nobody judged, and the options that would have the
    /// next proxy take out what the filter says (RFC 9110 §7.6.1).
    ///
    /// Envoy does that by itself with whatever is nominated, but where the connection is to be upgraded.
    #[cold]
    fn end_with_the_connection(&self, forward: &mut Forward<'p>) {
        let protected = &self.policy.taken_out.fields;
        let mut kept = Vec::new();
        let mut all = 0;
        for option in self.request.connection_options() {
            all += 1;
            let is_credential = CREDENTIALS
                .into_iter()
                .chain(served_fields(self.policy))
                .any(|name| option.eq_ignore_ascii_case(name.as_bytes()));
            if is_credential {
                self.take_out_if(|name| name.eq_ignore_ascii_case(option), forward);
            } else if !protected.have(option) {
                kept.extend(std::str::from_utf8(option));
            }
        }
        if kept.len() < all {
            self.take_out("connection", forward);
            let rest = (!kept.is_empty()).then(|| ("connection", kept.join(", ")));
            forward.set.extend(rest);
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
    fn take_out_tokens(&self, forward: &mut Forward<'p>) {
        let places = self.policy.places.iter();
        let names = places.filter_map(|served| match &served.place {
            Place::Query(name) => Some(name.as_str()),
            Place::Scheme { .. } | Place::Field(_) | Place::Cookie(_) => None,
        });
        if names.clone().next().is_some() {
            let is_token = |parameter: &[u8]| names.clone().any(|name| is_called(parameter, name));
            self.take_out_parameters(is_token, forward);
        }
    }

    /// Takes parameters out of the query, besides those that are out already.
    #[inline(never)]
    fn take_out_parameters(&self, is_meant: impl Fn(&[u8]) -> bool, forward: &mut Forward<'p>) {
        if self.request.query().is_none() {
            return;
        }
        let target = forward.target.as_deref().or(self.request.target());
        let without = target.and_then(|target| without_parameters_that(target, is_meant));
        if without.is_some() {
            forward.target = without;
        }
    }
}

/// The fields where providers look, cookies aside.
fn served_fields(policy: &Policy) -> impl Iterator<Item = &str> {
    let places = policy.places.iter();
    places.filter_map(|served| served.place.own_field())
}

impl Plan {
    /// Which of the fields that follow a request's content are taken out, names as they were sent (RFC 9110 §6.5): what is
    /// taken out of its head, and credentials, of which the filter judged none there.
    pub fn taken_out_of_trailers(&self, fields: &[(&[u8], &[u8])]) -> Vec<String> {
        // Without a policy no request passes, and none has an end that could.
        let Some(policy) = &self.policy else {
            return Vec::new();
        };
        let is_meant = |name: &[u8]| {
            policy.taken_out.fields.have(name)
                || CREDENTIALS
                    .into_iter()
                    .chain(served_fields(policy))
                    .any(|own| folds_to(own.as_bytes(), name))
        };
        let names = fields.iter().map(|(name, _)| *name);
        names
            .filter(|name| is_meant(name))
            .filter_map(|name| std::str::from_utf8(name).ok())
            .map(str::to_owned)
            .collect()
    }
}
