//! How the body of a response is read.

use super::event::{FetchFault, Ignored, Summary};
use crate::authenticate::jose::jwk::{Source as KeyOrigin, parse_set};
use crate::authenticate::jose::keys::KeySet;
use crate::authenticate::jose::signature::Algorithm;
use crate::json;

/// What a source contains.
#[derive(Debug, Clone)]
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
    /// [`FetchFault::NotJson`], [`FetchFault::NotAKeySet`], [`FetchFault::NoKey`], [`FetchFault::Algorithms`],
    /// [`FetchFault::NoUsableKey`].
    pub(super) fn read(&self, body: &[u8]) -> Result<(Loaded, Summary), FetchFault> {
        match self {
            Self::Keys { algorithms } => read_keys(body, algorithms.as_deref()),
        }
    }
}

fn read_keys(
    body: &[u8],
    algorithms: Option<&[Algorithm]>,
) -> Result<(Loaded, Summary), FetchFault> {
    let value = json::parse_strict(body)?;
    let set = parse_set(&value, KeyOrigin::Remote)?;
    let is_empty = set.keys.is_empty();
    let keys = KeySet::new(set.keys, algorithms);
    let ignored = Ignored(set.refused);
    if keys.is_empty() {
        return Err(match (ignored.0.is_empty(), is_empty) {
            (false, _) => FetchFault::NoUsableKey(ignored),
            (true, true) => FetchFault::NoKey,
            (true, false) => FetchFault::Algorithms,
        });
    }
    let usable = keys.len();
    Ok((Loaded::Keys(keys), Summary { usable, ignored }))
}
