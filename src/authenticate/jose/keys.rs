//! The keys of an issuer: which of them may verify a token.

use std::borrow::Cow;

use super::jwk::{Jwk, KeyId};
use super::jws::Header;
use super::signature::Algorithm;

/// How many keys are tried for a token that does not say which is meant.
const MAX_CANDIDATES: usize = 4;

/// The keys of one issuer, each with the algorithms that it may be used with (RFC 8725 §3.1).
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<TrustedKey>,
}

/// A key and its algorithms.
#[derive(Debug)]
pub struct TrustedKey {
    jwk: Jwk,
    algorithms: Vec<Algorithm>,
}

impl KeySet {
    /// The keys that can serve one of the `listed` algorithms; where none are listed, each serves its own alone.
    ///
    /// A key's own algorithm is the JWK's `alg`, else RS256 for RSA, the curve's for EC, EdDSA for OKP. A symmetric
    /// key serves only what is listed, so that a public key can never be taken for a secret.
    pub fn new(jwks: Vec<Jwk>, listed: Option<&[Algorithm]>) -> Self {
        let keys = jwks.into_iter().filter_map(|jwk| {
            let algorithms: Vec<_> = match listed {
                Some(listed) => Cow::Borrowed(listed),
                None => {
                    let own = jwk.algorithm().or_else(|| jwk.key().default_algorithm());
                    own.into_iter()
                        .filter(|algorithm| !algorithm.is_symmetric())
                        .collect()
                }
            }
            .iter()
            .copied()
            .filter(|algorithm| jwk.serves(*algorithm))
            .collect();
            (!algorithms.is_empty()).then_some(TrustedKey { jwk, algorithms })
        });
        Self {
            keys: keys.collect(),
        }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether this very key is among them.
    pub fn holds(&self, id: &KeyId) -> bool {
        self.keys.iter().any(|key| key.jwk.id() == id)
    }

    /// Whether a key is called `kid`.
    pub fn has_named(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.jwk.kid() == Some(kid))
    }

    /// The keys that a token's header may mean, at most four: those of its `kid`, and after them those without one;
    /// all, where it has no `kid`.
    pub fn candidates(&self, header: &Header<'_>) -> impl Iterator<Item = &Jwk> {
        let kid = header.kid.as_deref();
        let serving = || {
            self.keys
                .iter()
                .filter(|key| key.algorithms.contains(&header.algorithm))
                .map(|key| &key.jwk)
        };
        let named = serving().filter(move |jwk| kid.is_some() && jwk.kid() == kid);
        let others = serving().filter(move |jwk| kid.is_none() || jwk.kid().is_none());
        named.chain(others).take(MAX_CANDIDATES)
    }
}
