//! The signature algorithms and their names.

/// A JWS algorithm: one `alg` value of RFC 7518 §3.1, RFC 8037 §3.1 or RFC 9864.
///
/// `none` and the encryption algorithms are not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256 and a salt of 32 octets.
    Ps256,
    /// RSASSA-PSS with SHA-384 and a salt of 48 octets.
    Ps384,
    /// RSASSA-PSS with SHA-512 and a salt of 64 octets.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// EdDSA on Ed25519, under the older name of RFC 8037.
    EdDsa,
    /// EdDSA on Ed25519, under the fully specified name of RFC 9864.
    Ed25519,
}

/// A family of algorithms that use the same type of key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Hmac,
    Rsa,
    Ecdsa,
    EdDsa,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 14] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
        Self::Ed25519,
    ];

    /// The algorithm of this `alg` value, which is case-sensitive (RFC 7515 §4.1.1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }

    /// The `alg` value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// Whether the signer and the verifier share one secret.
    pub const fn is_symmetric(self) -> bool {
        matches!(self.scheme(), Scheme::Hmac)
    }

    /// The length of the hash, in octets.
    pub(crate) const fn hash_len(self) -> usize {
        match self {
            Self::Hs256 | Self::Rs256 | Self::Ps256 | Self::Es256 => 32,
            Self::Hs384 | Self::Rs384 | Self::Ps384 | Self::Es384 => 48,
            Self::Hs512 | Self::Rs512 | Self::Ps512 | Self::Es512 => 64,
            Self::EdDsa | Self::Ed25519 => 64,
        }
    }

    /// The name of the hash of `RS*` and `ES*` in OpenSSL and BoringSSL.
    pub const fn hash_name(self) -> Option<&'static str> {
        match self {
            Self::Rs256 | Self::Es256 => Some("sha256"),
            Self::Rs384 | Self::Es384 => Some("sha384"),
            Self::Rs512 | Self::Es512 => Some("sha512"),
            Self::Hs256
            | Self::Hs384
            | Self::Hs512
            | Self::Ps256
            | Self::Ps384
            | Self::Ps512
            | Self::EdDsa
            | Self::Ed25519 => None,
        }
    }

    pub(super) const fn scheme(self) -> Scheme {
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => Scheme::Hmac,
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => {
                Scheme::Rsa
            }
            Self::Es256 | Self::Es384 | Self::Es512 => Scheme::Ecdsa,
            Self::EdDsa | Self::Ed25519 => Scheme::EdDsa,
        }
    }
}

impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of algorithms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AlgorithmSet(u16);

impl AlgorithmSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// This set and `algorithm`.
    #[must_use]
    pub const fn with(self, algorithm: Algorithm) -> Self {
        Self(self.0 | 1 << algorithm as u16)
    }

    /// Whether `algorithm` is in the set.
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & 1 << algorithm as u16 != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The algorithms of this set that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The algorithms of the set, in the order of [`Algorithm::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL
            .into_iter()
            .filter(move |algorithm| self.contains(*algorithm))
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        algorithms.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// The names, separated by spaces.
impl std::fmt::Display for AlgorithmSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut separator = "";
        for algorithm in self.iter() {
            write!(f, "{separator}{algorithm}")?;
            separator = " ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, AlgorithmSet};

    #[test]
    fn a_set_holds_what_was_put_in() {
        let two = AlgorithmSet::from_iter([Algorithm::Ed25519, Algorithm::Hs256]);
        assert_eq!(two.to_string(), "HS256 Ed25519");
        assert!(!two.contains(Algorithm::EdDsa));
        let all = AlgorithmSet::from_iter(Algorithm::ALL);
        assert!(all.iter().eq(Algorithm::ALL));
        assert_eq!(all.without(two).iter().count(), 12);
        assert!(all.without(all).is_empty());
    }

    #[test]
    fn names_go_there_and_back() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
    }

    /// J-01, J-02: an allow-list, compared exactly.
    #[test]
    fn j_02_other_spellings_are_unknown() {
        for name in [
            "none", "None", "nOnE", "NONE", "", "es256", " ES256", "ES256 ", "ES256K", "EDDSA",
            "eddsa", "ed25519", "Ed448", "RS1", "HS256\0", "A256GCM", "RSA-OAEP",
        ] {
            assert_eq!(Algorithm::from_name(name), None, "{name:?}");
        }
    }

    #[test]
    fn only_hmac_is_symmetric() {
        let symmetric = Algorithm::ALL.into_iter().filter(|a| a.is_symmetric());
        assert!(symmetric.eq([Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512]));
    }
}
