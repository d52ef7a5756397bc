//! Nonces that a server issues and later recognizes without storing them: RFC 7616 §3.3 and §5.4, RFC 9449 §8 and §9.
//!
//! A nonce is the base64url of 30 octets:
//! 1. 6 octets: the time of issue, in milliseconds since 1970;
//! 2. 8 random octets;
//! 3. 16 octets: an HMAC-SHA-256 of all of this and of the [`Purpose`].
//!
//! Without the key, a client can neither predict a nonce nor change its time or its purpose.

use std::fmt;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::ports::{SharedData, shared_key};
use crate::random::{SecretOctets, random, shared_secret};
use crate::time::Timestamp;

/// How far in the future the time of a nonce may be: several Envoys with one secret do not have exactly the same clock.
pub const SKEW: Duration = Duration::from_secs(60);

/// The octets of a nonce before its MAC.
const HEAD: usize = 14;
/// The octets of a nonce. A multiple of three, so that no other base64url text decodes to the same octets.
const OCTETS: usize = HEAD + 16;
/// The characters of a nonce.
pub const LENGTH: usize = OCTETS / 3 * 4;

/// What a nonce is for. A nonce for one purpose is not valid for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purpose<'a> {
    /// The scheme.
    pub use_: Use,
    /// The realm of the challenge.
    pub realm: &'a str,
    /// The name of the provider.
    pub provider: &'a str,
    /// How long a nonce is valid. What was used is recorded for as long: with another lifetime, a nonce could be valid again
    /// after its uses were forgotten.
    pub lifetime: Duration,
}

/// The scheme that uses a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Digest, RFC 7616.
    Digest,
    /// DPoP, RFC 9449.
    Dpop,
}

/// Why a nonce is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonceFault {
    /// The nonce was valid.
    Expired,
    /// The nonce was not issued with this key for this purpose, or the clock was set back since.
    Foreign,
}

/// The key that nonces are issued and recognized with.
///
/// Its memory is overwritten when it is dropped. Its `Debug` shows no part of it:
///
/// ```
/// let key = countersign::nonce::NonceKey::of_secret(b"xyzzy");
/// assert_eq!(format!("{key:?}"), "NonceKey");
/// ```
#[derive(Clone)]
pub struct NonceKey(Zeroizing<SecretOctets>);

impl NonceKey {
    /// A random key; none if the host has no randomness.
    pub fn random() -> Option<Self> {
        random().map(Self::of)
    }

    /// The key of a configured secret. Several Envoys with the same secret accept each other's nonces, if the realm and the
    /// provider have the same names too, and nonces the same lifetime.
    ///
    /// The secret must be too long to be guessed: a nonce and its MAC are public.
    pub fn of_secret(secret: &[u8]) -> Self {
        let hash = Sha256::new_with_prefix("countersign nonce key\n").chain_update(secret);
        Self::of(hash.finalize().into())
    }

    /// The random key that the workers of the filter with these names share.
    ///
    /// None if the host shares no data or has no randomness: another worker would not recognize the nonces.
    pub fn shared(data: &dyn SharedData, names: &[&[u8]]) -> Option<Self> {
        shared_secret(data, &shared_key("nonces", &names), random()?).map(Self::of)
    }

    /// A new nonce.
    pub fn issue(&self, purpose: &Purpose<'_>, now: Timestamp) -> String {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        // A time after the year 10000 is cut off, and its nonces have expired.
        let [_, _, time @ ..] = millis.to_be_bytes();
        // Without randomness a nonce is still unpredictable, as its MAC is. But two nonces of one millisecond are the same.
        let random: [u8; 8] = random().unwrap_or_default();
        let mut octets = [0; OCTETS];
        let (head, mac) = octets.split_at_mut(HEAD);
        for (place, octet) in head.iter_mut().zip(time.into_iter().chain(random)) {
            *place = octet;
        }
        let code = self.mac(purpose, head).finalize().into_bytes();
        for (place, octet) in mac.iter_mut().zip(code) {
            *place = octet;
        }
        Base64UrlUnpadded::encode_string(&octets)
    }

    /// Until when a nonce is valid.
    ///
    /// # Errors
    /// [`NonceFault`].
    pub fn check(
        &self,
        purpose: &Purpose<'_>,
        nonce: &[u8],
        now: Timestamp,
    ) -> Result<Timestamp, NonceFault> {
        let issued = self.issued(purpose, nonce).ok_or(NonceFault::Foreign)?;
        if issued > now.plus(SKEW) {
            return Err(NonceFault::Foreign);
        }
        let until = issued.plus(purpose.lifetime);
        if now < until {
            Ok(until)
        } else {
            Err(NonceFault::Expired)
        }
    }

    /// When a nonce was issued with this key for this purpose; none if it was not.
    fn issued(&self, purpose: &Purpose<'_>, nonce: &[u8]) -> Option<Timestamp> {
        let nonce: &[u8; LENGTH] = nonce.try_into().ok()?;
        let mut octets = [0; OCTETS];
        Base64UrlUnpadded::decode(nonce, &mut octets).ok()?;
        let (head, mac) = octets.split_at(HEAD);
        // In constant time.
        self.mac(purpose, head).verify_truncated_left(mac).ok()?;
        let time = head.first_chunk::<6>()?;
        let millis = time
            .iter()
            .fold(0, |millis, octet| millis << 8 | i64::from(*octet));
        Some(Timestamp::from_millis(millis))
    }

    /// The MAC of a nonce. It covers the lengths of the names, so that no two purposes have the same MAC.
    fn mac(&self, purpose: &Purpose<'_>, head: &[u8]) -> Hmac<Sha256> {
        // A key as long as a block of the hash: the rest is zero, as RFC 2104 §2 pads a shorter key.
        let mut key = Zeroizing::new([0; 64]);
        for (place, octet) in key.iter_mut().zip(self.0.iter()) {
            *place = *octet;
        }
        let mut mac = <Hmac<Sha256> as KeyInit>::new((&*key).into());
        let scheme = match purpose.use_ {
            Use::Digest => "digest",
            Use::Dpop => "dpop",
        };
        for name in [scheme, purpose.realm, purpose.provider] {
            mac.update(&(name.len() as u64).to_be_bytes());
            mac.update(name.as_bytes());
        }
        mac.update(&(purpose.lifetime.as_millis() as u64).to_be_bytes());
        mac.update(head);
        mac
    }

    fn of(octets: SecretOctets) -> Self {
        Self(Zeroizing::new(octets))
    }
}

impl fmt::Debug for NonceKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NonceKey")
    }
}

#[cfg(test)]
mod tests;
