//! Servers to which the filter sends secrets: a client secret, or a user's token.

use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::fault::{Fault, InvalidEndpoint};
use crate::config::read::Typed;
use crate::keys::Endpoint;
use crate::url::Url;

impl Compiler<'_> {
    /// The endpoint that `uri` and `cluster` of an object name. Without TLS it must be on the same machine.
    pub(super) fn private_endpoint(
        &mut self,
        at: &At<'_>,
        uri: &Typed<String>,
        cluster: &Typed<String>,
    ) -> Typed<Endpoint> {
        if cluster.as_ref().is_ok_and(String::is_empty) {
            let fault = Fault::EmptyString("the name of a cluster");
            self.report(&at.member("cluster"), fault);
        }
        let text = uri.as_deref().map_err(|reported| *reported)?;
        match Url::parse(text) {
            Some(url) if url.is_https || url.is_loopback() => Ok(Endpoint {
                cluster: cluster.clone()?,
                url,
            }),
            _ => Err(self.url_fault(&at.member("uri"), text, InvalidEndpoint::Url)),
        }
    }
}
