//! Servers that the filter sends requests to.

use std::time::Duration;

use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::fault::{Fault, InvalidEndpoint};
use crate::config::read::Typed;
use crate::keys::Endpoint;
use crate::url::Url;

pub(super) const CLUSTER: &str = "the name of a cluster";

/// The host counts milliseconds, and a timeout of zero disables the timeout.
pub(super) const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

impl Compiler<'_> {
    /// The endpoint that `uri` and `cluster` of an object name.
    pub(super) fn endpoint(
        &mut self,
        at: &At<'_>,
        uri: &Typed<String>,
        cluster: &Typed<String>,
    ) -> Typed<Endpoint> {
        if cluster.as_ref().is_ok_and(String::is_empty) {
            self.report(&at.member("cluster"), Fault::EmptyString(CLUSTER));
        }
        let at = at.member("uri");
        let url = uri.as_ref().map_err(|reported| *reported)?;
        let url = match Url::parse(url) {
            Some(url) => url,
            None => return Err(self.url_fault(&at, url, InvalidEndpoint::Url)),
        };
        Ok(Endpoint {
            cluster: cluster.clone()?,
            url,
        })
    }

    /// The same for a server to which the filter sends secrets, or of which it accepts credentials. Without TLS it must be on
    /// the same machine.
    pub(super) fn private_endpoint(
        &mut self,
        at: &At<'_>,
        uri: &Typed<String>,
        cluster: &Typed<String>,
    ) -> Typed<Endpoint> {
        let endpoint = self.endpoint(at, uri, cluster)?;
        match endpoint.url.is_https || endpoint.url.is_loopback() {
            true => Ok(endpoint),
            false => Err(self.report(&at.member("uri"), InvalidEndpoint::WithoutTls)),
        }
    }

    /// How long to wait for a response.
    pub(super) fn timeout(
        &mut self,
        at: &At<'_>,
        typed: Typed<Option<Duration>>,
        default: Duration,
    ) -> Typed<Duration> {
        let timeout = typed.map(|typed| typed.unwrap_or(default));
        if timeout.is_ok_and(|timeout| !(SHORTEST..=LONGEST_TIMEOUT).contains(&timeout)) {
            return Err(self.report(&at.member("timeout"), InvalidEndpoint::Timeout));
        }
        timeout
    }
}
