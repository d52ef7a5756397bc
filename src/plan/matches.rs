//! What a rule matches besides its path.

use super::doubts::Doubts;
use super::networks::Networks;
use crate::request::host::HostPattern;
use crate::request::path::Pattern;
use crate::request::{Field, RequestView};
use crate::url::Host;

/// Which requests a rule matches.
///
/// A request must match every key. It matches a key if it matches one of its entries, or if the key has no entries.
/// All entries of `headers` must match.
#[derive(Debug, Default)]
pub struct Match {
    /// Path patterns.
    pub paths: Vec<Pattern>,
    /// Methods. `GET` also matches HEAD.
    pub methods: Vec<String>,
    /// Hosts.
    pub hosts: Vec<HostPattern>,
    /// Headers, with names in lower case, each once.
    pub headers: Vec<(String, HeaderMatch)>,
    /// The names of routes in the host's configuration.
    pub routes: Vec<String>,
    /// The policies that the metadata of routes names.
    pub policies: Vec<String>,
    /// The networks from which the request comes.
    ///
    /// An unknown address matches: it could be within these networks. The evaluation then denies the request, because
    /// another rule must not decide either ([`Terms::needs_address`](super::Terms)).
    pub networks: Option<Networks>,
}

/// What a rule requires of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderMatch {
    /// The request has the header once, with one of these values.
    OneOf(Vec<String>),
    /// The request does not have the header. An empty value is a header too.
    Absent,
}

impl Match {
    /// Whether the request matches all keys but `paths`.
    ///
    /// # Errors
    /// The name of a header that decides, and that the request repeats or has a list in.
    pub(super) fn matches_apart_from_path(
        &self,
        doubts: &Doubts<'_>,
        method: &[u8],
        request: &RequestView<'_>,
        host: &Host<'_>,
    ) -> Result<bool, &str> {
        let networks = self.networks.as_ref();
        let matches = (self.methods.is_empty() || self.has_method(method))
            && (self.hosts.is_empty() || self.hosts.iter().any(|own| own.matches(host)))
            && has_one_of(&self.routes, request.route().as_slice())
            && has_one_of(&self.policies, request.policies())
            && networks.is_none_or(|own| request.client().is_none() || own.admit(request.client()));
        if !matches {
            return Ok(false);
        }
        let mut result = Ok(true);
        for (name, own) in &self.headers {
            let sent = match request.field(name.as_bytes()) {
                Field::None => None,
                Field::One(sent) => Some(sent),
                Field::Many => {
                    result = Err(&**name);
                    continue;
                }
            };
            let matches = match (own, sent) {
                (HeaderMatch::Absent, sent) => sent.is_none(),
                (HeaderMatch::OneOf(_), None) => false,
                (HeaderMatch::OneOf(values), Some(sent)) => {
                    let is_sent = values.iter().any(|value| value.as_bytes() == sent);
                    if !is_sent && values.iter().any(|value| doubts.have(name, value)) {
                        result = Err(name);
                        continue;
                    }
                    is_sent
                }
            };
            if !matches {
                return Ok(false);
            }
        }
        result
    }

    /// Whether this requires one of several values of a header, or that it is absent.
    pub(super) fn looks_at_header(&self, wanted: &str) -> bool {
        self.headers.iter().any(|(name, _)| name == wanted)
    }

    fn has_method(&self, method: &[u8]) -> bool {
        self.methods
            .iter()
            .any(|own| own.as_bytes() == method || own == "GET" && method == b"HEAD")
    }

    /// Whether this matches every request that `other` matches.
    #[inline(never)]
    pub fn covers(&self, other: &Self) -> bool {
        every_has_one(&other.paths, &self.paths, |own, path| own.covers(path))
            && every_has_one(&other.hosts, &self.hosts, |own, host| own.covers(host))
            && (self.methods.is_empty()
                || !other.methods.is_empty()
                    && other
                        .methods
                        .iter()
                        .all(|method| self.has_method(method.as_bytes())))
            && self.headers.iter().all(|(name, own)| {
                let mut others = other.headers.iter();
                others.any(|(other_name, other)| other_name == name && own.covers(other))
            })
            && every_has_one(&other.routes, &self.routes, String::eq)
            && every_has_one(&other.policies, &self.policies, String::eq)
            && self.networks.as_ref().is_none_or(|own| {
                let everywhere = Networks::default();
                own.cover(other.networks.as_ref().unwrap_or(&everywhere))
            })
    }
}

impl HeaderMatch {
    /// The values of which the header must have one.
    pub fn values(&self) -> &[String] {
        match self {
            Self::OneOf(values) => values,
            Self::Absent => &[],
        }
    }

    /// Whether this matches every header that `other` matches.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::OneOf(own), Self::OneOf(other)) => {
                let has = |value: &String| own.iter().any(|own| own == value);
                other.iter().all(has)
            }
            (own, other) => own == other,
        }
    }
}

/// Whether one of `names` is among `present`, or `names` is empty.
fn has_one_of(names: &[String], present: &[&[u8]]) -> bool {
    names.is_empty() || names.iter().any(|name| present.contains(&name.as_bytes()))
}

/// Whether each entry of `narrow` is covered by one of `wide`. A list without entries covers everything.
fn every_has_one<T>(narrow: &[T], wide: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
    wide.is_empty()
        || !narrow.is_empty()
            && narrow
                .iter()
                .all(|entry| wide.iter().any(|own| covers(own, entry)))
}
