//! Random octets, and random secrets that all workers of a host share.

use crate::ports::{Shared, SharedData};

/// A secret of 256 bits.
pub type SecretOctets = [u8; 32];

/// How often a worker tries to write what other workers change at the same time. Each failed try means that another
/// worker succeeded, and there are few workers.
pub const TRIES: u32 = 32;

/// Random octets from the host; none if the host has no randomness.
pub fn random<const N: usize>() -> Option<[u8; N]> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).ok()?;
    Some(octets)
}

/// The secret that the workers share under a key: the one that is stored, or else `own`, which is then stored.
///
/// None if the host does not share data, so that other workers do not know the secret. A value that is not a secret is
/// replaced. A secret that was stored is read again: a host can allow writes and deny reads.
pub fn shared_secret(data: &dyn SharedData, key: &str, own: SecretOctets) -> Option<SecretOctets> {
    for _ in 0..=TRIES {
        let (value, version) = data.get(key);
        if let Some(Ok(secret)) = value.map(SecretOctets::try_from) {
            return Some(secret);
        }
        if data.set(key, &own, version) == Shared::Refused {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests;
