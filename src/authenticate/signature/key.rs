//! Keys that verify. Each is checked once, when it is made: an invalid [`Key`] cannot exist.

use super::algorithm::{Algorithm, Scheme};
use super::spki;
use jwt_compact::alg::SecretBytes;
use rsa::{BigUint, RsaPublicKey, traits::PublicKeyParts as _};

/// A key that verifies signatures: RFC 7518 section 6, RFC 8037 section 2.
#[derive(Clone)]
pub enum Key {
    /// An RSA key of 2048 to 8192 bits.
    Rsa(Box<RsaKey>),
    /// A point on P-256.
    P256(Box<EcKey<p256::ecdsa::VerifyingKey>>),
    /// A point on P-384.
    P384(Box<EcKey<p384::ecdsa::VerifyingKey>>),
    /// A point on P-521.
    P521(Box<EcKey<p521::ecdsa::VerifyingKey>>),
    /// A point on edwards25519, not of small order.
    Ed25519(Box<Ed25519Key>),
    /// A secret of 32 octets or more, shared with the signer.
    Hmac(Secret),
}

/// An RSA public key, checked.
#[derive(Clone)]
pub struct RsaKey {
    public: RsaPublicKey,
    /// Most significant octet first, which is not zero.
    modulus: Box<[u8]>,
    spki_der: Box<[u8]>,
}

/// A public key on a NIST curve, checked.
#[derive(Clone)]
pub struct EcKey<K> {
    public: K,
    spki_der: Box<[u8]>,
}

/// An Ed25519 public key, checked.
#[derive(Clone)]
pub struct Ed25519Key {
    public: ed25519_dalek::VerifyingKey,
}

/// A secret for HMAC, checked. Wiped when dropped.
#[derive(Clone)]
pub struct Secret(SecretBytes<'static>);

/// Why these numbers are no key to verify with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// RFC 7518 sections 3.3 and 3.5 want 2048 bits.
    #[error(
        "the RSA modulus has {bits} bits; at least {} are needed",
        Key::RSA_BITS_MIN
    )]
    ModulusTooSmall {
        /// The length of the modulus.
        bits: usize,
    },
    /// The time of one verification grows with the square of the length, and whoever serves the
    /// keys chooses it.
    #[error(
        "the RSA modulus has {bits} bits; at most {} are taken",
        Key::RSA_BITS_MAX
    )]
    ModulusTooLarge {
        /// The length of the modulus.
        bits: usize,
    },
    /// No product of two odd primes is even.
    #[error("the RSA modulus is even")]
    ModulusEven,
    /// RFC 7518 section 2, Base64urlUInt: the minimum number of octets.
    #[error("the RSA {number} starts with a zero octet")]
    LeadingZero {
        /// `modulus` or `exponent`.
        number: &'static str,
    },
    /// An exponent of 1 makes every message its own signature; no even one can be inverted.
    #[error("the RSA exponent is not an odd number from 3 upwards")]
    Exponent,
    /// A long exponent only costs time.
    #[error("the RSA exponent has more than 33 bits")]
    ExponentTooLarge,
    /// RFC 7518 section 6.2.1.2: the full length of the field, leading zeros included.
    #[error("the coordinate `{name}` has {found} octets; {expected} are needed")]
    CoordinateLength {
        /// `x` or `y`.
        name: &'static str,
        /// The length that the curve asks for, in octets.
        expected: usize,
        /// The length that was found, in octets.
        found: usize,
    },
    /// Coordinates out of range included.
    #[error("the point is not on the curve")]
    NotOnCurve,
    /// Under such a key a signature can verify for every message.
    #[error("the point has a small order")]
    SmallOrder,
    /// RFC 7518 section 3.2: no shorter than the hash.
    #[error(
        "the secret has {found} octets; at least {} are needed",
        Key::SECRET_LEN_MIN
    )]
    SecretTooShort {
        /// The length that was found, in octets.
        found: usize,
    },
}

impl Key {
    /// The shortest modulus, in bits.
    pub const RSA_BITS_MIN: usize = 2048;
    /// The longest modulus, in bits.
    pub const RSA_BITS_MAX: usize = 8192;
    /// The shortest secret, in octets: that of HS256.
    pub const SECRET_LEN_MIN: usize = 32;

    /// An RSA key from its modulus `n` and exponent `e`, big-endian without leading zeros.
    ///
    /// # Errors
    ///
    /// The length of `n` is out of bounds, `n` is even, `e` is even, below 3 or above 33 bits, or
    /// either has a leading zero octet.
    pub fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyFault> {
        for (number, bytes) in [("modulus", n), ("exponent", e)] {
            if bytes.first() == Some(&0) {
                return Err(KeyFault::LeadingZero { number });
            }
        }
        // Before any arithmetic: the length is the other side's choice.
        let bits = bit_len(n);
        if bits < Self::RSA_BITS_MIN {
            return Err(KeyFault::ModulusTooSmall { bits });
        }
        if bits > Self::RSA_BITS_MAX {
            return Err(KeyFault::ModulusTooLarge { bits });
        }
        if n.last().is_some_and(|octet| octet & 1 == 0) {
            return Err(KeyFault::ModulusEven);
        }
        if bit_len(e) > 33 {
            return Err(KeyFault::ExponentTooLarge);
        }
        if e.last().is_none_or(|octet| octet & 1 == 0) || e == [1] {
            return Err(KeyFault::Exponent);
        }
        let public = RsaPublicKey::new_with_max_size(
            BigUint::from_bytes_be(n),
            BigUint::from_bytes_be(e),
            Self::RSA_BITS_MAX,
        )
        .map_err(|_| KeyFault::Exponent)?;
        let spki_der = spki::rsa(n, e);
        Ok(Self::Rsa(Box::new(RsaKey {
            public,
            modulus: n.into(),
            spki_der,
        })))
    }

    /// A key on P-256 from its coordinates, 32 octets each.
    ///
    /// # Errors
    ///
    /// A coordinate has another length, or the point is not on the curve.
    pub fn p256(x: &[u8], y: &[u8]) -> Result<Self, KeyFault> {
        let octets = uncompressed(x, y, 32)?;
        let point = p256::PublicKey::from_sec1_bytes(&octets).map_err(|_| KeyFault::NotOnCurve)?;
        Ok(Self::P256(Box::new(EcKey {
            public: point.into(),
            spki_der: spki::of(spki::P256, &octets),
        })))
    }

    /// A key on P-384 from its coordinates, 48 octets each.
    ///
    /// # Errors
    ///
    /// A coordinate has another length, or the point is not on the curve.
    pub fn p384(x: &[u8], y: &[u8]) -> Result<Self, KeyFault> {
        let octets = uncompressed(x, y, 48)?;
        let point = p384::PublicKey::from_sec1_bytes(&octets).map_err(|_| KeyFault::NotOnCurve)?;
        Ok(Self::P384(Box::new(EcKey {
            public: point.into(),
            spki_der: spki::of(spki::P384, &octets),
        })))
    }

    /// A key on P-521 from its coordinates, 66 octets each.
    ///
    /// # Errors
    ///
    /// A coordinate has another length, or the point is not on the curve.
    pub fn p521(x: &[u8], y: &[u8]) -> Result<Self, KeyFault> {
        let octets = uncompressed(x, y, 66)?;
        let point = p521::PublicKey::from_sec1_bytes(&octets).map_err(|_| KeyFault::NotOnCurve)?;
        Ok(Self::P521(Box::new(EcKey {
            public: p521::ecdsa::VerifyingKey::from_affine(*point.as_affine())
                .map_err(|_| KeyFault::NotOnCurve)?,
            spki_der: spki::of(spki::P521, &octets),
        })))
    }

    /// An Ed25519 key from its 32 octets.
    ///
    /// # Errors
    ///
    /// Another length, no point, a point not written canonically (RFC 8032 section 5.1.3), or one
    /// of small order.
    pub fn ed25519(x: &[u8]) -> Result<Self, KeyFault> {
        let bytes = x.try_into().map_err(|_| KeyFault::CoordinateLength {
            name: "x",
            expected: 32,
            found: x.len(),
        })?;
        let public =
            ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| KeyFault::NotOnCurve)?;
        if public.is_weak() {
            return Err(KeyFault::SmallOrder);
        }
        // `from_bytes` reduces a `y` that is out of range; writing the point shows it.
        if public.to_edwards().compress().as_bytes() != bytes {
            return Err(KeyFault::NotOnCurve);
        }
        Ok(Self::Ed25519(Box::new(Ed25519Key { public })))
    }

    /// A key for HMAC.
    ///
    /// # Errors
    ///
    /// Fewer than 32 octets: no algorithm can use it. HS384 and HS512 ask for more still, which
    /// [`fits`](Self::fits) tells.
    pub fn hmac(secret: &[u8]) -> Result<Self, KeyFault> {
        if secret.len() < Self::SECRET_LEN_MIN {
            return Err(KeyFault::SecretTooShort {
                found: secret.len(),
            });
        }
        Ok(Self::Hmac(Secret(SecretBytes::owned(secret.to_vec()))))
    }

    /// Whether the type, curve and length of this key serve `algorithm`.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa(_) => algorithm.scheme() == Scheme::Rsa,
            Self::P256(_) => algorithm == Algorithm::Es256,
            Self::P384(_) => algorithm == Algorithm::Es384,
            Self::P521(_) => algorithm == Algorithm::Es512,
            Self::Ed25519(_) => algorithm.scheme() == Scheme::EdDsa,
            Self::Hmac(secret) => {
                algorithm.is_symmetric() && secret.bytes().len() >= algorithm.hash_len()
            }
        }
    }

    /// The algorithm that such a key serves where nothing else names one: `RS256`, that of the
    /// curve, `EdDSA`; none for a secret.
    pub fn default_algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::Rsa(_) => Some(Algorithm::Rs256),
            Self::P256(_) => Some(Algorithm::Es256),
            Self::P384(_) => Some(Algorithm::Es384),
            Self::P521(_) => Some(Algorithm::Es512),
            Self::Ed25519(_) => Some(Algorithm::EdDsa),
            Self::Hmac(_) => None,
        }
    }

    /// The DER SubjectPublicKeyInfo of an RSA or EC key (RFC 5280 section 4.1, RFC 3279,
    /// RFC 5480), for a verifier outside. `None` for the other types.
    pub fn spki_der(&self) -> Option<&[u8]> {
        match self {
            Self::Rsa(key) => Some(&key.spki_der),
            Self::P256(key) => Some(&key.spki_der),
            Self::P384(key) => Some(&key.spki_der),
            Self::P521(key) => Some(&key.spki_der),
            Self::Ed25519(_) | Self::Hmac(_) => None,
        }
    }

    /// The one length, in octets, that a signature of this key by `algorithm` has.
    pub(super) fn signature_len(&self, algorithm: Algorithm) -> usize {
        match self {
            Self::Rsa(key) => key.public.size(),
            Self::P256(_) | Self::Ed25519(_) => 64,
            Self::P384(_) => 96,
            Self::P521(_) => 132,
            Self::Hmac(_) => algorithm.hash_len(),
        }
    }
}

/// The kind of key and nothing of its contents: it may be a secret.
impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Rsa(_) => "Rsa(..)",
            Self::P256(_) => "P256(..)",
            Self::P384(_) => "P384(..)",
            Self::P521(_) => "P521(..)",
            Self::Ed25519(_) => "Ed25519(..)",
            Self::Hmac(_) => "Hmac(..)",
        })
    }
}

impl RsaKey {
    pub(super) fn public(&self) -> &RsaPublicKey {
        &self.public
    }

    pub(super) fn modulus(&self) -> &[u8] {
        &self.modulus
    }
}

impl<K> EcKey<K> {
    pub(super) fn public(&self) -> &K {
        &self.public
    }
}

impl Ed25519Key {
    pub(super) fn public(&self) -> &ed25519_dalek::VerifyingKey {
        &self.public
    }
}

impl Secret {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

fn bit_len(bytes: &[u8]) -> usize {
    let leading = bytes.first().map_or(0, |octet| octet.leading_zeros());
    (bytes.len() * 8).saturating_sub(leading as usize)
}

/// SEC 1 section 2.3.3, uncompressed. Being of full length, it cannot spell the point at infinity.
fn uncompressed(x: &[u8], y: &[u8], expected: usize) -> Result<Vec<u8>, KeyFault> {
    let mut point = vec![4];
    for (name, coordinate) in [("x", x), ("y", y)] {
        if coordinate.len() != expected {
            return Err(KeyFault::CoordinateLength {
                name,
                expected,
                found: coordinate.len(),
            });
        }
        point.extend_from_slice(coordinate);
    }
    Ok(point)
}
