//! What the core needs from its host: data that the workers share, and outbound HTTP calls.
//!
//! `host/shared.rs` and `host/outbound.rs` implement the traits for Envoy. Tests implement them in memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::url::Url;

/// Data that all workers of a host share: each key has a value and a version.
///
/// Other code in the host can write the same keys. A reader must check what it reads.
pub trait SharedData {
    /// The value of a key and its version. The version is 0 if the key has no value.
    fn get(&self, key: &str) -> (Option<Vec<u8>>, u32);

    /// Sets the value of a key if its version is still `version`. Version 0 means that the key has no value.
    fn set(&self, key: &str, value: &[u8], version: u32) -> Shared;
}

/// The result of [`SharedData::set`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// The value is set.
    Done,
    /// Another worker changed the value first.
    TooLate,
    /// The host does not share data.
    Refused,
}

/// A key of shared data: a name for its use, and a SHA-256 of what distinguishes its users.
pub fn shared_key(name: &str, user: &impl Hash) -> String {
    let mut hash = Fingerprint(Sha256::new());
    user.hash(&mut hash);
    let mut key = format!("countersign.{name}.");
    for byte in hash.0.finalize() {
        // Writing to a string does not fail.
        let _ = write!(key, "{byte:02x}");
    }
    key
}

/// Hashes a value with SHA-256. [`Hash`] feeds the lengths of lists and the ends of texts, so that no two values are the
/// same octets.
struct Fingerprint(Sha256);

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not used: the digest is taken whole.
    fn finish(&self) -> u64 {
        0
    }
}

impl<T: SharedData + ?Sized> SharedData for Rc<T> {
    fn get(&self, key: &str) -> (Option<Vec<u8>>, u32) {
        T::get(self, key)
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> Shared {
        T::set(self, key, value, version)
    }
}

/// Data in the memory of one worker.
#[derive(Debug, Default)]
pub struct LocalData(RefCell<BTreeMap<String, (Vec<u8>, u32)>>);

impl SharedData for LocalData {
    fn get(&self, key: &str) -> (Option<Vec<u8>>, u32) {
        match self.0.borrow().get(key) {
            Some((value, version)) => (Some(value.clone()), *version),
            None => (None, 0),
        }
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> Shared {
        let mut data = self.0.borrow_mut();
        let current = data.get(key).map_or(0, |(_, version)| *version);
        if current != version {
            return Shared::TooLate;
        }
        // Version 0 means that there is no value.
        let next = version.checked_add(1).unwrap_or(1);
        data.insert(key.to_owned(), (value.to_vec(), next));
        Shared::Done
    }
}

/// The name of the filter in requests.
pub const USER_AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

/// Sends HTTP requests to the clusters of the host.
pub trait Outbound {
    /// Sends a request. The host later delivers the response under the returned identifier.
    ///
    /// # Errors
    /// [`NotSent`].
    fn send(&mut self, call: &Call<'_>) -> Result<CallId, NotSent>;
}

/// Identifies a call until its response arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallId(pub u32);

/// Why a request was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// The host has no cluster of that name.
    NoCluster,
    /// The cluster does not accept the request, for example because it has no healthy endpoint.
    Refused,
}

/// The method of a [`Call`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET, without a body.
    Get,
    /// POST, with a body.
    Post,
}

/// An HTTP request to a cluster of the host.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The name of the cluster.
    pub cluster: &'a str,
    /// The method.
    pub method: Method,
    /// The URL: the scheme, the authority and the path of the request.
    pub url: &'a Url,
    /// The headers, with names in lower case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body; empty for GET.
    pub body: &'a [u8],
    /// How long the host waits for the response.
    pub timeout: Duration,
}

impl<'a> Call<'a> {
    /// The pseudo-headers (RFC 9113 §8.3.1), then the headers.
    pub fn fields(&self) -> Vec<(&'a str, &'a str)> {
        let method = match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let mut fields = vec![
            (":method", method),
            (":scheme", self.url.scheme()),
            (":authority", self.url.authority.as_str()),
            (":path", self.url.path.as_str()),
        ];
        fields.extend_from_slice(self.headers);
        fields
    }
}

/// The response to a [`Call`].
#[derive(Debug, Clone)]
pub struct Response<'a> {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(&'a [u8], &'a [u8])>,
    /// The body.
    pub body: Vec<u8>,
}

impl<'a> Response<'a> {
    /// The response that the host delivers. `None` if it delivers no status, because no response arrived.
    pub fn from_host(headers: Vec<(&'a [u8], &'a [u8])>, body: Vec<u8>) -> Option<Self> {
        let (_, status) = headers.iter().find(|(name, _)| *name == b":status")?;
        let status = std::str::from_utf8(status).ok()?.parse().ok()?;
        Some(Self {
            status,
            headers,
            body,
        })
    }

    /// The values of a header, in order.
    pub fn values(&self, name: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        let headers = self.headers.iter();
        headers
            .filter(move |(own, _)| *own == name)
            .map(|(_, value)| *value)
    }
}

#[cfg(test)]
pub(crate) mod tests;
