//! Where the keys of an issuer come from.

use std::time::Duration;

use serde_json::Value;

use crate::authenticate::jose::jwk::{Jwk, JwkFault, JwkSet, Source, decode_leniently, parse_set};
use crate::authenticate::jose::keys::{KeySet, most_tried};
use crate::authenticate::jose::signature::{Algorithm, AlgorithmSet};
use crate::authenticate::jwt::{Issuer, Keys};
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::compile::providers::endpoint::{CLUSTER, SHORTEST};
use crate::config::document::providers::jwt::{Discovery, Jwks, JwksList, Jwt, RemoteJwks};
use crate::config::fault::{Fault, InvalidJwt, Warning};
use crate::config::read::{Items, List, Optional, Typed};
use crate::keys::{self, Address, Content, Endpoint, Headers, Schedule};

const TIMEOUT: Duration = Duration::from_secs(2);
const REFRESH: Duration = Duration::from_secs(600);

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
        algorithms: &Typed<Option<Vec<Algorithm>>>,
    ) -> Option<Vec<Keys>> {
        let at = at.member("jwks");
        let first = self.sources.len();
        let JwksList { sources, is_list } = document.jwks.as_ref().ok()?;
        if sources.is_empty() {
            self.report(&at, Fault::Empty("source of keys"));
        }
        let mut keys = Vec::new();
        for (index, jwks) in sources.items() {
            let item = at.item(index);
            let at = if *is_list { &item } else { &at };
            keys.extend(self.keys_of(at, provider, jwks, algorithms, issuer, first));
        }
        // A fault in one of them was reported.
        if keys.len() < sources.len() {
            return None;
        }
        self.warn_of_untried_keys(&at, &keys);
        Some(keys)
    }

    /// The keys of one source. The sources of this provider begin with `first`.
    fn keys_of(
        &mut self,
        at: &At<'_>,
        provider: Typed<&str>,
        jwks: &Jwks,
        algorithms: &Typed<Option<Vec<Algorithm>>>,
        issuer: &Typed<Issuer>,
        first: usize,
    ) -> Typed<Keys> {
        let sources = (
            jwks.inline.given(),
            jwks.remote.given(),
            jwks.discovery.given(),
        );
        let source = match sources {
            (Some(inline), None, None) => {
                let keys = self.inline_keys(&at.member("inline"), inline, algorithms, issuer);
                return keys.map(Keys::Inline);
            }
            (None, Some(remote), None) => {
                let at = at.member("remote");
                let fetched = self.remote(&at, remote);
                self.remote_keys(&at, provider, fetched, algorithms)
            }
            (None, None, Some(discovery)) => {
                let at = at.member("discovery");
                let fetched = self.discovery(&at, discovery, issuer);
                self.remote_keys(&at, provider, fetched, algorithms)
            }
            _ => {
                jwks.whole?;
                Err(self.report(at, InvalidJwt::KeySource))
            }
        }?;
        let own = self.sources.iter().skip(first);
        if own
            .map(|own| &own.address)
            .any(|own| *own == source.address)
        {
            return Err(self.report(at, Fault::DuplicateEntry));
        }
        Ok(Keys::Remote(self.add_source(source)))
    }

    /// Warns of inline keys of which a token does not say which one signed it, if they are more than are tried.
    fn warn_of_untried_keys(&mut self, at: &At<'_>, keys: &[Keys]) {
        let mut algorithms = AlgorithmSet::EMPTY;
        for algorithm in Algorithm::ALL {
            let mut kids: Vec<Option<&str>> = Vec::new();
            for keys in keys {
                if let Keys::Inline(set) = keys {
                    kids.extend(set.serving(algorithm).map(Jwk::kid));
                }
            }
            let most = most_tried(self.by_host.contains(algorithm));
            let is_untried = |kid| kids.iter().filter(|other| *other == kid).count() > most;
            if kids.iter().any(is_untried) {
                algorithms = algorithms.with(algorithm);
            }
        }
        if algorithms != AlgorithmSet::EMPTY {
            self.warn(at, Warning::UntriedKeys(algorithms));
        }
    }

    pub(super) fn algorithms(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<String>>>,
    ) -> Typed<Option<Vec<Algorithm>>> {
        if typed.is_absent() {
            return Ok(None);
        }
        let algorithms = self.at_least_one(at, "algorithm", typed, |this, at, name| {
            this.diagnostics.literal(at, name)?;
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
        algorithms: &Typed<Option<Vec<Algorithm>>>,
    ) -> Typed<keys::Source> {
        let listed = algorithms.as_ref().ok().and_then(Option::as_ref);
        if listed.is_some_and(|listed| listed.iter().all(|algorithm| algorithm.is_symmetric())) {
            self.report(at, InvalidJwt::FetchedSecret);
        }
        let timeout = self.timeout(at, fetched.timeout, TIMEOUT);
        let refresh = fetched.refresh.map(|typed| typed.unwrap_or(REFRESH));
        if refresh.is_ok_and(|refresh| refresh < SHORTEST) {
            self.report(&at.member("refresh"), InvalidJwt::Refresh);
        }
        Ok(keys::Source {
            provider: provider?.to_owned(),
            timeout: timeout?,
            schedule: Schedule::Keys { refresh: refresh? },
            address: fetched.address?,
            headers: Headers::default(),
            content: Content::Keys {
                algorithms: algorithms.clone()?,
            },
        })
    }

    fn inline_keys(
        &mut self,
        at: &At<'_>,
        inline: &Value,
        algorithms: &Typed<Option<Vec<Algorithm>>>,
        issuer: &Typed<Issuer>,
    ) -> Typed<KeySet> {
        let set = parse_set(inline, Source::Inline)
            .map_err(|fault| self.report(at, InvalidJwt::KeySet(fault)))?;
        let keys_at = at.member("keys");
        self.check_keys(&keys_at, &set)?;
        if let Ok(issuer) = issuer
            && !set.keys.is_empty()
            && !set.keys.iter().any(|key| issuer.can_use(key))
        {
            self.warn(&keys_at, Warning::KeysOfOtherIssuers);
        }
        self.warn_of_inline_secrets(&keys_at, inline);
        let algorithms = algorithms.as_ref().map_err(|reported| *reported)?;
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

    /// Warns of keys that are not used, and of members that are read leniently. An `issuer` that cannot be read is an
    /// error, because it restricts the key.
    fn check_keys(&mut self, at: &At<'_>, set: &JwkSet) -> Typed<()> {
        let mut result = Ok(());
        for refused in &set.refused {
            let at = at.item(refused.index);
            let warning = match &refused.fault {
                JwkFault::Issuer => {
                    result = Err(self.report(&at, InvalidJwt::KeyIssuer(JwkFault::Issuer)));
                    continue;
                }
                JwkFault::Private => Warning::InlineKey(InvalidJwt::PrivateKey),
                fault => Warning::UnusedKey(fault.clone()),
            };
            self.warn(&at, warning);
        }
        for entry in &set.lenient {
            let warning = Warning::LenientKey(entry.lenience);
            self.warn(&at.item(entry.index), warning);
        }
        result
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
            let secret = secret.and_then(decode_leniently);
            if secret.is_some_and(|secret| has_few_different_bytes(&secret)) {
                self.warn(&at, Warning::WeakSecret);
            }
        }
    }

    fn remote(&mut self, at: &At<'_>, document: &RemoteJwks) -> Fetched {
        let endpoint = self.key_endpoint(at, &document.uri, &document.cluster);
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
        let metadata = self.key_endpoint(at, &document.uri, &document.cluster);
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

    /// The URL and the cluster of keys.
    fn key_endpoint(
        &mut self,
        at: &At<'_>,
        uri: &Typed<String>,
        cluster: &Typed<String>,
    ) -> Typed<Endpoint> {
        let endpoint = self.endpoint(at, uri, cluster)?;
        if !endpoint.url.is_https {
            self.warn(&at.member("uri"), Warning::KeysWithoutTls);
        }
        Ok(endpoint)
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
