//! Argon2id (RFC 9106), in the form that the reference implementation writes and reads: `$argon2id$v=19$m=…,t=…,p=…$…$…`.
//!
//! Other forms are refused, since implementations read them differently: without `v=` (version 16, or the current one), with
//! `keyid` or `data` (a secret or data that the hash depends on), or with other parameters.

use argon2::{Algorithm, Argon2, Params, Version};
use base64ct::{Base64Unpadded, Encoding};
use subtle::ConstantTimeEq;

use super::PasswordHashFault;

/// The most memory that is accepted, in KiB. Each worker allocates it for the time of a verification. A module's memory never
/// shrinks, so that the worker keeps it for other verifications.
pub(super) const MEMORY_MAX: u32 = 64 * 1024;

/// The largest product of memory and passes that is accepted: about 1 s in V8 on a server of 2024.
pub(super) const WORK_MAX: u64 = 1024 * 1024;

/// The largest product of memory and passes that takes at most about 100 ms.
const WORK_NOT_COSTLY: u64 = 128 * 1024;

/// The longest digest and salt that are accepted, in bytes.
const BYTES_MAX: usize = 64;

/// The shortest digest that is accepted, in bytes. A shorter one could be met by chance.
const DIGEST_MIN: usize = 16;

/// An Argon2id hash.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Argon2id {
    /// In KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: Box<[u8]>,
    digest: Box<[u8]>,
}

impl Argon2id {
    /// Parses what follows `$argon2id$`.
    pub(super) fn parse(text: &str) -> Result<Self, PasswordHashFault> {
        const MALFORMED: PasswordHashFault =
            PasswordHashFault::Malformed("`$argon2id$v=19$m=…,t=…,p=…$salt$hash`");
        let hash = parts(text).ok_or(MALFORMED)?;
        if hash.memory > MEMORY_MAX {
            return Err(PasswordHashFault::Argon2Memory(hash.memory));
        }
        if hash.work() > WORK_MAX {
            return Err(PasswordHashFault::Argon2Work(hash.work()));
        }
        hash.parameters().ok_or(MALFORMED)?;
        Ok(hash)
    }

    /// Whether this is the hash of the password. If the memory cannot be allocated, it is not.
    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut computed = [0; BYTES_MAX];
        let (Some(parameters), Some(computed)) =
            (self.parameters(), computed.get_mut(..self.digest.len()))
        else {
            return false;
        };
        Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
            .hash_password_into(password, &self.salt, computed)
            .is_ok_and(|()| computed.ct_eq(&self.digest).into())
    }

    pub(super) fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// The memory that it has allocated, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.salt.len() + self.digest.len()
    }

    pub(super) fn is_costly(&self) -> bool {
        self.work() > WORK_NOT_COSTLY
    }

    /// What a verification writes, in KiB. Its time is proportional.
    fn work(&self) -> u64 {
        u64::from(self.memory) * u64::from(self.passes)
    }

    fn parameters(&self) -> Option<Params> {
        Params::new(
            self.memory,
            self.passes,
            self.lanes,
            Some(self.digest.len()),
        )
        .ok()
    }
}

fn parts(text: &str) -> Option<Argon2id> {
    let mut fields = text.split('$');
    let mut field = || fields.next();
    let (Some("v=19"), Some(parameters), Some(salt), Some(digest), None) =
        (field(), field(), field(), field(), field())
    else {
        return None;
    };
    let mut parameters = parameters.split(',');
    let mut number = |name| decimal(parameters.next()?.strip_prefix(name)?);
    let (memory, passes, lanes) = (number("m=")?, number("t=")?, number("p=")?);
    // `Params::new` multiplies the lanes without a check.
    if parameters.next().is_some() || lanes > memory / 8 {
        return None;
    }
    Some(Argon2id {
        memory,
        passes,
        lanes,
        salt: decode(salt, argon2::MIN_SALT_LEN)?,
        digest: decode(digest, DIGEST_MIN)?,
    })
}

/// Reads digits. `u32::from_str` also reads a sign and leading zeros.
fn decimal(text: &str) -> Option<u32> {
    if text.starts_with(['+', '0']) {
        return None;
    }
    text.parse().ok()
}

/// Decodes base64 without padding, of at least `min` bytes and at most [`BYTES_MAX`].
fn decode(base64: &str, min: usize) -> Option<Box<[u8]>> {
    let mut bytes = [0; BYTES_MAX];
    let decoded = Base64Unpadded::decode(base64, &mut bytes).ok()?;
    (decoded.len() >= min).then(|| decoded.into())
}
