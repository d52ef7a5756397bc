//! The keys of an issuer, and which of them can verify a token.

use std::borrow::Cow;

use super::jwk::{Jwk, KeyId};
use super::signature::{Algorithm, AlgorithmSet};

/// The most keys that are tried for a token, of all key sets of its provider, if the host verifies the algorithm.
pub const MOST_BY_HOST: usize = 16;

/// The same if the filter verifies the algorithm itself, which takes far longer.
pub const MOST_IN_WASM: usize = 4;

/// The most keys that are tried for a token whose algorithm the host verifies, or does not.
pub fn most_tried(by_host: bool) -> usize {
    match by_host {
        true => MOST_BY_HOST,
        false => MOST_IN_WASM,
    }
}

/// The algorithms that keys can be used with: the `listed` ones. Without a list, all but those of shared secrets.
pub fn accepted_algorithms(listed: Option<&[Algorithm]>) -> AlgorithmSet {
    let all = Algorithm::ALL.iter().copied();
    all.filter(|algorithm| match listed {
        Some(listed) => listed.contains(algorithm),
        None => !algorithm.is_symmetric(),
    })
    .collect()
}

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

    /// The identities of the keys.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.keys.iter().map(|key| key.jwk.id())
    }

    /// The `kid` of each key; none for a key without `kid`.
    pub fn kids(&self) -> impl Iterator<Item = Option<&str>> {
        self.keys.iter().map(|key| key.jwk.kid())
    }

    /// Whether the set contains the key with this identity.
    pub fn holds(&self, id: &KeyId) -> bool {
        self.ids().any(|own| own == id)
    }

    /// Whether a key of the issuer `iss` has this `kid`. Without a `kid`, whether there is a key of the issuer.
    pub fn has(&self, kid: Option<&str>, iss: &str) -> bool {
        let mut keys = self.keys.iter().map(|key| &key.jwk);
        keys.any(|jwk| (kid.is_none() || jwk.kid() == kid) && jwk.is_of(iss))
    }

    /// The keys that can be used with an algorithm.
    pub fn serving(&self, algorithm: Algorithm) -> impl Iterator<Item = &Jwk> {
        let keys = self.keys.iter();
        keys.filter(move |key| key.algorithms.contains(&algorithm))
            .map(|key| &key.jwk)
    }
}
