//! Where the keys of an issuer come from.

use std::time::Duration;

use serde_json::Value;

use crate::authenticate::KeySourceId;
use crate::authenticate::jose::base64url;
use crate::authenticate::jose::jwk::{JwkFault, Source, parse_set};
use crate::authenticate::jose::keys::KeySet;
use crate::authenticate::jose::signature::Algorithm;
use crate::authenticate::jwt::{Issuer, Keys};
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::jwt::{Discovery, Jwt, RemoteJwks};
use crate::config::fault::{Fault, InvalidJwt, Warning};
use crate::config::read::{List, Optional, Typed};
use crate::keys::{self, Address, Content, Endpoint};
use crate::url::Url;

const TIMEOUT: Duration = Duration::from_secs(2);
const REFRESH: Duration = Duration::from_secs(600);
/// The host counts milliseconds, and a timeout of zero disables the timeout.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

const CLUSTER: &str = "the name of a cluster";

/// Keys that are fetched, as the user configured them.
struct Fetched {
    address: Typed<Address>,
    timeout: Typed<Option<Duration>>,
    refresh: Typed<Option<Duration>>,
}

impl Compiler<'_> {
    pub(super) fn keys(
        &mut self,
        at: &At<'_>,
        provider: Typed<&str>,
        document: &Jwt,
        issuer: &Typed<Issuer>,
    ) -> Option<Keys> {
        let algorithms = self.algorithms(&at.member("algorithms"), &document.algorithms);
        let at = at.member("jwks");
        let jwks = document.jwks.as_ref().ok()?;
        let sources = (
            jwks.inline.given(),
            jwks.remote.given(),
            jwks.discovery.given(),
        );
        let fetched = match sources {
            (Some(inline), None, None) => {
                let keys = self.inline_keys(&at.member("inline"), inline, algorithms);
                return keys.ok().map(Keys::Inline);
            }
            (None, Some(remote), None) => self.remote(&at.member("remote"), remote),
            (None, None, Some(discovery)) => {
                self.discovery(&at.member("discovery"), discovery, issuer)
            }
            _ => {
                if jwks.whole.is_ok() {
                    self.report(&at, InvalidJwt::KeySource);
                }
                return None;
            }
        };
        let source = self.remote_keys(&at, provider, fetched, algorithms)?;
        self.sources.push(source);
        Some(Keys::Remote(KeySourceId(self.sources.len() - 1)))
    }

    fn algorithms(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<String>>>,
    ) -> Typed<Option<Vec<Algorithm>>> {
        if typed.is_absent() {
            return Ok(None);
        }
        let algorithms = self.at_least_one(at, "algorithm", typed, |this, at, name| {
            this.literal(at, name)?;
            let known = || Algorithm::ALL.iter().map(|algorithm| algorithm.name());
            Algorithm::from_name(name)
                .ok_or_else(|| this.unknown_name(at, "algorithm", name, known()))
        });
        algorithms.whole().map(Some)
    }

    fn remote_keys(
        &mut self,
        at: &At<'_>,
        provider: Typed<&str>,
        fetched: Fetched,
        algorithms: Typed<Option<Vec<Algorithm>>>,
    ) -> Option<keys::Source> {
        let listed = algorithms.as_ref().ok().and_then(Option::as_ref);
        if listed.is_some_and(|listed| listed.iter().all(|algorithm| algorithm.is_symmetric())) {
            self.report(at, InvalidJwt::FetchedSecret);
        }
        let timeout = fetched.timeout.map(|typed| typed.unwrap_or(TIMEOUT));
        if timeout.is_ok_and(|timeout| !(SHORTEST..=LONGEST_TIMEOUT).contains(&timeout)) {
            self.report(at, InvalidJwt::Timeout);
        }
        let refresh = fetched.refresh.map(|typed| typed.unwrap_or(REFRESH));
        if refresh.is_ok_and(|refresh| refresh < SHORTEST) {
            self.report(at, InvalidJwt::Refresh);
        }
        let parts = (provider, timeout, refresh, fetched.address, algorithms);
        let (Ok(provider), Ok(timeout), Ok(refresh), Ok(address), Ok(algorithms)) = parts else {
            return None;
        };
        Some(keys::Source {
            provider: provider.to_owned(),
            timeout,
            refresh,
            address,
            content: Content::Keys { algorithms },
        })
    }

    fn inline_keys(
        &mut self,
        at: &At<'_>,
        inline: &Value,
        algorithms: Typed<Option<Vec<Algorithm>>>,
    ) -> Typed<KeySet> {
        let set = parse_set(inline, Source::Inline)
            .map_err(|fault| self.report(at, InvalidJwt::KeySet(fault)))?;
        let keys_at = at.member("keys");
        for refused in &set.refused {
            let warning = match &refused.fault {
                JwkFault::Private => Warning::InlineKey(InvalidJwt::PrivateKey),
                fault => Warning::UnusedKey(fault.clone()),
            };
            self.warn(&keys_at.item(refused.index), warning);
        }
        self.warn_of_inline_secrets(&keys_at, inline);
        let algorithms = algorithms?;
        let keys = KeySet::new(set.keys, algorithms.as_deref());
        let unlisted = unlisted_secret(inline, algorithms.as_deref());
        if let Some(index) = unlisted {
            let warning = Warning::InlineKey(InvalidJwt::UnlistedSecret);
            self.warn(&keys_at.item(index), warning);
        }
        if keys.is_empty() {
            let mut refused = set.refused.iter();
            let private = refused.find(|refused| refused.fault == JwkFault::Private);
            let (at, fault) = match (private, unlisted) {
                (Some(private), _) => (&keys_at.item(private.index), InvalidJwt::PrivateKey),
                (None, Some(index)) if set.refused.is_empty() => {
                    (&keys_at.item(index), InvalidJwt::UnlistedSecret)
                }
                (None, _) => (at, InvalidJwt::NoKey(set.refused)),
            };
            return Err(self.report(at, fault));
        }
        Ok(keys)
    }

    /// An inline secret can be read by everyone who can read the configuration, and a secret that a person chose can be
    /// guessed (RFC 8725 §3.5).
    fn warn_of_inline_secrets(&mut self, at: &At<'_>, set: &Value) {
        let keys = set.get("keys").and_then(Value::as_array);
        for (index, key) in keys.into_iter().flatten().enumerate() {
            if key.get("kty").is_none_or(|kty| kty != "oct") {
                continue;
            }
            let at = at.item(index);
            self.warn(&at, Warning::InlineSecret);
            let secret = key.get("k").and_then(Value::as_str);
            let secret = secret.and_then(|text| base64url::decode(text.as_bytes()));
            if secret.is_some_and(|secret| has_few_different_bytes(&secret)) {
                self.warn(&at, Warning::WeakSecret);
            }
        }
    }

    fn remote(&mut self, at: &At<'_>, document: &RemoteJwks) -> Fetched {
        let endpoint = self.endpoint(at, &document.uri, &document.cluster);
        Fetched {
            address: endpoint.map(Address::Direct),
            timeout: document.timeout,
            refresh: document.refresh,
        }
    }

    fn discovery(&mut self, at: &At<'_>, document: &Discovery, issuer: &Typed<Issuer>) -> Fetched {
        if document.jwks_cluster.given().is_some_and(String::is_empty) {
            self.report(&at.member("jwks_cluster"), Fault::EmptyString(CLUSTER));
        }
        let metadata = self.endpoint(at, &document.uri, &document.cluster);
        let address = metadata.and_then(|metadata| {
            Ok(Address::Discovery {
                metadata,
                issuer: issuer.clone()?,
                jwks_cluster: document.jwks_cluster.clone()?,
            })
        });
        Fetched {
            address,
            timeout: document.timeout,
            refresh: document.refresh,
        }
    }

    fn endpoint(
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
            None => return Err(self.url_fault(&at, url, InvalidJwt::KeyUrl)),
        };
        if !url.is_https {
            self.warn(&at, Warning::KeysWithoutTls);
        }
        Ok(Endpoint {
            cluster: cluster.clone()?,
            url,
        })
    }
}

/// The index of the first shared secret, if no algorithm that could use it is listed.
fn unlisted_secret(set: &Value, listed: Option<&[Algorithm]>) -> Option<usize> {
    let mut listed = listed.unwrap_or_default().iter();
    if listed.any(|algorithm| algorithm.is_symmetric()) {
        return None;
    }
    let mut keys = set.get("keys").and_then(Value::as_array)?.iter();
    keys.position(|key| key.get("kty").is_some_and(|kty| kty == "oct"))
}

/// 32 random bytes have about thirty different values, almost never fewer than twenty. Words have about twelve.
fn has_few_different_bytes(secret: &[u8]) -> bool {
    let different = (0..=u8::MAX).filter(|byte| secret.contains(byte));
    different.count() < 20
}
