//! Providers of tokens that the authorization server judges (RFC 7662).

use std::time::Duration;

use crate::authenticate::Offer;
use crate::authenticate::jose::claims::ClaimNames;
use crate::authenticate::jwt::Audiences;
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::introspection::Introspection;
use crate::config::fault::InvalidEndpoint;
use crate::config::read::{Optional, Typed};
use crate::credential::LocationId;
use crate::keys::Endpoint;
use crate::secret::Secret;

const TIMEOUT: Duration = Duration::from_secs(2);
/// The host counts milliseconds, and a timeout of zero disables the timeout.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(1);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

const CACHE: Duration = Duration::from_secs(30);
/// A token that is revoked is accepted for so long.
const LONGEST_CACHE: Duration = Duration::from_secs(3600);

/// What a provider of introspected tokens needs, checked.
#[expect(
    dead_code,
    reason = "a configuration with such a provider is rejected until tokens are introspected"
)]
pub(super) struct Introspected {
    pub name: String,
    pub locations: Vec<LocationId>,
    pub offers: Vec<Offer>,
    pub endpoint: Endpoint,
    pub client_id: String,
    /// Printable ASCII, not empty.
    pub client_secret: Secret,
    pub audiences: Audiences,
    /// How long to wait for a response.
    pub timeout: Duration,
    /// How long a response is used again.
    pub cache: Duration,
    pub accept_jwt: bool,
    pub names: ClaimNames,
}

impl Compiler<'_> {
    pub(super) fn introspection(
        &mut self,
        at: &At<'_>,
        name: Typed<&str>,
        document: &Introspection,
    ) -> Option<Introspected> {
        let endpoint = self.private_endpoint(at, &document.uri, &document.cluster);
        let client_id = self.client_id(&at.member("client_id"), &document.client_id);
        let client_secret =
            self.secret_to_send(&at.member("client_secret"), &document.client_secret);
        let audiences = match &document.audiences {
            Ok(None) => Ok(Audiences::Any),
            Ok(Some(audiences)) => self.audiences(&at.member("audiences"), audiences),
            Err(reported) => Err(*reported),
        };
        let timeout = document.timeout.map(|typed| typed.unwrap_or(TIMEOUT));
        if timeout.is_ok_and(|timeout| !(SHORTEST_TIMEOUT..=LONGEST_TIMEOUT).contains(&timeout)) {
            self.report(&at.member("timeout"), InvalidEndpoint::Timeout);
        }
        let cache = document.cache.map(|typed| typed.unwrap_or(CACHE));
        if cache.is_ok_and(|cache| cache > LONGEST_CACHE) {
            self.report(&at.member("cache"), InvalidEndpoint::Cache);
        }
        let locations = self.locations(&at.member("from"), &document.from);
        let names = self.claim_names(&at.member("claims"), document.claims.given());
        // One match of all parts: each `?` would add the code to drop the parts before it.
        let parts = (
            (name, locations, endpoint, client_id),
            (client_secret, audiences, timeout, cache, names),
        );
        let (
            (Ok(name), Ok(locations), Ok(endpoint), Ok(client_id)),
            (Ok(client_secret), Ok(audiences), Ok(timeout), Ok(cache), Ok(names)),
        ) = parts
        else {
            return None;
        };
        Some(Introspected {
            name: name.to_owned(),
            offers: self.offers(&locations),
            locations,
            endpoint,
            client_id,
            client_secret,
            audiences,
            timeout,
            cache,
            accept_jwt: document.accept_jwt.given() == Some(&true),
            names,
        })
    }

    /// A client identifier: visible ASCII characters, of those that RFC 6749 Appendix A.1 allows.
    fn client_id(&mut self, at: &At<'_>, typed: &Typed<String>) -> Typed<String> {
        let id = typed.as_ref().map_err(|reported| *reported)?;
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(self.report(at, InvalidEndpoint::ClientId));
        }
        Ok(id.clone())
    }
}
