//! What is fetched, and from where.

use std::time::Duration;

use super::content::Content;
use super::fault::FetchFault;
use super::metadata::jwks_uri;
use crate::authenticate::jwt::Issuer;
use crate::ports::shared_key;
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
    /// After how long to fetch again.
    pub refresh: Duration,
    /// What the response contains.
    pub content: Content,
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
    /// The key is a hash of the address and the content, so that two sources never share a key, and a new configuration
    /// finds what was fetched under the old one. Sources with different algorithms do not share, because the
    /// algorithms decide which keys are usable.
    pub(super) fn shared_key(&self) -> String {
        shared_key("fetched", &(&self.address, &self.content))
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
