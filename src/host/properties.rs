//! What the host says about a request besides its headers, as far as the configuration uses it: each call costs.

use std::net::IpAddr;

use super::ffi::{self, Unreadable};
use crate::grammar::sha256_of_hex;
use crate::header_map;
use crate::plan::Policy;
use crate::request::PeerCertificate;
use crate::telemetry;

/// The greatest length in bytes of a name in a log line.
const MAX_LOGGED: usize = 256;

/// Where a route's metadata names its policies.
const ROUTE_POLICY: &str = "xds\0route_metadata\0filter_metadata\0countersign\0policy";

/// What the host says about a request's route.
#[derive(Default)]
pub struct Route {
    /// The name of the route.
    pub name: Option<Vec<u8>>,
    policy: Option<Vec<u8>>,
    /// Whether another filter has changed the request, so that Envoy may take another route.
    pub was_changed: bool,
}

impl Route {
    /// The route that Envoy has chosen for the request.
    ///
    /// # Errors
    /// [`Unreadable`]. A policy that cannot be read could be one that denies the request.
    pub fn read(policy: Option<&Policy>) -> Result<Self, Unreadable> {
        let Some(policy) = policy else {
            return Ok(Self::default());
        };
        let read = |is_used: bool, path| match is_used {
            true => ffi::readable_property(path),
            false => Ok(None),
        };
        Ok(Self {
            name: read(policy.asks_for_route_name(), "xds\0route_name")?,
            policy: read(policy.asks_for_route_policy(), ROUTE_POLICY)?,
            was_changed: read(policy.asks_for_route(), telemetry::CHANGED)?.is_some(),
        })
    }

    /// The request's route, for a log line. A route without a name is described by its virtual host and its cluster.
    pub fn described() -> String {
        let read = |path| {
            let name = ffi::property(path).unwrap_or_default();
            String::from_utf8_lossy(name.get(..MAX_LOGGED).unwrap_or(&name)).into_owned()
        };
        let name = read("xds\0route_name");
        if !name.is_empty() {
            return format!("`{name}`");
        }
        format!(
            "without a name, virtual host `{}`, cluster `{}`",
            read("xds\0virtual_host_name"),
            read("xds\0cluster_name")
        )
    }

    /// The names of the route's policies.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn policies(&self) -> Result<Vec<&[u8]>, Unreadable> {
        let Some(policy) = &self.policy else {
            return Ok(Vec::new());
        };
        header_map::texts(policy).ok_or(Unreadable)
    }
}

/// The certificate of the client of the request on which the host's calls act. Envoy verified it, unless its settings accept
/// certificates of an unknown authority.
#[derive(Debug)]
pub struct Peer;

impl PeerCertificate for Peer {
    fn digest(&self) -> Option<[u8; 32]> {
        sha256_of_hex(of_peer("connection\0sha256_peer_certificate_digest")?)
    }

    fn uri(&self) -> Option<String> {
        String::from_utf8(of_peer("connection\0uri_san_peer_certificate")?).ok()
    }

    fn dns(&self) -> Option<String> {
        String::from_utf8(of_peer("connection\0dns_san_peer_certificate")?).ok()
    }
}

/// A property of the client's certificate, if there is one.
fn of_peer(path: &str) -> Option<Vec<u8>> {
    // A boolean is one byte.
    let has_certificate = ffi::property("connection\0mtls")? == [1];
    let value = ffi::property(path).filter(|_| has_certificate)?;
    (!value.is_empty()).then_some(value)
}

/// Whether the client's connection is secured by TLS. False if the configuration does not use it.
pub fn is_over_tls(policy: Option<&Policy>) -> bool {
    policy.is_some_and(Policy::asks_for_tls)
        && ffi::property("connection\0tls_version").is_some_and(|version| !version.is_empty())
}

/// The client's address. `None` if the configuration does not use it.
pub fn client(policy: Option<&Policy>) -> Option<IpAddr> {
    policy.filter(|policy| policy.asks_for_address())?;
    source_address()
}

/// The client's address, by Envoy's settings for forwarded addresses.
pub fn source_address() -> Option<IpAddr> {
    header_map::address(&ffi::property("source\0address")?)
}
