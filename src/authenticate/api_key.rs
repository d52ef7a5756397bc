//! API keys: random texts that the configuration, or a list that is fetched, has by their SHA-256.
//!
//! A key is as hard to find by its SHA-256 as it is to guess, because it is random: the hash needs no salt and no cost.

pub mod list;

use sha2::{Digest, Sha256};

use self::list::ApiKeys;
use super::principal::Verified;
use super::{Facts, Offer, Refusal, SourceId};
use crate::credential::Shown;
use crate::kinds;
use crate::reject::KeyFault;

/// How a provider verifies API keys.
#[derive(Debug)]
pub struct ApiKey {
    /// This build verifies this kind.
    pub kind: kinds::ApiKey,
    /// The keys that are valid.
    pub keys: Keys,
    /// What a 401 offers: the first location.
    pub offers: Vec<Offer>,
}

/// Where the list of valid keys is.
#[derive(Debug)]
pub enum Keys {
    /// In the configuration.
    Inline(ApiKeys),
    /// It is fetched.
    Remote(SourceId),
}

impl ApiKey {
    /// What a 401 offers.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// The key that is presented.
    pub fn claim<'c>(&self, shown: &'c Shown<'_>) -> Option<&'c [u8]> {
        match shown {
            Shown::Key(key) => Some(key),
            Shown::Token(_) | Shown::Login(_) | Shown::Digest(_) | Shown::Malformed(_) => None,
        }
    }

    /// Verifies a key.
    ///
    /// # Errors
    /// [`Refusal`]: the key is not listed, or has expired, or the list is not at hand.
    pub(super) fn verify(&self, key: &[u8], facts: Facts<'_>) -> Result<Verified, Refusal> {
        let keys = match &self.keys {
            Keys::Inline(keys) => keys,
            Keys::Remote(source) => facts
                .lists
                .api_keys(*source)
                .ok_or(Refusal::NotFetched(*source))?,
        };
        let digest = Sha256::digest(key).into();
        let entry = keys.find(&digest).ok_or(KeyFault::Unknown)?;
        if entry.expires.is_some_and(|expires| facts.now >= expires) {
            return Err(KeyFault::Expired.into());
        }
        Ok(Verified {
            subject: Some(entry.id.to_string()),
            scopes: entry.grants.scopes.clone(),
            roles: entry.grants.roles.clone(),
            groups: super::granted::Granted::default(),
            evidence: super::Evidence::ApiKey,
            confirmation: None,
            payload: Vec::new(),
        })
    }
}
