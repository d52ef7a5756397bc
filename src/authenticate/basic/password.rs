//! Password hashes: what a configuration has in place of a password, as `htpasswd` and others write it.
//!
//! | text | scheme |
//! |---|---|
//! | `$2y$10$…`, also `$2a$` and `$2b$` | bcrypt |
//! | `$argon2id$v=19$m=…,t=…,p=…$…$…` | Argon2id (RFC 9106) |
//! | `{SHA256}…` | SHA-256 without salt, in base64 |
//! | `{SHA}…` | SHA-1 without salt, in base64 |
//!
//! A verification cannot be interrupted, and stops the worker while it runs. What would take more than about a second is
//! therefore refused here.

mod argon2id;
mod bcrypt;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::RangeInclusive;

use base64ct::{Base64, Encoding};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use self::argon2id::Argon2id;
use self::bcrypt::Bcrypt;

/// A password hash of the configuration or of a fetched list.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Scheme);

#[derive(Clone, PartialEq, Eq)]
enum Scheme {
    Bcrypt(Bcrypt),
    Argon2id(Argon2id),
    Sha256([u8; 32]),
    Sha1([u8; 20]),
}

/// What is wrong with a password hash. No message shows any of the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordHashFault {
    /// The scheme is not supported, or there is none.
    #[error(
        "expected a bcrypt or argon2id hash, found {0}: hash the password with `htpasswd -B` or `countersign hash password`"
    )]
    Unsupported(&'static str),
    /// The text has another form than its scheme. The value is the expected form.
    #[error("malformed password hash: expected {0}")]
    Malformed(&'static str),
    /// The bcrypt cost is not allowed.
    #[error(
        "expected a bcrypt cost from {min} to {max}, found {0}: a verification stops the worker, and each step doubles its time",
        min = PasswordHash::BCRYPT_COSTS.start(),
        max = PasswordHash::BCRYPT_COSTS.end()
    )]
    BcryptCost(u32),
    /// Argon2id would need too much memory. The value is in KiB.
    #[error("expected an argon2id hash with `m` of at most {max} (KiB), found {0}", max = argon2id::MEMORY_MAX)]
    Argon2Memory(u32),
    /// Argon2id would take too long. The value is the product of memory and passes.
    #[error(
        "expected an argon2id hash with `m` times `t` of at most {max}, found {0}: a verification stops the worker",
        max = argon2id::WORK_MAX
    )]
    Argon2Work(u64),
}

impl PasswordHash {
    /// The bcrypt costs that are accepted. In V8 on a server of 2024, cost 14 takes about 1 s, and cost 10 takes 60 ms.
    pub const BCRYPT_COSTS: RangeInclusive<u32> = 4..=14;

    /// Parses a hash. `text` is exactly the hash: no user name, no line break.
    ///
    /// # Errors
    /// If the scheme is not supported, if the text is malformed, or if a verification would take too long.
    pub fn parse(text: &str) -> Result<Self, PasswordHashFault> {
        use PasswordHashFault::{Malformed, Unsupported};
        if text.trim() != text {
            return Err(Malformed("no whitespace and no line break around it"));
        }
        let scheme = if let Some(base64) = text.strip_prefix("{SHA256}") {
            Scheme::Sha256(
                digest(base64).ok_or(Malformed("`{SHA256}` and 44 characters of base64"))?,
            )
        } else if let Some(base64) = text.strip_prefix("{SHA}") {
            Scheme::Sha1(digest(base64).ok_or(Malformed("`{SHA}` and 28 characters of base64"))?)
        } else if text.starts_with('{') {
            return Err(Unsupported("another scheme than `{SHA256}` and `{SHA}`"));
        } else if let Some((name, rest)) =
            text.strip_prefix('$').and_then(|text| text.split_once('$'))
        {
            match name {
                // The same function. `$2a$` differs for passwords that an implementation once hashed wrongly: its users are
                // denied.
                "2a" | "2b" | "2y" => Scheme::Bcrypt(Bcrypt::parse(rest)?),
                "argon2id" => Scheme::Argon2id(Argon2id::parse(rest)?),
                "argon2i" | "argon2d" => return Err(Unsupported("argon2i or argon2d")),
                // Ignores characters of passwords that are not ASCII.
                "2x" => return Err(Unsupported("`$2x$`, the hash of a defective bcrypt")),
                "apr1" | "1" => return Err(Unsupported("MD5 (`$apr1$` or `$1$`)")),
                "5" | "6" => return Err(Unsupported("SHA-crypt (`$5$` or `$6$`)")),
                // As files of Docker Compose have it.
                "" => return Err(Malformed("each `$` once, found `$$`")),
                _ => return Err(Unsupported("an unknown scheme")),
            }
        } else if text.contains(":$") || text.contains(":{") {
            return Err(Malformed(
                "the hash alone, without the user name and the colon that `htpasswd` prints before it",
            ));
        } else {
            return Err(Unsupported("plain text or a DES hash of crypt(3)"));
        };
        Ok(Self(scheme))
    }

    /// Whether this is the hash of the password. Hashes are compared in constant time.
    ///
    /// A password with a NUL is never right: a password has no control characters (RFC 7617 §2), and bcrypt, which repeats the
    /// password and a final NUL, has the same hash for `a` and for `a`, NUL, `a`.
    #[must_use]
    pub fn verify(&self, password: &[u8]) -> bool {
        if password.contains(&0) {
            return false;
        }
        match &self.0 {
            Scheme::Bcrypt(hash) => hash.verify(password),
            Scheme::Argon2id(hash) => hash.verify(password),
            Scheme::Sha256(hash) => Sha256::digest(password).ct_eq(hash).into(),
            Scheme::Sha1(hash) => Sha1::digest(password).ct_eq(hash).into(),
        }
    }

    /// The hash without its salt and parameters. It cannot be computed without the password.
    pub(super) fn digest(&self) -> &[u8] {
        match &self.0 {
            Scheme::Bcrypt(hash) => hash.digest(),
            Scheme::Argon2id(hash) => hash.digest(),
            Scheme::Sha256(hash) => hash,
            Scheme::Sha1(hash) => hash,
        }
    }

    /// The memory that it has allocated, in bytes.
    pub(super) fn bytes(&self) -> usize {
        match &self.0 {
            Scheme::Argon2id(hash) => hash.bytes(),
            Scheme::Bcrypt(_) | Scheme::Sha256(_) | Scheme::Sha1(_) => 0,
        }
    }

    /// Whether a verification takes milliseconds: bcrypt and Argon2id.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        matches!(self.0, Scheme::Bcrypt(_) | Scheme::Argon2id(_))
    }

    /// Whether a verification takes more than about 100 ms.
    #[must_use]
    pub fn is_costly(&self) -> bool {
        match &self.0 {
            Scheme::Bcrypt(hash) => hash.is_costly(),
            Scheme::Argon2id(hash) => hash.is_costly(),
            Scheme::Sha256(_) | Scheme::Sha1(_) => false,
        }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// Decodes a digest of `N` bytes: the standard alphabet, with padding.
fn digest<const N: usize>(base64: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    // Shorter text leaves bytes that it does not decode.
    let decoded = Base64::decode(base64, &mut bytes).ok()?;
    (decoded.len() == N).then_some(bytes)
}
