//! The names of the signature algorithms.

/// A JWS algorithm: one `alg` value of RFC 7518 section 3.1, RFC 8037 section 3.1 or RFC 9864.
///
/// `none` and the encryption algorithms are not among them.
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
    /// EdDSA, here always on Ed25519. The older name, of RFC 8037.
    EdDsa,
    /// EdDSA on Ed25519. The fully specified name, of RFC 9864.
    Ed25519,
}

/// What a family of algorithms has in common: the type of key.
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

    /// The algorithm of this `alg` value. Case counts: RFC 7515 section 4.1.1.
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

    /// Whether signer and verifier share one secret.
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

impl core::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Algorithm;

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
