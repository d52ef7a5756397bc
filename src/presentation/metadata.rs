//! The metadata of the protected resource (RFC 9728).

use crate::request::path::{Pattern, Reading};

/// The well-known path of metadata (RFC 9728 §3).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The metadata of the protected resource, as it is sent.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// Its path: the well-known path, followed by the path of the resource (RFC 9728 §3.1).
    pub path: Pattern,
    /// Its query, if the resource's URL has one.
    pub query: Option<String>,
    /// Every path below the well-known path.
    pub others: Pattern,
    /// Its URL, for challenges (RFC 9728 §5.1).
    pub url: String,
    /// The content, a JSON object.
    pub json: String,
}

/// Whose metadata a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The metadata of this resource.
    This,
    /// The metadata of another resource.
    Another,
}

impl Metadata {
    /// Whose metadata a request asks for, by one reading of its path; none if the path is not below the well-known
    /// path.
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
