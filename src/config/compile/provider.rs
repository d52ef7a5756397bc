//! Providers: who issues tokens, for whom, where they stand, and where the keys are.

use std::time::Duration;

use serde_json::Value;

use super::Compiler;
use crate::authenticate::base64url;
use crate::authenticate::claims::{ClaimNames, ClaimPath};
use crate::authenticate::jwk::{Source, parse_set};
use crate::authenticate::jwt::{self, Audiences, Issuer, Keys, Kind, Revoked};
use crate::authenticate::keys::KeySet;
use crate::authenticate::signature::Algorithm;
use crate::authenticate::{KeySourceId, Method, Provider};
use crate::config::diagnostic::Fault;
use crate::config::document::{
    AudienceList, ClaimNames as ClaimNamesDocument, Discovery, From, Jwt,
    Provider as ProviderDocument, RemoteJwks, TokenType,
};
use crate::config::read::Span;
use crate::credential::{Carrier, Grammar, Location, LocationId};
use crate::grammar::is_token;
use crate::keys::{self, Address, Content, Endpoint};
use crate::presentation::Protects;
use crate::scheme::Scheme;
use crate::url::Url;

const CLOCK_SKEW: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(2);
const REFRESH: Duration = Duration::from_secs(600);
/// Nobody waits longer than this for a provider.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

impl Compiler<'_> {
    pub(super) fn provider(
        &mut self,
        number: usize,
        document: &ProviderDocument,
    ) -> Option<Provider> {
        let path = format!("providers[{number}]");
        let Some(jwt) = &document.jwt else {
            if !self.faults.any_within(&path) {
                self.faults.report(path, Fault::Missing("a method: `jwt`"));
            }
            return None;
        };
        let path = format!("{path}.jwt");
        let issuer = self.issuer(&path, &jwt.issuer);
        let locations = self.locations(&path, jwt.from.as_deref());
        let keys = self.keys(&path, &document.name, jwt, &issuer);
        let mut verifier = self.jwt(&path, jwt, issuer);
        verifier.keys.push(keys?);
        Some(Provider {
            name: document.name.clone(),
            locations,
            method: Method::Jwt(verifier),
        })
    }

    fn jwt(&mut self, path: &str, jwt: &Jwt, issuer: Issuer) -> jwt::Jwt {
        let require = jwt
            .require
            .clone()
            .unwrap_or_else(|| vec!["exp".to_owned()]);
        if !require.iter().any(|claim| claim == "exp") {
            self.warn(
                format!("{path}.require"),
                "without `exp`, tokens that never expire are accepted",
            );
        }
        let revoked = jwt.revoked.as_ref();
        let names = |list: Option<&Vec<String>>| list.into_iter().flatten().cloned().collect();
        jwt::Jwt {
            keys: Vec::with_capacity(1),
            issuer,
            audiences: self.audiences(path, &jwt.audiences),
            kind: match jwt.token_type {
                None | Some(TokenType::Any) => Kind::Any,
                Some(TokenType::AccessToken) => Kind::AccessToken,
                Some(TokenType::Jwt) => Kind::Jwt,
            },
            require,
            clock_skew: jwt.clock_skew.map_or(CLOCK_SKEW, |span| span.0),
            max_lifetime: jwt.max_lifetime.map(|span| span.0),
            revoked: Revoked {
                jti: names(revoked.and_then(|revoked| revoked.jti.as_ref())),
                subjects: names(revoked.and_then(|revoked| revoked.subjects.as_ref())),
            },
            names: self.claim_names(path, jwt.claims.as_ref()),
        }
    }

    fn issuer(&mut self, path: &str, text: &str) -> Issuer {
        let path = format!("{path}.issuer");
        if text.is_empty() {
            self.invalid(path, "an issuer is not empty");
            return Issuer::Exact(String::new());
        }
        let Some((before, rest)) = text.split_once('{') else {
            return Issuer::Exact(text.to_owned());
        };
        match rest.split_once('}') {
            Some((claim, after)) if !claim.is_empty() && !after.contains(['{', '}']) => {
                // Whoever may choose the first segment may choose the host.
                let host_is_fixed = before
                    .split_once("://")
                    .is_none_or(|(_, rest)| rest.contains('/'));
                if !host_is_fixed {
                    self.invalid(path, "the claim may not stand for the host of the issuer");
                }
                Issuer::PerClaim {
                    before: before.to_owned(),
                    claim: claim.to_owned(),
                    after: after.to_owned(),
                }
            }
            _ => {
                self.invalid(path, "an issuer may hold one `{claim}`");
                Issuer::Exact(text.to_owned())
            }
        }
    }

    fn audiences(&mut self, path: &str, audiences: &AudienceList) -> Audiences {
        let path = format!("{path}.audiences");
        match audiences {
            AudienceList::Any => {
                self.warn(
                    path,
                    "`any` accepts tokens that were issued for other services",
                );
                Audiences::Any
            }
            // An item of the wrong kind was read as an empty one.
            AudienceList::OneOf(names) if self.faults.any_within(&path) => {
                Audiences::OneOf(names.clone())
            }
            AudienceList::OneOf(names) => {
                if names.is_empty() || names.iter().any(String::is_empty) {
                    self.invalid(path, "there is at least one audience, and none is empty");
                } else if names.iter().any(|name| name == "any") {
                    self.invalid(path, "`any` stands alone: it switches the check off");
                }
                Audiences::OneOf(names.clone())
            }
        }
    }

    fn keys(&mut self, path: &str, provider: &str, jwt: &Jwt, issuer: &Issuer) -> Option<Keys> {
        let algorithms = self.algorithms(path, jwt.algorithms.as_deref());
        let algorithms_are_known = !self.faults.any_within(&format!("{path}.algorithms"));
        let path = format!("{path}.jwks");
        let jwks = &jwt.jwks;
        let address = match (&jwks.inline, &jwks.remote, &jwks.discovery) {
            (Some(inline), None, None) => {
                let path = format!("{path}.inline");
                let keys = self.inline_keys(&path, inline, algorithms.as_deref())?;
                if keys.is_empty() && algorithms_are_known {
                    self.no_key_serves(path, inline);
                }
                return Some(Keys::Inline(keys));
            }
            (None, Some(remote), None) => self.remote(&format!("{path}.remote"), remote),
            (None, None, Some(discovery)) => {
                self.discovery(&format!("{path}.discovery"), discovery, issuer)
            }
            _ => {
                if !self.faults.any_within(&path) {
                    let what = "the keys come from one of `inline`, `remote` and `discovery`";
                    self.invalid(path, what);
                }
                return None;
            }
        };
        let serves_public_keys = algorithms
            .as_ref()
            .is_none_or(|listed| listed.iter().any(|algorithm| !algorithm.is_symmetric()));
        if !serves_public_keys {
            self.invalid(
                path.clone(),
                "a shared secret is never fetched; it stands `inline`",
            );
        }
        let (timeout, refresh) = match (&jwks.remote, &jwks.discovery) {
            (Some(remote), _) => (remote.timeout, remote.refresh),
            (None, discovery) => (
                discovery.as_ref().and_then(|discovery| discovery.timeout),
                discovery.as_ref().and_then(|discovery| discovery.refresh),
            ),
        };
        let source = keys::Source {
            provider: provider.to_owned(),
            timeout: self.span(&path, "timeout", timeout, TIMEOUT),
            refresh: self.span(&path, "refresh", refresh, REFRESH),
            address: address?,
            content: Content::Keys { algorithms },
        };
        self.sources.push(source);
        Some(Keys::Remote(KeySourceId(self.sources.len() - 1)))
    }

    fn span(&mut self, path: &str, key: &str, typed: Option<Span>, default: Duration) -> Duration {
        let span = typed.map_or(default, |span| span.0);
        // The host counts milliseconds, and takes a timeout of none for no timeout at all.
        if span < Duration::from_millis(1) || key == "timeout" && span > LONGEST_TIMEOUT {
            let what = format!("`{key}` is more than nothing, and a timeout at most a minute");
            self.invalid(path, what);
        }
        span
    }

    fn inline_keys(
        &mut self,
        path: &str,
        inline: &Value,
        algorithms: Option<&[Algorithm]>,
    ) -> Option<KeySet> {
        let set = match parse_set(inline, Source::Inline) {
            Ok(set) => set,
            Err(fault) => {
                self.invalid(path, fault.to_string());
                return None;
            }
        };
        for refused in &set.refused {
            let place = format!("{path}.keys[{}]", refused.index);
            self.warn(place, &format!("this key is not used: {}", refused.fault));
        }
        self.secrets_in_place(path, inline);
        Some(KeySet::new(set.keys, algorithms))
    }

    fn no_key_serves(&mut self, path: String, inline: &Value) {
        let refused = parse_set(inline, Source::Inline).map(|set| set.refused);
        let reasons: Vec<_> = refused
            .iter()
            .flatten()
            .map(|refused| format!("keys[{}]: {}", refused.index, refused.fault))
            .collect();
        let reasons = if reasons.is_empty() {
            String::new()
        } else {
            format!(" ({})", reasons.join("; "))
        };
        let what = "no key can verify a token with the algorithms that are accepted";
        self.invalid(path, format!("{what}{reasons}"));
    }

    /// What stands in the configuration can be read by whoever can read the configuration; and what a person made
    /// up can be guessed (RFC 8725 §3.5).
    fn secrets_in_place(&mut self, path: &str, set: &Value) {
        let keys = set.get("keys").and_then(Value::as_array);
        for (index, key) in keys.into_iter().flatten().enumerate() {
            if key.get("kty").is_none_or(|kty| kty != "oct") {
                continue;
            }
            let path = format!("{path}.keys[{index}]");
            self.warn(
                path.clone(),
                "a secret in place shows in Envoy's `/config_dump`",
            );
            let secret = key.get("k").and_then(Value::as_str);
            let secret = secret.and_then(|text| base64url::decode(text.as_bytes()));
            if secret.is_some_and(|secret| has_few_different_bytes(&secret)) {
                self.warn(
                    path,
                    "this secret is not random: it has few different bytes",
                );
            }
        }
    }

    fn remote(&mut self, path: &str, remote: &RemoteJwks) -> Option<Address> {
        let endpoint = self.endpoint(path, &remote.uri, &remote.cluster)?;
        Some(Address::Direct(endpoint))
    }

    fn discovery(&mut self, path: &str, discovery: &Discovery, issuer: &Issuer) -> Option<Address> {
        if discovery.jwks_cluster.as_deref() == Some("") {
            self.invalid(
                format!("{path}.jwks_cluster"),
                "a cluster's name is not empty",
            );
        }
        Some(Address::Discovery {
            metadata: self.endpoint(path, &discovery.uri, &discovery.cluster)?,
            issuer: issuer.clone(),
            jwks_cluster: discovery.jwks_cluster.clone(),
        })
    }

    fn endpoint(&mut self, path: &str, uri: &str, cluster: &str) -> Option<Endpoint> {
        if cluster.is_empty() {
            self.invalid(format!("{path}.cluster"), "a cluster's name is not empty");
        }
        let Some(url) = Url::parse(uri) else {
            self.invalid(
                format!("{path}.uri"),
                "an absolute `https` or `http` URL is expected",
            );
            return None;
        };
        if !url.is_https {
            self.warn(
                format!("{path}.uri"),
                "keys that come without TLS are the keys of whoever is on the way",
            );
        }
        Some(Endpoint {
            cluster: cluster.to_owned(),
            url,
        })
    }

    /// The locations of a provider; equal ones of several providers have one identifier.
    fn locations(&mut self, path: &str, from: Option<&[From]>) -> Vec<LocationId> {
        let path = format!("{path}.from");
        if from.is_some_and(<[From]>::is_empty) {
            self.invalid(path.clone(), "there is at least one place");
        }
        let field = match self.protects {
            Protects::Origin => "authorization",
            Protects::Proxy => "proxy-authorization",
        };
        let bearer = || Carrier::Scheme {
            field: field.to_owned(),
            scheme: "bearer".to_owned(),
        };
        let carriers = match from {
            None => vec![bearer()],
            Some(from) => from
                .iter()
                .enumerate()
                .filter_map(|(index, entry)| self.carrier(format!("{path}[{index}]"), entry))
                .collect(),
        };
        let mut ids: Vec<LocationId> = Vec::new();
        for carrier in carriers {
            let served = Location {
                carrier,
                grammar: Grammar::Token,
                scheme: Scheme::Bearer,
            };
            let known = self.locations.iter().position(|known| *known == served);
            let id = LocationId(known.unwrap_or(self.locations.len()));
            if known.is_none() {
                self.locations.push(served);
            }
            if ids.contains(&id) {
                self.invalid(path.clone(), "a place stands here twice");
            }
            ids.push(id);
        }
        ids
    }

    fn carrier(&mut self, path: String, from: &From) -> Option<Carrier> {
        let carrier = match (&from.header, &from.cookie, &from.query) {
            (Some(header), None, None) => {
                let field = header.to_ascii_lowercase();
                match from
                    .scheme
                    .as_ref()
                    .map(|scheme| scheme.to_ascii_lowercase())
                {
                    Some(scheme) if is_token(&scheme) => Carrier::Scheme { field, scheme },
                    Some(_) => return self.no_carrier(path, "a scheme is a token: `Bearer`"),
                    None if field == "authorization" || field == "proxy-authorization" => {
                        let what = "this field holds a token after a scheme: add `scheme: Bearer`";
                        return self.no_carrier(path, what);
                    }
                    None => Carrier::Field(field),
                }
            }
            (None, Some(cookie), None) => Carrier::Cookie(cookie.clone()),
            (None, None, Some(query)) => Carrier::Query(query.clone()),
            _ => return self.no_carrier(path, "a place is one of `header`, `cookie` and `query`"),
        };
        let is_named = match &carrier {
            Carrier::Scheme { field, .. } | Carrier::Field(field) => {
                is_token(field) && field != "cookie"
            }
            Carrier::Cookie(name) => is_token(name),
            Carrier::Query(name) => !name.is_empty(),
        };
        let has_stray_scheme = from.scheme.is_some() && from.header.is_none();
        if !is_named {
            return self.no_carrier(path, "this names no header field, cookie or parameter");
        }
        if has_stray_scheme {
            return self.no_carrier(path, "only a header field has a scheme");
        }
        Some(carrier)
    }

    fn no_carrier(&mut self, path: String, what: &str) -> Option<Carrier> {
        self.invalid(path, what);
        None
    }

    fn algorithms(&mut self, path: &str, names: Option<&[String]>) -> Option<Vec<Algorithm>> {
        let names = names?;
        let path = format!("{path}.algorithms");
        if names.is_empty() {
            self.invalid(path.clone(), "there is at least one algorithm");
        }
        let known = || Algorithm::ALL.iter().map(|algorithm| algorithm.name());
        let mut algorithms = Vec::new();
        for (place, name) in names.iter().enumerate() {
            match Algorithm::from_name(name) {
                Some(algorithm) => algorithms.push(algorithm),
                None => self.unknown_name(format!("{path}[{place}]"), "algorithm", name, known()),
            }
        }
        Some(algorithms)
    }

    fn claim_names(&mut self, path: &str, document: Option<&ClaimNamesDocument>) -> ClaimNames {
        let mut names = ClaimNames::default();
        let Some(document) = document else {
            return names;
        };
        if let Some(subject) = &document.subject {
            names.subject = ClaimPath::new(subject);
        }
        for (own, typed) in [
            (&mut names.scopes, &document.scopes),
            (&mut names.roles, &document.roles),
            (&mut names.groups, &document.groups),
        ] {
            if let Some(typed) = typed {
                *own = typed.iter().map(ClaimPath::new).collect();
            }
        }
        let typed = [&document.scopes, &document.roles, &document.groups];
        let mut texts = typed
            .into_iter()
            .flatten()
            .flatten()
            .chain(&document.subject);
        let path = format!("{path}.claims");
        if texts.any(String::is_empty) && !self.faults.any_within(&path) {
            self.invalid(path, "a claim's name is not empty");
        }
        names
    }
}

/// 32 random bytes have some thirty different ones, hardly ever fewer than twenty; words have a dozen.
fn has_few_different_bytes(secret: &[u8]) -> bool {
    let different = (0..=u8::MAX).filter(|byte| secret.contains(byte));
    different.count() < 20
}
