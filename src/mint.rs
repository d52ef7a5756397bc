//! Signs tokens, for tests.
//!
//! A signer signs whatever it is given: it accepts short keys, headers that are not JSON, and an `alg` in the header
//! that differs from the algorithm of the signature. It is not part of the module.

use crate::authenticate::jose::{base64url, signature::Algorithm};
use jwt_compact::{
    Algorithm as _, AlgorithmSignature,
    alg::{Es256, Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key, Rsa, SecretBytes},
};
use rsa::{
    BigUint, RsaPrivateKey,
    rand_core::{OsRng, RngCore},
    traits::{PrivateKeyParts as _, PublicKeyParts as _},
};
use serde_json::{Map, Value};

/// A key that signs (RFC 7518 §6, RFC 8037 §2).
#[derive(Clone)]
pub struct SigningKey {
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    private: Private,
}

#[derive(Clone)]
enum Private {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    Hmac(SecretBytes<'static>),
}

/// Why nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintFault {
    /// A member of the private JWK is missing or not valid.
    #[error("the private key's `{0}` is missing or not valid")]
    Member(&'static str),
    /// The members of the private JWK contradict one another.
    #[error("the private key is not consistent")]
    Inconsistent,
    /// The key is of another type or on another curve.
    #[error("the key is not for `{0}`")]
    KeyMismatch(Algorithm),
    /// The RSA modulus is too short for the hash and its padding.
    #[error("the key is too short to sign `{0}`")]
    KeyTooShort(Algorithm),
    /// The signature library failed.
    #[error("signing failed")]
    Failed,
}

impl SigningKey {
    /// Generates a random key for `algorithm`: RSA of 2048 bits, the algorithm's curve, or a secret as long as the
    /// hash. Its `kid` is random, and its `alg` is `algorithm`.
    pub fn generate(algorithm: Algorithm) -> Self {
        let mut rng = OsRng;
        let private = match algorithm {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
                let mut secret = vec![0; algorithm.hash_len()];
                rng.fill_bytes(&mut secret);
                Private::Hmac(SecretBytes::owned(secret))
            }
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512 => loop {
                // The generation fails if the random primes do not form a valid key.
                if let Ok(key) = RsaPrivateKey::new(&mut rng, 2048) {
                    break Private::Rsa(Box::new(key));
                }
            },
            Algorithm::Es256 => Private::P256(p256::ecdsa::SigningKey::random(&mut rng)),
            Algorithm::Es384 => Private::P384(p384::ecdsa::SigningKey::random(&mut rng)),
            Algorithm::Es512 => Private::P521(p521::ecdsa::SigningKey::random(&mut rng)),
            Algorithm::EdDsa | Algorithm::Ed25519 => {
                let mut seed = [0; 32];
                rng.fill_bytes(&mut seed);
                Private::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
            }
        };
        let mut name = [0; 9];
        rng.fill_bytes(&mut name);
        Self {
            kid: Some(base64url::encode(&name)),
            algorithm: Some(algorithm),
            private,
        }
    }

    /// An HMAC key of any length. It can be the text of a public key, for tests of algorithm confusion.
    pub fn from_secret(secret: &[u8]) -> Self {
        Self {
            kid: None,
            algorithm: None,
            private: Private::Hmac(SecretBytes::owned(secret.to_vec())),
        }
    }

    /// Reads a private JWK. Its `kid` and `alg` are kept. Short RSA keys and secrets are accepted, RSA keys above 4096
    /// bits are not.
    ///
    /// # Errors
    ///
    /// A member is missing or not valid, or the private and the public members contradict one another.
    pub fn from_jwk(jwk: &Value) -> Result<Self, MintFault> {
        let text = |name| jwk.get(name).and_then(Value::as_str);
        let octets = |name| {
            text(name)
                .and_then(|text| base64url::decode(text.as_bytes()))
                .ok_or(MintFault::Member(name))
        };
        let number = |name| octets(name).map(|octets| BigUint::from_bytes_be(&octets));
        let private = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => {
                // The primes are optional, because they follow from `d`.
                let primes = if jwk.get("p").is_some() {
                    vec![number("p")?, number("q")?]
                } else {
                    Vec::new()
                };
                let key = RsaPrivateKey::from_components(
                    number("n")?,
                    number("e")?,
                    number("d")?,
                    primes,
                )
                .map_err(|_| MintFault::Inconsistent)?;
                Private::Rsa(Box::new(key))
            }
            (Some("EC"), Some("P-256")) => p256::ecdsa::SigningKey::from_slice(&octets("d")?)
                .map(Private::P256)
                .map_err(|_| MintFault::Member("d"))?,
            (Some("EC"), Some("P-384")) => p384::ecdsa::SigningKey::from_slice(&octets("d")?)
                .map(Private::P384)
                .map_err(|_| MintFault::Member("d"))?,
            (Some("EC"), Some("P-521")) => p521::ecdsa::SigningKey::from_slice(&octets("d")?)
                .map(Private::P521)
                .map_err(|_| MintFault::Member("d"))?,
            (Some("OKP"), Some("Ed25519")) => octets("d")?
                .as_slice()
                .try_into()
                .map(|seed| Private::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed)))
                .map_err(|_| MintFault::Member("d"))?,
            (Some("oct"), _) => Private::Hmac(SecretBytes::owned(octets("k")?)),
            (Some("EC" | "OKP"), _) => return Err(MintFault::Member("crv")),
            _ => return Err(MintFault::Member("kty")),
        };
        let algorithm = match text("alg") {
            None => None,
            Some(name) => Some(Algorithm::from_name(name).ok_or(MintFault::Member("alg"))?),
        };
        let key = Self {
            kid: text("kid").map(str::to_owned),
            algorithm,
            private,
        };
        let public = key.public_jwk();
        let agrees = |name| jwk.get(name).is_none() || jwk.get(name) == public.get(name);
        if ["n", "e", "x", "y"].into_iter().all(agrees) {
            Ok(key)
        } else {
            Err(MintFault::Inconsistent)
        }
    }

    /// The same key with another `kid`, or without one.
    #[must_use]
    pub fn with_kid(self, kid: Option<&str>) -> Self {
        Self {
            kid: kid.map(str::to_owned),
            ..self
        }
    }

    /// The same key with another `alg`, or without one.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Option<Algorithm>) -> Self {
        Self { algorithm, ..self }
    }

    /// The `kid`.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The `alg`.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The public JWK, with `kid` and `alg` if they are known.
    ///
    /// A shared secret has no public part. For a secret, this is the [private JWK](Self::private_jwk).
    pub fn public_jwk(&self) -> Value {
        let mut jwk = self.described();
        match &self.private {
            Private::Rsa(key) => {
                put(&mut jwk, "kty", "RSA");
                put(&mut jwk, "n", base64url::encode(&key.n().to_bytes_be()));
                put(&mut jwk, "e", base64url::encode(&key.e().to_bytes_be()));
            }
            Private::P256(key) => {
                let point = key.verifying_key().to_encoded_point(false);
                put_point(&mut jwk, "P-256", point.x(), point.y());
            }
            Private::P384(key) => {
                let point = key.verifying_key().to_encoded_point(false);
                put_point(&mut jwk, "P-384", point.x(), point.y());
            }
            Private::P521(key) => {
                let point = p521::ecdsa::VerifyingKey::from(key).to_encoded_point(false);
                put_point(&mut jwk, "P-521", point.x(), point.y());
            }
            Private::Ed25519(key) => {
                put(&mut jwk, "kty", "OKP");
                put(&mut jwk, "crv", "Ed25519");
                put(
                    &mut jwk,
                    "x",
                    base64url::encode(key.verifying_key().as_bytes()),
                );
            }
            Private::Hmac(secret) => {
                put(&mut jwk, "kty", "oct");
                put(&mut jwk, "k", base64url::encode(secret));
            }
        }
        Value::Object(jwk)
    }

    /// The private JWK, which [`from_jwk`](Self::from_jwk) reads.
    pub fn private_jwk(&self) -> Value {
        let mut jwk = match self.public_jwk() {
            Value::Object(jwk) => jwk,
            _ => Map::new(),
        };
        match &self.private {
            Private::Rsa(key) => {
                put(&mut jwk, "d", base64url::encode(&key.d().to_bytes_be()));
                // A key of more than two primes has the others in `oth`. No such key is generated here.
                for (name, prime) in ["p", "q"].into_iter().zip(key.primes()) {
                    put(&mut jwk, name, base64url::encode(&prime.to_bytes_be()));
                }
            }
            Private::P256(key) => put(&mut jwk, "d", base64url::encode(&key.to_bytes())),
            Private::P384(key) => put(&mut jwk, "d", base64url::encode(&key.to_bytes())),
            Private::P521(key) => put(&mut jwk, "d", base64url::encode(&key.to_bytes())),
            Private::Ed25519(key) => put(&mut jwk, "d", base64url::encode(key.as_bytes())),
            Private::Hmac(_) => {}
        }
        Value::Object(jwk)
    }

    /// A compact JWS of `payload` and `header`, which is not changed (RFC 7515 §7.1).
    ///
    /// # Errors
    ///
    /// As [`sign_raw`](Self::sign_raw).
    pub fn sign(
        &self,
        algorithm: Algorithm,
        header: &Value,
        payload: &[u8],
    ) -> Result<String, MintFault> {
        self.sign_compact(algorithm, header.to_string().as_bytes(), payload)
    }

    /// A compact JWS of a header that need not be JSON.
    ///
    /// # Errors
    ///
    /// As [`sign_raw`](Self::sign_raw).
    pub fn sign_compact(
        &self,
        algorithm: Algorithm,
        header: &[u8],
        payload: &[u8],
    ) -> Result<String, MintFault> {
        let mut token = format!(
            "{}.{}",
            base64url::encode(header),
            base64url::encode(payload)
        );
        let signature = self.sign_raw(algorithm, token.as_bytes())?;
        token.push('.');
        token.push_str(&base64url::encode(&signature));
        Ok(token)
    }

    /// The octets of a signature over `message`, in the format of a JWS.
    ///
    /// # Errors
    ///
    /// The key is not for `algorithm`, or its modulus is too short.
    pub fn sign_raw(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, MintFault> {
        use p521::ecdsa::signature::{RandomizedSigner as _, Signer as _};
        Ok(match (algorithm, &self.private) {
            (Algorithm::Hs256, Private::Hmac(secret)) => {
                octets(&Hs256.sign(&Hs256Key::new(secret), message))
            }
            (Algorithm::Hs384, Private::Hmac(secret)) => {
                octets(&Hs384.sign(&Hs384Key::new(secret), message))
            }
            (Algorithm::Hs512, Private::Hmac(secret)) => {
                octets(&Hs512.sign(&Hs512Key::new(secret), message))
            }
            (_, Private::Rsa(key)) => {
                let rsa = rsa_scheme(algorithm).ok_or(MintFault::KeyMismatch(algorithm))?;
                // `jwt-compact` panics if the modulus is too short for the padding. PSS needs the most: a hash, a salt
                // of the same length and two octets, in one bit less than the modulus.
                if key.n().bits() <= 8 * (2 * algorithm.hash_len() + 2) {
                    return Err(MintFault::KeyTooShort(algorithm));
                }
                octets(&rsa.sign(key, message))
            }
            (Algorithm::Es256, Private::P256(key)) => octets(&Es256.sign(key, message)),
            (Algorithm::Es384, Private::P384(key)) => {
                let signature: p384::ecdsa::Signature =
                    key.try_sign(message).map_err(|_| MintFault::Failed)?;
                signature.to_vec()
            }
            (Algorithm::Es512, Private::P521(key)) => {
                let signature: p521::ecdsa::Signature = key
                    .try_sign_with_rng(&mut OsRng, message)
                    .map_err(|_| MintFault::Failed)?;
                signature.to_vec()
            }
            (Algorithm::EdDsa | Algorithm::Ed25519, Private::Ed25519(key)) => {
                key.sign(message).to_vec()
            }
            _ => return Err(MintFault::KeyMismatch(algorithm)),
        })
    }

    fn described(&self) -> Map<String, Value> {
        let mut jwk = Map::new();
        if let Some(kid) = &self.kid {
            put(&mut jwk, "kid", kid.as_str());
        }
        if let Some(algorithm) = self.algorithm {
            put(&mut jwk, "alg", algorithm.name());
        }
        jwk
    }
}

/// Prints the key's names, and no secret.
impl core::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

fn octets(signature: &impl AlgorithmSignature) -> Vec<u8> {
    signature.as_bytes().into_owned()
}

fn put(jwk: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    jwk.insert(name.to_owned(), value.into());
}

fn put_point(
    jwk: &mut Map<String, Value>,
    curve: &str,
    x: Option<impl AsRef<[u8]>>,
    y: Option<impl AsRef<[u8]>>,
) {
    put(jwk, "kty", "EC");
    put(jwk, "crv", curve);
    // Only the point at infinity has no coordinates, and no private key has that point.
    if let (Some(x), Some(y)) = (x, y) {
        put(jwk, "x", base64url::encode(x.as_ref()));
        put(jwk, "y", base64url::encode(y.as_ref()));
    }
}

/// The padding and hash of `RS*` and `PS*`. The salt of PSS has the length of the hash (RFC 7518 §3.5).
fn rsa_scheme(algorithm: Algorithm) -> Option<Rsa> {
    Some(match algorithm {
        Algorithm::Rs256 => Rsa::rs256(),
        Algorithm::Rs384 => Rsa::rs384(),
        Algorithm::Rs512 => Rsa::rs512(),
        Algorithm::Ps256 => Rsa::ps256(),
        Algorithm::Ps384 => Rsa::ps384(),
        Algorithm::Ps512 => Rsa::ps512(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
