//! Why a fetch failed, and what to do about it.

use std::fmt;

use super::event::Listed;
use super::metadata::MetadataFault;
use crate::authenticate::jose::jwk::{JwkSetFault, RefusedJwk};
use crate::authenticate::listed::ListFault;
use crate::json::JsonFault;
use crate::ports::Response;
use crate::url::Url;

/// The number of characters that a message shows of the authority of a URL, and of its path. A response can name a URL.
const SHOWN_OF_URL: usize = 256;

/// The number of characters of a response's header that a message shows.
const MAX_SHOWN: usize = 32;

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
    #[error("no response: check that cluster `{0}` reaches the server")]
    NoResponse(String),
    /// The response has another status than 200.
    #[error("expected status 200, found {status}{}", Advice(*.status, .location, *.is_list))]
    Status {
        /// The status.
        status: u16,
        /// The URL to which the response redirects, without its query; empty if there is none.
        location: String,
        /// Whether a list of credentials was to be fetched.
        is_list: bool,
    },
    /// The body is not JSON because it is compressed, although the request accepts `identity` only. This is the start of
    /// `content-encoding`.
    #[error(
        "the response is compressed (`{0}`), although the request accepts `identity` only: have the server, or the proxy in front of it, honor `accept-encoding`"
    )]
    Compressed(String),
    /// The body is longer than this.
    #[error("response too long: expected at most {0} bytes")]
    TooLong(usize),
    /// The metadata cannot be used.
    #[error(transparent)]
    Metadata(#[from] MetadataFault),
    /// The metadata names a URL of another origin, and no cluster is configured for it.
    #[error("the keys are at `{}`, which is another origin than the metadata's: set `jwks_cluster` to a cluster for it", ShownUrl(.0))]
    OtherOrigin(Url),
    /// The body is not JSON.
    #[error("cannot read the response: {0}: check the URL")]
    NotJson(#[from] JsonFault),
    /// The body is not a JWK Set.
    #[error("cannot read the response: {0}: check the URL")]
    NotAKeySet(#[from] JwkSetFault),
    /// The body is an issuer's metadata.
    #[error("this is metadata, not a key set: use `discovery` in place of `remote`")]
    IsMetadata,
    /// The set has no key.
    #[error("no usable key: the key set is empty")]
    NoKey,
    /// No key of the set can be used with an accepted algorithm.
    #[error("no usable key: no key serves an accepted algorithm: check `algorithms`")]
    Algorithms,
    /// Keys of the set are faulty, and no other key can be used.
    #[error("no usable key: {0}")]
    NoUsableKey(Listed<RefusedJwk>),
    /// The body is not a list of credentials.
    #[error("cannot read the response: {0}: check the URL")]
    NotAList(#[from] ListFault),
}

impl FetchFault {
    /// A response with another status than 200.
    pub(super) fn status(response: &Response<'_>, is_list: bool) -> Self {
        let location = response.values(b"location").next();
        let location = location.and_then(|value| std::str::from_utf8(value).ok());
        let location = location.and_then(Url::parse);
        Self::Status {
            status: response.status,
            location: location.map_or(String::new(), |url| ShownUrl(&url).to_string()),
            is_list,
        }
    }

    /// A response whose `content-encoding` is not `identity` (RFC 9110 §8.4); none if it is not encoded.
    pub(super) fn compressed(response: &Response<'_>) -> Option<Self> {
        let is_encoding =
            |value: &&[u8]| !value.is_empty() && !value.eq_ignore_ascii_case(b"identity");
        let encoding = response.values(b"content-encoding").find(is_encoding)?;
        let shown = encoding.iter().take(MAX_SHOWN).copied();
        let shown = shown.flat_map(std::ascii::escape_default).map(char::from);
        Some(Self::Compressed(shown.collect()))
    }
}

/// What to do about a status, and where a redirect leads.
struct Advice<'a>(u16, &'a str, bool);

impl fmt::Display for Advice<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(status, location, is_list) = self;
        let advice = match (status, is_list) {
            (300..=303 | 305..400, _) => {
                "redirects are not followed: configure the URL that this one redirects to"
            }
            (401 | 403 | 407, true) => "check the credential in `headers`",
            (401 | 407, false) => "the filter sends no credential: make the URL public",
            (403, false) => "allow the address and the `user-agent` of this proxy at the issuer",
            (404 | 410, _) => "check the URL",
            (406, true) => "the server does not serve `application/json` here",
            (406, false) => {
                "the issuer serves neither `application/jwk-set+json` nor `application/json` here"
            }
            (421, _) => "check that the cluster and its SNI belong to the host of the URL",
            (429, _) => "raise `refresh`",
            (400..500, _) => "check the URL and the cluster",
            (503, _) => {
                "the server is not available, or the cluster cannot connect to it: check its address and TLS"
            }
            (504, _) => "the server is not available, or `timeout` is too short",
            (500..600, _) => "the server is not available",
            _ => return Ok(()),
        };
        write!(formatter, ": {advice}")?;
        if (300..400).contains(status) && !location.is_empty() {
            write!(formatter, " (`{location}`)")?;
        }
        Ok(())
    }
}

/// A URL as messages show it: without the query, which can hold a credential.
pub(super) struct ShownUrl<'a>(pub(super) &'a Url);

impl fmt::Display for ShownUrl<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(url) = self;
        let path = url.path.split('?').next().unwrap_or_default();
        write!(
            formatter,
            "{}://{:.SHOWN_OF_URL$}{path:.SHOWN_OF_URL$}",
            url.scheme(),
            url.authority
        )
    }
}
