//! bcrypt: `$2y$`, the cost, `$`, and salt and digest in an alphabet of its own.

use base64ct::{Base64Bcrypt, Encoding};
use subtle::ConstantTimeEq;

use super::{PasswordHash, PasswordHashFault};

/// The lowest cost that takes more than 100 ms.
const COST_COSTLY: u32 = 11;

/// How much of a password bcrypt hashes, with the NUL that follows it.
const PASSWORD_MAX: usize = 72;

/// A bcrypt hash.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Bcrypt {
    cost: u32,
    salt: [u8; 16],
    digest: [u8; 23],
}

impl Bcrypt {
    /// Parses what follows `$2y$`.
    pub(super) fn parse(text: &str) -> Result<Self, PasswordHashFault> {
        let hash = parts(text).ok_or(PasswordHashFault::Malformed(
            "`$2y$`, a cost of two digits, `$` and 53 characters",
        ))?;
        if !PasswordHash::BCRYPT_COSTS.contains(&hash.cost) {
            return Err(PasswordHashFault::BcryptCost(hash.cost));
        }
        Ok(hash)
    }

    /// Whether this is the hash of the password.
    ///
    /// Of a longer password the first 72 bytes are compared, as every bcrypt does: `htpasswd` hashes no more of them, without
    /// a warning, and its users would otherwise be denied.
    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut key = [0; PASSWORD_MAX];
        for (to, from) in key.iter_mut().zip(password) {
            *to = *from;
        }
        let length = PASSWORD_MAX.min(password.len().saturating_add(1));
        let computed = ::bcrypt::bcrypt(self.cost, self.salt, key.get(..length).unwrap_or(&key));
        // bcrypt computes 24 bytes, and its hashes have 23.
        computed
            .first_chunk::<23>()
            .is_some_and(|computed| computed.ct_eq(&self.digest).into())
    }

    pub(super) fn digest(&self) -> &[u8] {
        &self.digest
    }

    pub(super) fn is_costly(&self) -> bool {
        self.cost >= COST_COSTLY
    }
}

fn parts(text: &str) -> Option<Bcrypt> {
    let (cost, rest) = text.split_once('$')?;
    let &[tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = cost.as_bytes() else {
        return None;
    };
    let (salt, digest) = rest.split_at_checked(22)?;
    Some(Bcrypt {
        cost: u32::from(tens - b'0') * 10 + u32::from(ones - b'0'),
        salt: decode(salt)?,
        digest: decode(digest)?,
    })
}

fn decode<const N: usize>(base64: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let decoded = Base64Bcrypt::decode(base64, &mut bytes).ok()?;
    (decoded.len() == N).then_some(bytes)
}
