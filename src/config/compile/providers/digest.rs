//! Providers of Digest credentials.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::locations::scheme_in;
use crate::authenticate::digest::{self, DigestAlgorithm, DigestUser, DigestUsers};
use crate::authenticate::listed::{EntryFault, Grants, is_name};
use crate::authenticate::{Method, Offer, Provider, ProviderId};
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::digest::{Digest, User};
use crate::config::document::secret::SecretSource;
use crate::config::fault::{Fault, InvalidDigest, Warning, unknown_algorithm};
use crate::config::read::{Items, List, Optional, Typed};
use crate::credential::Grammar;
use crate::kinds;
use crate::nonce::NonceKey;

/// The scheme of RFC 7616.
const SCHEME: &str = "Digest";

const NONCE_TTL: Duration = Duration::from_secs(300);

/// A client repeats a request for each nonce that expires. What was used is kept for as long.
const NONCE_TTLS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);

/// The fewest bytes of the secret of nonces.
const SECRET_MIN: usize = 16;

impl Compiler<'_> {
    pub(super) fn digest(
        &mut self,
        at: &At<'_>,
        id: ProviderId,
        name: Typed<&str>,
        document: &Digest,
    ) -> Option<Provider> {
        let kind = self
            .built(at, kinds::Digest::BUILT, "digest", "digest")
            .ok()?;
        let carrier = scheme_in(self.own_header(), SCHEME);
        let locations = self.locations(at, &Ok(None), Grammar::Digest(kind), carrier);
        let algorithms = self.digest_algorithms(&at.member("algorithms"), &document.algorithms);
        let lifetime = document.nonce_ttl.map(|typed| typed.unwrap_or(NONCE_TTL));
        if lifetime.is_ok_and(|lifetime| !NONCE_TTLS.contains(&lifetime)) {
            self.report(&at.member("nonce_ttl"), InvalidDigest::NonceTtl);
        }
        let nonce_key = self.nonce_key(&at.member("secret"), &document.secret);
        let users = self.digest_users(&at.member("users"), &algorithms, &document.users);
        let parts = (name, locations, algorithms, lifetime, nonce_key, users);
        let (Ok(name), Ok(locations), Ok(algorithms), Ok(lifetime), Ok(nonce_key), Ok(users)) =
            parts
        else {
            return None;
        };
        let scheme = self.plain_scheme(at, SCHEME, &locations).ok()?;
        let realm = self.realm.clone();
        let opaque = digest::opaque(&realm, name);
        let offer = |algorithm: &DigestAlgorithm| Offer::Digest {
            scheme,
            algorithm: *algorithm,
            opaque: opaque.clone(),
            nonce_of: id,
        };
        Some(Provider {
            name: name.to_owned(),
            locations,
            method: Method::Digest(digest::Digest {
                kind,
                offers: algorithms.iter().map(offer).collect(),
                name: name.to_owned(),
                realm,
                opaque,
                algorithms,
                users,
                nonce_lifetime: lifetime,
                nonce_key,
            }),
        })
    }

    /// The algorithms, the strongest first (RFC 7616 §3.7).
    fn digest_algorithms(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<String>>>,
    ) -> Typed<Vec<DigestAlgorithm>> {
        if typed.is_absent() {
            return Ok(vec![DigestAlgorithm::Sha256]);
        }
        let named = self.at_least_one(at, "algorithm", typed, |this, at, name| {
            let known = DigestAlgorithm::from_name(name.as_bytes());
            known.ok_or_else(|| this.report(at, unknown_algorithm(name)))
        });
        let named = named.whole()?;
        let mut algorithms = DigestAlgorithm::ALL.to_vec();
        algorithms.retain(|algorithm| named.contains(algorithm));
        if algorithms.contains(&DigestAlgorithm::Md5) {
            self.warn(at, Warning::Md5);
        }
        Ok(algorithms)
    }

    /// The key of nonces. Without a secret, the workers share a random one.
    fn nonce_key(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<SecretSource>>,
    ) -> Typed<Option<NonceKey>> {
        let Some(source) = typed.as_ref().map_err(|reported| *reported)? else {
            return Ok(None);
        };
        let secret = self.secret(at, source)?;
        if secret.expose().len() < SECRET_MIN {
            return Err(self.report(at, InvalidDigest::ShortSecret));
        }
        Ok(Some(NonceKey::of_secret(secret.expose().as_bytes())))
    }

    fn digest_users(
        &mut self,
        at: &At<'_>,
        algorithms: &Typed<Vec<DigestAlgorithm>>,
        typed: &Typed<List<User>>,
    ) -> Typed<DigestUsers> {
        let users = typed.as_ref().map_err(|reported| *reported)?;
        if users.is_empty() {
            return Err(self.report(at, Fault::Empty("user")));
        }
        let compiled = users.each(at, |at, user| self.digest_user(at, algorithms, user));
        let compiled = compiled.whole()?;
        DigestUsers::new(compiled, |index, first| {
            let at = at.item(index);
            self.report(&at.member("name"), EntryFault::Duplicate(first))
        })
    }

    fn digest_user(
        &mut self,
        at: &At<'_>,
        algorithms: &Typed<Vec<DigestAlgorithm>>,
        user: &User,
    ) -> Typed<DigestUser> {
        let name = user.name.as_deref().map_err(|reported| *reported);
        if name.is_ok_and(|name| !is_name(name)) {
            self.report(&at.member("name"), InvalidDigest::UserName);
        }
        if let (Ok(algorithms), Ok(hashes)) = (algorithms, &user.ha1) {
            let lacks = |own: &&DigestAlgorithm| !hashes.iter().any(|ha1| ha1.algorithm() == **own);
            let missing: Vec<_> = algorithms.iter().filter(lacks).collect();
            if missing.len() == algorithms.len() {
                self.report(&at.member("ha1"), InvalidDigest::NoHash);
            } else if let Some(missing) = missing.first() {
                self.warn(&at.member("ha1"), Warning::MissingHash(missing.name()));
            }
        }
        let scopes = self.granted(&at.member("scopes"), &user.scopes, true);
        let roles = self.granted(&at.member("roles"), &user.roles, false);
        // Of a user with an unknown member, it is not known what it restricts.
        user.whole?;
        let ha1s = user.ha1.as_ref().map_err(|reported| *reported)?;
        Ok(DigestUser {
            name: name?.into(),
            ha1s: ha1s.clone(),
            grants: Grants {
                scopes: scopes?,
                roles: roles?,
            }
            .into(),
        })
    }
}
