//! Lists of credentials that are fetched: when, and with which headers.

use std::time::Duration;

use crate::authenticate::SourceId;
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::remote::{Fetched, Remote};
use crate::config::document::secret::SecretSource;
use crate::config::fault::{InvalidHeader, InvalidRemote};
use crate::config::read::{Entries, Mapping, Typed};
use crate::keys::{self, Address, Content, Headers, Schedule};
use crate::secret::Secret;

/// A list can have megabytes.
const TIMEOUT: Duration = Duration::from_secs(5);
const REFRESH: Duration = Duration::from_secs(60);
const SHORTEST_REFRESH: Duration = Duration::from_secs(1);
const LONGEST_REFRESH: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// The headers that the filter or the host sets in a request.
const SET: [&str; 11] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "if-none-match",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

impl Compiler<'_> {
    /// The source of a list of credentials, at the location of the list.
    pub(super) fn fetched_list(
        &mut self,
        at: &At<'_>,
        provider: Typed<&str>,
        document: &Fetched,
        content: Content,
    ) -> Typed<SourceId> {
        let remote = document.remote.as_ref().map_err(|reported| *reported)?;
        let source = self.list_source(&at.member("remote"), provider, remote, content)?;
        Ok(self.add_source(source))
    }

    /// Adds a source to those that are fetched.
    pub(super) fn add_source(&mut self, source: keys::Source) -> SourceId {
        self.sources.push(source);
        SourceId(self.sources.len() - 1)
    }

    fn list_source(
        &mut self,
        at: &At<'_>,
        provider: Typed<&str>,
        document: &Remote,
        content: Content,
    ) -> Typed<keys::Source> {
        let endpoint = self.private_endpoint(at, &document.uri, &document.cluster);
        let timeout = self.timeout(at, document.timeout, TIMEOUT);
        let refresh = document.refresh.map(|typed| typed.unwrap_or(REFRESH));
        let max_stale = document.max_stale.map(|typed| typed.unwrap_or(MAX_STALE));
        if let Ok(refresh) = refresh {
            if !(SHORTEST_REFRESH..=LONGEST_REFRESH).contains(&refresh) {
                self.report(&at.member("refresh"), InvalidRemote::Refresh);
            } else if max_stale.is_ok_and(|max_stale| max_stale < refresh) {
                self.report(&at.member("max_stale"), InvalidRemote::MaxStale);
            }
        }
        let headers = self.headers_to_send(&at.member("headers"), &document.headers);
        Ok(keys::Source {
            provider: provider?.to_owned(),
            address: Address::Direct(endpoint?),
            timeout: timeout?,
            schedule: Schedule::List {
                refresh: refresh?,
                max_stale: max_stale?,
            },
            headers: headers?,
            content,
        })
    }

    fn headers_to_send(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<Mapping<SecretSource>>>,
    ) -> Typed<Headers> {
        let mut headers: Vec<(String, Secret)> = Vec::new();
        let mut whole = typed.whole();
        for (name, value) in typed.entries() {
            let header = name.to_ascii_lowercase();
            let at = at.member(name);
            let fault = if SET.contains(&header.as_str()) {
                InvalidHeader::SetAlready
            } else if headers.iter().any(|(known, _)| *known == header) {
                InvalidHeader::Duplicate
            } else {
                match self.secret_to_send(&at, value) {
                    Ok(value) => headers.push((header, value)),
                    Err(reported) => whole = Err(reported),
                }
                continue;
            };
            whole = Err(self.report(&at, fault));
        }
        whole.map(|()| Headers(headers))
    }
}
