//! How the body of a response is read.

use serde_json::Value;

use super::event::{Listed, Summary};
use super::fault::FetchFault;
use crate::authenticate::jose::jwk::{Source as KeyOrigin, parse_set};
use crate::authenticate::jose::keys::KeySet;
use crate::authenticate::jose::signature::Algorithm;
use crate::json::{self, JsonFault};

/// What a source contains.
#[derive(Debug, Clone, Hash)]
pub enum Content {
    /// A JWK Set (RFC 7517 §5).
    Keys {
        /// The algorithms that the provider accepts; none if the configuration lists none.
        algorithms: Option<Vec<Algorithm>>,
    },
}

/// What was read from a response.
#[derive(Debug)]
pub enum Loaded {
    /// The usable keys of a JWK Set; at least one.
    Keys(KeySet),
}

impl Content {
    /// The content's name in messages.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Keys { .. } => "keys",
        }
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`FetchFault::NotJson`], [`FetchFault::IsMetadata`], [`FetchFault::NotAKeySet`], [`FetchFault::NoKey`],
    /// [`FetchFault::Algorithms`], [`FetchFault::NoUsableKey`].
    pub fn read(&self, body: &[u8]) -> Result<(Loaded, Summary), FetchFault> {
        match self {
            Self::Keys { algorithms } => read_keys(body, algorithms.as_deref()),
        }
    }
}

fn read_keys(
    body: &[u8],
    algorithms: Option<&[Algorithm]>,
) -> Result<(Loaded, Summary), FetchFault> {
    let value = parse_body(body)?;
    let set = match parse_set(&value, KeyOrigin::Remote) {
        Err(_) if value.get("jwks_uri").is_some() => return Err(FetchFault::IsMetadata),
        parsed => parsed?,
    };
    let is_empty = set.keys.is_empty();
    let keys = KeySet::new(set.keys, algorithms);
    let ignored = Listed(set.refused);
    if keys.is_empty() {
        return Err(match (ignored.0.is_empty(), is_empty) {
            (false, _) => FetchFault::NoUsableKey(ignored),
            (true, true) => FetchFault::NoKey,
            (true, false) => FetchFault::Algorithms,
        });
    }
    let usable = keys.len();
    let summary = Summary {
        usable,
        ignored,
        lenient: Listed(set.lenient),
    };
    Ok((Loaded::Keys(keys), summary))
}

/// Parses the JSON of a response. A byte order mark before it is skipped, as RFC 8259 §8.1 allows.
///
/// # Errors
/// As [`json::parse_strict`].
pub fn parse_body(body: &[u8]) -> Result<Value, JsonFault> {
    json::parse_strict(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))
}
