//! Keys that verify signatures. Each key is checked once, when it is created, so an invalid [`Key`] cannot exist.

use super::algorithm::{Algorithm, Scheme};
use super::reused::Reused;
use super::rsa::PublicNumbers;
use super::{ecdsa_p256, eddsa, spki};
use jwt_compact::alg::SecretBytes;
use p256::elliptic_curve::sec1::FromEncodedPoint as _;
use std::sync::OnceLock;

/// A key that verifies signatures (RFC 7518 §6, RFC 8037 §2).
#[derive(Clone)]
pub enum Key {
    /// An RSA key of 2048 to 8192 bits.
    Rsa(Box<RsaKey>),
    /// A point on P-256.
    P256(Box<P256Key>),
    /// A point on P-384.
    P384(Box<EcKey<p384::ecdsa::VerifyingKey>>),
    /// A point on P-521.
    P521(Box<EcKey<p521::ecdsa::VerifyingKey>>),
    /// A point on edwards25519, not of small order.
    Ed25519(Box<Ed25519Key>),
    /// A secret of at least 32 octets, which the signer has too.
    Hmac(Secret),
}

/// A checked RSA public key.
#[derive(Clone)]
pub struct RsaKey {
    /// Both numbers are big-endian, without leading zeros.
    modulus: Box<[u8]>,
    exponent: Box<[u8]>,
    /// Computed at the first use, because most keys are used by the host.
    public: OnceLock<Option<PublicNumbers>>,
    spki_der: Box<[u8]>,
}

/// A checked public key on P-256.
#[derive(Clone)]
pub struct P256Key {
    public: p256::ecdsa::VerifyingKey,
    comb: Reused<ecdsa_p256::KeyComb>,
    spki_der: Box<[u8]>,
}

/// A checked public key on P-384 or P-521.
#[derive(Clone)]
pub struct EcKey<K> {
    public: K,
    spki_der: Box<[u8]>,
}

/// A checked Ed25519 public key.
#[derive(Clone)]
pub struct Ed25519Key {
    public: ed25519_dalek::VerifyingKey,
    comb: Reused<eddsa::KeyComb>,
}

/// A checked secret for HMAC. It is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretBytes<'static>);

/// Why a key is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// RFC 7518 §3.3 and §3.5 require 2048 bits.
    #[error(
        "RSA modulus: expected at least {} bits, found {bits}",
        Key::RSA_BITS_MIN
    )]
    ModulusTooSmall {
        /// The length of the modulus, in bits.
        bits: usize,
    },
    /// The time of a verification grows with the square of the length, which the issuer of the keys chooses.
    #[error(
        "RSA modulus: expected at most {} bits, found {bits}",
        Key::RSA_BITS_MAX
    )]
    ModulusTooLarge {
        /// The length of the modulus, in bits.
        bits: usize,
    },
    /// The product of two odd primes is odd.
    #[error("RSA modulus: expected an odd number")]
    ModulusEven,
    /// A Base64urlUInt has the minimum number of octets (RFC 7518 §2).
    #[error("RSA {number}: unexpected leading zero octet")]
    LeadingZero {
        /// `modulus` or `exponent`.
        number: &'static str,
    },
    /// With an exponent of 1, every message is its own signature. An even exponent cannot be inverted.
    #[error("RSA exponent: expected an odd number of at least 3")]
    Exponent,
    /// A longer exponent costs time and adds no security.
    #[error("RSA exponent: expected at most 33 bits")]
    ExponentTooLarge,
    /// A coordinate has the full length of the field, with leading zeros (RFC 7518 §6.2.1.2).
    #[error("coordinate `{name}`: expected {expected} octets, found {found}")]
    CoordinateLength {
        /// `x` or `y`.
        name: &'static str,
        /// The length that the curve requires, in octets.
        expected: usize,
        /// The length that was found, in octets.
        found: usize,
    },
    /// The point is not on the curve, or a coordinate is out of range.
    #[error("the point is not on the curve")]
    NotOnCurve,
    /// With such a key, one signature can verify for every message.
    #[error("the point has a small order")]
    SmallOrder,
    /// A secret has at least the length of the hash (RFC 7518 §3.2).
    #[error(
        "secret: expected at least {} octets, found {found}",
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
    /// The shortest secret, in octets: the length for HS256.
    pub const SECRET_LEN_MIN: usize = 32;

    /// An RSA key from its modulus `n` and exponent `e`, big-endian without leading zeros.
    ///
    /// # Errors
    ///
    /// The length of `n` is out of bounds, `n` is even, `e` is even, below 3 or longer than 33 bits, or one of them has
    /// a leading zero octet.
    pub fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyFault> {
        for (number, bytes) in [("modulus", n), ("exponent", e)] {
            if bytes.first() == Some(&0) {
                return Err(KeyFault::LeadingZero { number });
            }
        }
        // The issuer of the keys chooses the length, so it is checked before any arithmetic.
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
        Ok(Self::Rsa(Box::new(RsaKey {
            modulus: n.into(),
            exponent: e.into(),
            public: OnceLock::new(),
            spki_der: spki::rsa(n, e),
        })))
    }

    /// A key on P-256 from its coordinates, 32 octets each.
    ///
    /// # Errors
    ///
    /// A coordinate has another length, or the point is not on the curve.
    pub fn p256(x: &[u8], y: &[u8]) -> Result<Self, KeyFault> {
        let octets = uncompressed(x, y, 32)?;
        // Not from the octets: that would bring the square roots of compressed points, 35 kB for the three curves.
        let point = p256::EncodedPoint::from_affine_coordinates(x.into(), y.into(), false);
        let point = Option::<p256::PublicKey>::from(p256::PublicKey::from_encoded_point(&point))
            .ok_or(KeyFault::NotOnCurve)?;
        Ok(Self::P256(Box::new(P256Key {
            public: point.into(),
            comb: Reused::default(),
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
        let point = p384::EncodedPoint::from_affine_coordinates(x.into(), y.into(), false);
        let point = Option::<p384::PublicKey>::from(p384::PublicKey::from_encoded_point(&point))
            .ok_or(KeyFault::NotOnCurve)?;
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
        let point = p521::EncodedPoint::from_affine_coordinates(x.into(), y.into(), false);
        let point = Option::<p521::PublicKey>::from(p521::PublicKey::from_encoded_point(&point))
            .ok_or(KeyFault::NotOnCurve)?;
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
    /// The length is not 32 octets, the octets are not a point or not its canonical encoding (RFC 8032 §5.1.3), or the
    /// point has a small order.
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
        // `from_bytes` reduces a `y` that is out of range. Encoding the point again shows the difference.
        if public.to_edwards().compress().as_bytes() != bytes {
            return Err(KeyFault::NotOnCurve);
        }
        Ok(Self::Ed25519(Box::new(Ed25519Key {
            public,
            comb: Reused::default(),
        })))
    }

    /// A key for HMAC.
    ///
    /// # Errors
    ///
    /// The secret has fewer than 32 octets, which is too short for every algorithm. HS384 and HS512 require more; see
    /// [`fits`](Self::fits).
    pub fn hmac(secret: &[u8]) -> Result<Self, KeyFault> {
        if secret.len() < Self::SECRET_LEN_MIN {
            return Err(KeyFault::SecretTooShort {
                found: secret.len(),
            });
        }
        Ok(Self::Hmac(Secret(SecretBytes::owned(secret.to_vec()))))
    }

    /// Whether `algorithm` can be used with the type, curve and length of this key.
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

    /// The default algorithm of this type of key: `RS256` for RSA, the algorithm of the curve, `EdDSA` for Ed25519; none
    /// for a secret.
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

    /// The DER SubjectPublicKeyInfo of an RSA or EC key (RFC 5280 §4.1, RFC 3279, RFC 5480), which the host needs to
    /// verify. `None` for the other types.
    pub fn spki_der(&self) -> Option<&[u8]> {
        match self {
            Self::Rsa(key) => Some(&key.spki_der),
            Self::P256(key) => Some(&key.spki_der),
            Self::P384(key) => Some(&key.spki_der),
            Self::P521(key) => Some(&key.spki_der),
            Self::Ed25519(_) | Self::Hmac(_) => None,
        }
    }

    /// The length of a signature by this key with `algorithm`, in octets.
    pub(super) fn signature_len(&self, algorithm: Algorithm) -> usize {
        match self {
            Self::Rsa(key) => key.modulus.len(),
            Self::P256(_) | Self::Ed25519(_) => 64,
            Self::P384(_) => 96,
            Self::P521(_) => 132,
            Self::Hmac(_) => algorithm.hash_len(),
        }
    }
}

/// Prints the type of the key and not its content, which may be a secret.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
    /// The key for a verification in the filter. None would be an even modulus or a long exponent, which [`Key::rsa`]
    /// rejects.
    pub(super) fn public(&self) -> Option<&PublicNumbers> {
        let new = || PublicNumbers::new(&self.modulus, &self.exponent);
        self.public.get_or_init(new).as_ref()
    }

    pub(super) fn modulus(&self) -> &[u8] {
        &self.modulus
    }
}

impl P256Key {
    pub(super) fn public(&self) -> &p256::ecdsa::VerifyingKey {
        &self.public
    }

    /// None at the first use of the key.
    pub(super) fn comb(&self) -> Option<&ecdsa_p256::KeyComb> {
        self.comb.get(|| ecdsa_p256::comb(&self.public))
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

    /// None at the first use of the key.
    pub(super) fn comb(&self) -> Option<&eddsa::KeyComb> {
        self.comb.get(|| eddsa::comb(&self.public))
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

/// The uncompressed encoding of a point (SEC 1 §2.3.3). The point at infinity has no encoding of this length.
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
