//! How a request is changed on its way to the upstream.

use crate::credential::{Place, without_parameters};
use crate::plan::Policy;
use crate::presentation::{Presentation, Protects};
use crate::request::{Field, RequestView};

/// How a request is changed on its way to the upstream.
#[derive(Debug, Default)]
pub struct Forward<'p> {
    /// A new target, without the tokens that were in its query.
    pub target: Option<Vec<u8>>,
    /// Header fields that are taken out, names in lower case; each is there.
    pub remove: Vec<&'p str>,
}

/// Fields that make some upstreams take a request for one of another method.
const METHOD_OVERRIDES: [&str; 3] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];

/// Where credentials stand that the filter itself may know nothing of (RFC 9110 §11.6.2, §11.7.2, RFC 6265 §5.4).
const CREDENTIALS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

impl<'p> Forward<'p> {
    /// For the request of a caller who was let pass.
    pub(super) fn of_a_caller(
        policy: &'p Policy,
        presentation: &Presentation,
        request: &RequestView<'_>,
    ) -> Self {
        // What is for a proxy ends at the proxy (RFC 9110 §11.7.2).
        let for_the_proxy = match presentation.protects {
            Protects::Origin => None,
            Protects::Proxy => Some("proxy-authorization"),
        };
        Self {
            target: target_without_tokens(policy, request),
            remove: those_there(for_the_proxy.into_iter(), request),
        }
    }

    /// For a preflight, which carries no credentials (WHATWG Fetch, "CORS-preflight fetch"): where something calls
    /// itself one and does, nothing unverified reaches the upstream.
    pub(super) fn of_a_preflight(policy: &'p Policy, request: &RequestView<'_>) -> Self {
        let places = policy
            .places
            .iter()
            .filter_map(|served| match &served.place {
                Place::Scheme { field, .. } | Place::Field(field) => Some(field.as_str()),
                Place::Cookie(_) | Place::Query(_) => None,
            });
        let names = CREDENTIALS
            .into_iter()
            .chain(METHOD_OVERRIDES)
            .chain(places);
        Self {
            target: target_without_tokens(policy, request),
            remove: those_there(names, request),
        }
    }
}

fn those_there<'p>(
    names: impl Iterator<Item = &'p str>,
    request: &RequestView<'_>,
) -> Vec<&'p str> {
    let mut there = Vec::new();
    for name in names {
        if request.field(name.as_bytes()) != Field::None && !there.contains(&name) {
            there.push(name);
        }
    }
    there
}

/// The target as the upstream gets it, where it held a token: a query stands in logs (RFC 6750 §5.3).
fn target_without_tokens(policy: &Policy, request: &RequestView<'_>) -> Option<Vec<u8>> {
    let names = policy
        .places
        .iter()
        .filter_map(|served| match &served.place {
            Place::Query(name) => Some(name.as_str()),
            Place::Scheme { .. } | Place::Field(_) | Place::Cookie(_) => None,
        });
    without_parameters(request.target()?, names)
}
