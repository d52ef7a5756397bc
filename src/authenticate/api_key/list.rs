//! A list of API keys.
#![allow(missing_docs)]

use super::super::granted::Granted;
use crate::time::Timestamp;

/// API keys by the SHA-256 of each.
#[derive(Default)]
pub struct ApiKeys(pub Vec<([u8; 32], ApiKeyEntry)>);

/// What an API key grants.
pub struct ApiKeyEntry {
    pub id: Box<str>,
    pub scopes: Granted,
    pub roles: Granted,
    pub expires: Option<Timestamp>,
}

impl ApiKeys {
    pub fn find(&self, digest: &[u8; 32]) -> Option<&ApiKeyEntry> {
        self.0
            .iter()
            .find(|(own, _)| own == digest)
            .map(|(_, entry)| entry)
    }
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
impl std::fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKeys")
    }
}
