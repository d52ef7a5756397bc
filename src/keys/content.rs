//! How the body of a response is read.

use std::rc::Rc;

use serde_json::Value;

use super::event::{Ignored, Listed, Summary};
use super::fault::FetchFault;
use super::{MAX_KEY_SET, MAX_LIST};
use crate::authenticate::api_key::list::ApiKeys;
use crate::authenticate::basic::users::UserList;
use crate::authenticate::jose::jwk::{Source as KeyOrigin, parse_set};
use crate::authenticate::jose::keys::KeySet;
use crate::authenticate::jose::signature::Algorithm;
use crate::authenticate::listed::IgnoredEntries;
use crate::json::{self, JsonFault};
use crate::kinds;

/// What a source contains.
#[derive(Debug, Clone, Hash)]
pub enum Content {
    /// A JWK Set (RFC 7517 §5).
    Keys {
        /// The algorithms that the provider accepts; none if the configuration lists none.
        algorithms: Option<Vec<Algorithm>>,
    },
    /// A list of API keys.
    ApiKeys(kinds::ApiKey),
    /// A list of users with their password hashes.
    Users(kinds::Basic),
}

/// What was read from a response.
#[derive(Debug)]
pub enum Loaded {
    /// The usable keys of a JWK Set; at least one.
    Keys(KeySet),
    /// A list of credentials.
    List(List),
}

/// A list of credentials.
#[derive(Debug, Clone)]
pub enum List {
    /// API keys. An empty list withdraws all keys.
    ApiKeys(Rc<ApiKeys>),
    /// Users. An empty list withdraws all users.
    Users(Rc<UserList>),
}

impl List {
    /// The number of credentials that are used.
    pub fn len(&self) -> usize {
        match self {
            Self::ApiKeys(keys) => keys.len(),
            Self::Users(users) => users.len(),
        }
    }

    /// Whether no credential is used.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Content {
    /// The content's name in messages.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Keys { .. } => "keys",
            Self::ApiKeys(_) => "API keys",
            Self::Users(_) => "users",
        }
    }

    /// Whether the content is a list of credentials.
    pub fn is_list(&self) -> bool {
        match self {
            Self::Keys { .. } => false,
            Self::ApiKeys(_) | Self::Users(_) => true,
        }
    }

    /// The media types that a request accepts. The Kubernetes API server serves keys as `application/jwk-set+json` only
    /// (RFC 7517 §8.5).
    pub(super) fn accept(&self) -> &'static str {
        match self.is_list() {
            true => "application/json",
            false => "application/jwk-set+json, application/json",
        }
    }

    /// The longest body that is accepted, in bytes.
    pub(super) fn max_response(&self) -> usize {
        match self.is_list() {
            true => MAX_LIST,
            false => MAX_KEY_SET,
        }
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`FetchFault::NotJson`], [`FetchFault::IsMetadata`], [`FetchFault::NotAKeySet`], [`FetchFault::NoKey`],
    /// [`FetchFault::Algorithms`], [`FetchFault::NoUsableKey`], [`FetchFault::NotAList`].
    pub fn read(&self, body: &[u8]) -> Result<(Loaded, Summary), FetchFault> {
        match self {
            Self::Keys { algorithms } => read_keys(body, algorithms.as_deref()),
            Self::ApiKeys(_) => {
                let (keys, ignored) = ApiKeys::read(without_mark(body))?;
                Ok(read_list(List::ApiKeys(Rc::new(keys)), ignored))
            }
            Self::Users(_) => {
                let (users, ignored) = UserList::read(without_mark(body))?;
                Ok(read_list(List::Users(Rc::new(users)), ignored))
            }
        }
    }
}

fn read_list(list: List, ignored: IgnoredEntries) -> (Loaded, Summary) {
    let summary = Summary::Read {
        usable: list.len(),
        ignored: Ignored::Entries(ignored),
        lenient: Listed(Vec::new()),
    };
    (Loaded::List(list), summary)
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
    let summary = Summary::Read {
        usable: keys.len(),
        ignored: Ignored::Keys(ignored),
        lenient: Listed(set.lenient),
    };
    Ok((Loaded::Keys(keys), summary))
}

/// Parses the JSON of a response. A byte order mark before it is skipped, as RFC 8259 §8.1 allows.
///
/// # Errors
/// As [`json::parse_strict`].
pub fn parse_body(body: &[u8]) -> Result<Value, JsonFault> {
    json::parse_strict(without_mark(body))
}

fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}
