//! The keys of an issuer, and which of them can verify a token.

use std::borrow::Cow;

use super::jwk::{Jwk, KeyId};
use super::jws::Header;
use super::signature::Algorithm;

/// The maximum number of keys that are tried for a token.
const MAX_CANDIDATES: usize = 4;

/// The keys of one issuer, each with the algorithms that it can be used with (RFC 8725 §3.1).
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
    /// The keys that can be used with one of the `listed` algorithms. Without a list, each key is used with its own
    /// algorithm only. A key that can be used with no algorithm is left out.
    ///
    /// A key's own algorithm is the `alg` of the JWK. Without `alg`, it is RS256 for RSA, the algorithm of the curve
    /// for EC, and EdDSA for OKP. A symmetric key is used with listed algorithms only, so that a public key can never
    /// be used as a secret.
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

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether the set contains the key with this identity.
    pub fn holds(&self, id: &KeyId) -> bool {
        self.keys.iter().any(|key| key.jwk.id() == id)
    }

    /// Whether a key of the issuer `iss` has this `kid`. Without a `kid`, whether there is a key of the issuer.
    pub fn has(&self, kid: Option<&str>, iss: &str) -> bool {
        let mut keys = self.keys.iter().map(|key| &key.jwk);
        keys.any(|jwk| (kid.is_none() || jwk.kid() == kid) && jwk.is_of(iss))
    }

    /// The keys to try for a token with this header of the issuer `iss`, at most four: the keys with its `kid`, then the
    /// keys without a `kid`. If the header has no `kid`, all keys of the issuer are candidates.
    pub fn candidates(&self, header: &Header<'_>, iss: &str) -> impl Iterator<Item = &Jwk> {
        let kid = header.kid.as_deref();
        let serving = move || {
            self.keys
                .iter()
                .filter(|key| key.algorithms.contains(&header.algorithm))
                .map(|key| &key.jwk)
                .filter(move |jwk| jwk.is_of(iss))
        };
        let named = serving().filter(move |jwk| kid.is_some() && jwk.kid() == kid);
        let others = serving().filter(move |jwk| kid.is_none() || jwk.kid().is_none());
        named.chain(others).take(MAX_CANDIDATES)
    }
}
