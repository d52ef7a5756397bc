//! What the fetcher reports: the end of each fetch, and why a fetch failed.

use std::fmt;
use std::time::Duration;

use super::MAX_RESPONSE;
use super::content::Loaded;
use super::metadata::MetadataFault;
use crate::authenticate::KeySourceId;
use crate::authenticate::jose::jwk::{JwkSetFault, RefusedJwk};
use crate::json::JsonFault;
use crate::time::Timestamp;
use crate::url::Url;

/// The number of ignored keys that a message lists.
const MAX_LISTED: usize = 8;

/// The end of a fetch.
#[derive(Debug)]
pub struct FetchEvent {
    /// The source.
    pub source: KeySourceId,
    /// When the fetch ended.
    pub at: Timestamp,
    /// The result, for the store.
    pub fetched: Fetched,
    /// Whether a signature had failed under a key of the source before the fetch began. If the fetch returns this key
    /// again, the token was at fault.
    pub after_doubt: bool,
    /// What to log and to count; none if another worker made the fetch.
    pub report: Option<FetchReport>,
}

/// The result of a fetch.
#[derive(Debug)]
pub enum Fetched {
    /// New content.
    Ok(Loaded),
    /// The fetch failed. The content of the last successful fetch stays in use.
    Err,
}

/// What this worker logs of a fetch; `Display` is the text.
#[derive(Debug)]
pub struct FetchReport {
    /// The provider's name.
    pub provider: String,
    /// The name of the content: `keys`.
    pub content: &'static str,
    /// The URL of the last request.
    pub url: Url,
    /// What was fetched, or why the fetch failed.
    pub result: Result<Summary, FetchFault>,
    /// The time until the next fetch.
    pub next: Duration,
}

/// What a response contained.
#[derive(Debug, PartialEq, Eq)]
pub struct Summary {
    /// The number of usable entries.
    pub usable: usize,
    /// The entries that are not used.
    pub ignored: Ignored,
}

/// The keys of a set that are not used. `Display` lists the first eight.
#[derive(Debug, PartialEq, Eq)]
pub struct Ignored(pub Vec<RefusedJwk>);

/// Why a fetch failed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFault {
    /// The host has no cluster of this name.
    #[error(
        "Envoy has no cluster `{0}`: add the cluster to Envoy, or correct its name in the configuration"
    )]
    NoCluster(String),
    /// The host did not send the request to this cluster.
    #[error("cluster `{0}` did not accept the request: expected a healthy endpoint")]
    NotSent(String),
    /// No response came.
    #[error("no response")]
    NoResponse,
    /// The response has another status than 200.
    #[error("expected status 200, found {0}")]
    Status(u16),
    /// The body is longer than [`MAX_RESPONSE`].
    #[error("response too long: expected at most {MAX_RESPONSE} bytes")]
    TooLong,
    /// The metadata cannot be used.
    #[error(transparent)]
    Metadata(#[from] MetadataFault),
    /// The metadata names a URL of another origin, and no cluster is configured for it.
    #[error("the keys are at `{}`, which is another origin than the metadata's: set `jwks_cluster`", ShownUrl(.0))]
    OtherOrigin(Url),
    /// The body is not JSON.
    #[error("cannot read the response: {0}")]
    NotJson(#[from] JsonFault),
    /// The body is not a JWK Set.
    #[error("cannot read the response: {0}")]
    NotAKeySet(#[from] JwkSetFault),
    /// The set has no key.
    #[error("no usable key: the key set is empty")]
    NoKey,
    /// No key of the set can be used with an accepted algorithm.
    #[error("no usable key: no key serves an accepted algorithm")]
    Algorithms,
    /// Keys of the set are faulty, and no other key can be used.
    #[error("no usable key: {0}")]
    NoUsableKey(Ignored),
}

impl FetchReport {
    /// Whether the operator should look at it: the fetch failed, or keys are ignored.
    pub fn is_warning(&self) -> bool {
        match &self.result {
            Ok(summary) => !summary.ignored.0.is_empty(),
            Err(_) => true,
        }
    }
}

/// One line without line breaks of the response's: texts of the response are escaped or left out.
impl fmt::Display for FetchReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            provider,
            content,
            url,
            result,
            next,
        } = self;
        let url = ShownUrl(url);
        match result {
            Ok(Summary { usable, ignored }) => {
                write!(
                    formatter,
                    "provider `{provider}`: fetched {content} from `{url}`: {usable} usable"
                )?;
                match ignored.0.len() {
                    0 => Ok(()),
                    number => write!(formatter, ", {number} ignored: {ignored}"),
                }
            }
            Err(fault) => write!(
                formatter,
                "provider `{provider}`: fetching {content} from `{url}` failed: {fault}; next attempt in {}.{} s",
                next.as_secs(),
                next.subsec_millis() / 100
            ),
        }
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, refused) in self.0.iter().take(MAX_LISTED).enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{refused}")?;
        }
        match self.0.len().saturating_sub(MAX_LISTED) {
            0 => Ok(()),
            more => write!(formatter, "; and {more} more"),
        }
    }
}

/// A URL as messages show it: without the query, which can hold a credential.
struct ShownUrl<'a>(&'a Url);

impl fmt::Display for ShownUrl<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(url) = self;
        let path = url.path.split('?').next().unwrap_or_default();
        write!(formatter, "{}://{}{path}", url.scheme(), url.authority)
    }
}
