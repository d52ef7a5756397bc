//! The hash functions of Digest (RFC 7616 §6.1).

use md5::Md5;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::credential::DigestCredential;

/// The length of the longest hash in hexadecimal.
const DIGITS_MAX: usize = 64;

/// A hash function of Digest. A stronger one is less than a weaker one, so that sorting yields the order of the challenges
/// (RFC 7616 §3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DigestAlgorithm {
    /// SHA-256.
    Sha256,
    /// MD5, for clients that support no other.
    Md5,
}

/// A hash in hexadecimal, in lower case (`LHEX`, RFC 7616 §3.3). Its memory is overwritten when it is dropped.
#[derive(Clone)]
pub(super) struct Hashed {
    digits: Zeroizing<[u8; DIGITS_MAX]>,
    length: usize,
}

impl DigestAlgorithm {
    /// Every algorithm, the strongest first.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Md5];

    /// The name in challenges and credentials.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }

    /// The algorithm with this name, in any case. `None` if it is not supported, for example `SHA-256-sess`.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|own| name.eq_ignore_ascii_case(own.name().as_bytes()))
    }

    /// The algorithm of a credential. Without a name, it is MD5 (RFC 7616 §3.4). `None` if it is not supported.
    pub fn of(credential: &DigestCredential<'_>) -> Option<Self> {
        let name = credential.algorithm();
        name.map_or(Some(Self::Md5), Self::from_name)
    }

    /// The length of a hash in hexadecimal.
    pub fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Md5 => 32,
        }
    }

    /// The hash of texts with a colon between them. Digest hashes nothing else (`A1`, `A2` and `KD`, RFC 7616 §3.3, §3.4).
    pub(super) fn hash(self, texts: &[&[u8]]) -> Hashed {
        match self {
            Self::Sha256 => Hashed::of(&joined(Sha256::new(), texts)),
            Self::Md5 => Hashed::of(&joined(Md5::new(), texts)),
        }
    }
}

impl Hashed {
    /// A hash of at most 32 octets.
    pub fn of(octets: &[u8]) -> Self {
        let mut digits = Zeroizing::new([0; DIGITS_MAX]);
        let encoded = base16ct::lower::encode(octets, digits.as_mut_slice());
        let length = encoded.map_or(0, <[u8]>::len);
        Self { digits, length }
    }

    /// The digits.
    pub fn as_bytes(&self) -> &[u8] {
        self.digits.get(..self.length).unwrap_or_default()
    }
}

fn joined<D: Digest>(mut hash: D, texts: &[&[u8]]) -> sha2::digest::Output<D> {
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            hash.update(b":");
        }
        hash.update(text);
    }
    hash.finalize()
}
