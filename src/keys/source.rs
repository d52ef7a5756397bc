//! What is fetched, and from where.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use super::content::Content;
use super::fault::FetchFault;
use super::metadata::jwks_uri;
use crate::authenticate::jwt::Issuer;
use crate::ports::shared_key;
use crate::secret::Secret;
use crate::url::Url;

/// A source: where to fetch, how often, and how to read the response.
#[derive(Debug, Clone)]
pub struct Source {
    /// The name of the provider that uses the source.
    pub provider: String,
    /// Where to fetch.
    pub address: Address,
    /// How long to wait for one response.
    pub timeout: Duration,
    /// When to fetch again.
    pub schedule: Schedule,
    /// Headers of the requests, in addition to those of every fetch.
    pub headers: Headers,
    /// What the response contains.
    pub content: Content,
}

/// When a source is fetched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// The schedule of keys: after this time at the latest. The response, chance and requests can make it sooner.
    Keys {
        /// The time.
        refresh: Duration,
    },
    /// The schedule of a list of credentials: after exactly this time.
    List {
        /// The time.
        refresh: Duration,
        /// How long a list is used after it was last confirmed.
        max_stale: Duration,
    },
}

/// Headers of a request, with names in lower case. A value can be a secret, so `Debug` prints only the names.
#[derive(Clone, Default)]
pub struct Headers(pub Vec<(String, Secret)>);

impl Hash for Headers {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        for (name, value) in &self.0 {
            (name, value.expose()).hash(hasher);
        }
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|(name, _)| name);
        formatter.debug_list().entries(names).finish()
    }
}

/// Where to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// At a configured URL.
    Direct(Endpoint),
    /// At the URL in the issuer's metadata (OpenID Connect Discovery 1.0 §4, RFC 8414 §3).
    Discovery {
        /// Where the metadata is.
        metadata: Endpoint,
        /// The issuer that the metadata must name (RFC 8414 §3.3).
        issuer: Issuer,
        /// The cluster for the keys if their URL has another origin than the metadata.
        jwks_cluster: Option<String>,
    },
}

/// A URL, and the host's cluster for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The name of the cluster.
    pub cluster: String,
    /// The URL.
    pub url: Url,
}

impl Source {
    /// The longest time that a fetch takes: discovery sends two requests.
    pub(super) fn time_limit(&self) -> Duration {
        match self.address {
            Address::Direct(_) => self.timeout,
            Address::Discovery { .. } => self.timeout * 2,
        }
    }

    /// The key under which workers share the source.
    ///
    /// The key is a hash of the address, the content and the headers, so that two sources never share a key, and a new
    /// configuration finds what was fetched under the old one. Sources with different algorithms do not share, because
    /// the algorithms decide which keys are usable. Sources with different headers do not share, because a credential can
    /// decide what the server returns.
    ///
    /// Only a module in the same VM can test a guess of a credential by the key. It can also replace what is shared.
    pub(super) fn shared_key(&self) -> String {
        shared_key("fetched", &(&self.address, &self.content, &self.headers))
    }
}

impl Address {
    /// The endpoint of the content, for discovery as the body of the metadata names it.
    ///
    /// A URL of another origin than the metadata is fetched only through the cluster that is configured for it.
    ///
    /// # Errors
    /// [`FetchFault::Metadata`], [`FetchFault::OtherOrigin`].
    pub(super) fn of_content(&self, metadata_body: &[u8]) -> Result<Endpoint, FetchFault> {
        match self {
            Self::Direct(endpoint) => Ok(endpoint.clone()),
            Self::Discovery {
                metadata,
                issuer,
                jwks_cluster,
            } => {
                let url = jwks_uri(metadata_body, issuer)?;
                let cluster = if url.has_origin_of(&metadata.url) {
                    Some(&metadata.cluster)
                } else {
                    jwks_cluster.as_ref()
                };
                match cluster.cloned() {
                    Some(cluster) => Ok(Endpoint { cluster, url }),
                    None => Err(FetchFault::OtherOrigin(url)),
                }
            }
        }
    }
}
