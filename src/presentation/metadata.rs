//! The metadata of the protected resource (RFC 9728).

use crate::request::path::{Pattern, Reading};

/// Where such documents stand (RFC 9728 §3).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The metadata of the protected resource, ready to be sent.
#[derive(Debug)]
pub struct Metadata {
    /// Its path: the well-known one, and the resource's own after it (RFC 9728 §3.1).
    pub path: Pattern,
    /// The query that its address has, where the resource has one.
    pub query: Option<String>,
    /// Whatever else stands below the well-known path.
    pub others: Pattern,
    /// Its address, for challenges (RFC 9728 §5.1).
    pub url: String,
    /// The JSON.
    pub json: String,
}

/// What a request for metadata is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// For this document.
    This,
    /// For that of another resource.
    Another,
}

impl Metadata {
    /// Whether a request is for metadata, by one reading of its path.
    pub fn asked(&self, reading: Reading<'_>, query: Option<&[u8]>) -> Option<Asked> {
        let same_query = || {
            self.query
                .as_ref()
                .is_none_or(|own| Some(own.as_bytes()) == query)
        };
        if !self.others.matches(reading) {
            None
        } else if self.path.matches(reading) && same_query() {
            Some(Asked::This)
        } else {
            Some(Asked::Another)
        }
    }
}
