//! Providers of tokens that the authorization server judges (RFC 7662).

use std::time::Duration;

use crate::authenticate::jwt::Audiences;
use crate::authenticate::{Method, Provider, ProviderId, introspection};
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::introspection::Introspection;
use crate::config::fault::InvalidEndpoint;
use crate::config::read::{Optional, Typed};
use crate::introspector::Server;
use crate::kinds;

const TIMEOUT: Duration = Duration::from_secs(2);

const CACHE: Duration = Duration::from_secs(30);
/// A token that is revoked is accepted for so long.
const LONGEST_CACHE: Duration = Duration::from_secs(3600);

impl Compiler<'_> {
    pub(super) fn introspection(
        &mut self,
        at: &At<'_>,
        provider: ProviderId,
        name: Typed<&str>,
        document: &Introspection,
    ) -> Option<Provider> {
        let kind = self
            .built(
                at,
                kinds::Introspection::BUILT,
                "introspection",
                "introspection",
            )
            .ok()?;
        let endpoint = self.private_endpoint(at, &document.uri, &document.cluster);
        let client_id = self.client_id(&at.member("client_id"), &document.client_id);
        let client_secret = document.client_secret.as_ref();
        let client_secret = client_secret.map_err(|reported| *reported);
        let client_secret = client_secret
            .and_then(|source| self.secret_to_send(&at.member("client_secret"), source));
        let audiences = match &document.audiences {
            Ok(None) => Ok(Audiences::Any),
            Ok(Some(audiences)) => self.audiences(&at.member("audiences"), audiences),
            Err(reported) => Err(*reported),
        };
        let timeout = self.timeout(at, document.timeout, TIMEOUT);
        let cache = document.cache.map(|typed| typed.unwrap_or(CACHE));
        if cache.is_ok_and(|cache| cache > LONGEST_CACHE) {
            self.report(&at.member("cache"), InvalidEndpoint::Cache);
        }
        let sender = self.sender(at, document.sender, &document.dpop);
        let locations = self.token_locations(&at.member("from"), &document.from, &sender);
        let names = self.claim_names(&at.member("claims"), document.claims.given());
        // One match of all parts: each `?` would add the code to drop the parts before it.
        let parts = (
            (name, locations, sender, endpoint, client_id),
            (client_secret, audiences, timeout, cache, names),
        );
        let (
            (Ok(name), Ok(locations), Ok(sender), Ok(endpoint), Ok(client_id)),
            (Ok(client_secret), Ok(audiences), Ok(timeout), Ok(cache), Ok(names)),
        ) = parts
        else {
            return None;
        };
        let authorization = Server::authorization(&client_id, &client_secret);
        self.servers.push(Server {
            provider,
            name: name.to_owned(),
            url: endpoint.url,
            cluster: endpoint.cluster,
            authorization,
            timeout,
            cache,
        });
        let introspection = introspection::Introspection {
            kind,
            audiences,
            accepts_jwt: document.accept_jwt.given() == Some(&true),
            names,
            offers: self.token_offers(provider, &locations, &sender),
            sender,
        };
        Some(Provider {
            name: name.to_owned(),
            locations,
            method: Method::Introspection(introspection),
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
