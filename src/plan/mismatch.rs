//! Why a rule does not match a request, for `countersign explain`: the first key of `match` that differs.

use std::net::IpAddr;

use super::{HeaderMatch, Match, Networks};
use crate::request::host::HostPattern;
use crate::request::path::Readings;
use crate::request::{Field, RequestView};
use crate::url::Host;

/// The key of a rule's `match` that a request does not match.
#[derive(Debug)]
pub enum Mismatch<'a> {
    /// No pattern matches the path, by its first reading.
    Path,
    /// The method is not one of these.
    Method(&'a [String]),
    /// The host is not one of these.
    Host(&'a [HostPattern]),
    /// A header is missing, or has another value.
    Header {
        /// Its name.
        name: &'a str,
        /// What the rule requires of it.
        expected: &'a HeaderMatch,
        /// Its value; none if the request does not have it.
        found: Option<&'a [u8]>,
    },
    /// The route is not one of these.
    Route(&'a [String]),
    /// The route has none of these policies.
    Policy(&'a [String]),
    /// The address of the client is not in these networks.
    Networks(&'a Networks, Option<IpAddr>),
}

impl Match {
    /// The first key that the request does not match; none if the rule could match.
    pub fn mismatch<'a>(
        &'a self,
        method: &[u8],
        request: &RequestView<'a>,
        readings: &Readings<'_>,
        host: &Host<'_>,
    ) -> Option<Mismatch<'a>> {
        let matches_path = |own: &crate::request::path::Pattern| own.matches(readings.first());
        if !self.paths.is_empty() && !self.paths.iter().any(matches_path) {
            return Some(Mismatch::Path);
        }
        let of_methods = Self {
            methods: self.methods.clone(),
            ..Self::default()
        };
        let is_met = |one: &Self| one.is_met_alone(method, request, host);
        if !is_met(&of_methods) {
            return Some(Mismatch::Method(&self.methods));
        }
        if !self.hosts.is_empty() && !self.hosts.iter().any(|own| own.matches(host)) {
            return Some(Mismatch::Host(&self.hosts));
        }
        let of_routes = Self {
            routes: self.routes.clone(),
            ..Self::default()
        };
        if !is_met(&of_routes) {
            return Some(Mismatch::Route(&self.routes));
        }
        let of_policies = Self {
            policies: self.policies.clone(),
            ..Self::default()
        };
        if !is_met(&of_policies) {
            return Some(Mismatch::Policy(&self.policies));
        }
        let client = request.client();
        if let Some(own) = &self.networks
            && client.is_some()
            && !own.admit(client)
        {
            return Some(Mismatch::Networks(own, client));
        }
        for (name, expected) in &self.headers {
            let of_header = Self {
                headers: vec![(name.clone(), expected.clone())],
                ..Self::default()
            };
            if !is_met(&of_header) {
                return Some(Mismatch::Header {
                    name,
                    expected,
                    found: match request.field(name.as_bytes()) {
                        Field::One(sent) => Some(sent),
                        Field::None | Field::Many => None,
                    },
                });
            }
        }
        None
    }

    /// Whether the request matches, by the same function as in a lookup. An ambiguous header could match.
    fn is_met_alone(&self, method: &[u8], request: &RequestView<'_>, host: &Host<'_>) -> bool {
        let doubts = super::doubts::Doubts::default();
        self.matches_apart_from_path(&doubts, method, request, host)
            .unwrap_or(true)
    }
}
