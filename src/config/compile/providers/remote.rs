//! What is fetched: the endpoint, and for lists of credentials when and with which headers.
use std::net::IpAddr;
use std::time::Duration;

use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::remote::Remote;
use crate::config::fault::{Fault, InvalidHeader, InvalidRemote};
use crate::config::read::{Entries, Mapping, Typed};
use crate::grammar::is_header_name;
use crate::keys::{self, Address, Content, Endpoint, Headers, Schedule};
use crate::url::Url;

pub(super) const CLUSTER: &str = "the name of a cluster";

/// The host counts milliseconds, and a timeout of zero disables the timeout.
pub(super) const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

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
    /// The source of a list of credentials.
    pub(super) fn list_source(
        &mut self,
        at: &At<'_>,
        provider: Typed<&str>,
        document: &Remote,
        content: Content,
    ) -> Typed<keys::Source> {
        let endpoint = self.endpoint(at, &document.uri, &document.cluster);
        if let Ok(endpoint) = &endpoint
            && !endpoint.url.is_https
            && !is_loopback(&endpoint.url)
        {
            self.report(&at.member("uri"), InvalidRemote::WithoutTls);
        }
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

    /// How long to wait for a response.
    pub(super) fn timeout(
        &mut self,
        at: &At<'_>,
        typed: Typed<Option<Duration>>,
        default: Duration,
    ) -> Typed<Duration> {
        let timeout = typed.map(|typed| typed.unwrap_or(default));
        if timeout.is_ok_and(|timeout| !(SHORTEST..=LONGEST_TIMEOUT).contains(&timeout)) {
            return Err(self.report(&at.member("timeout"), InvalidRemote::Timeout));
        }
        timeout
    }

    /// The URL and the cluster of a source.
    pub(super) fn endpoint(
        &mut self,
        at: &At<'_>,
        uri: &Typed<String>,
        cluster: &Typed<String>,
    ) -> Typed<Endpoint> {
        if cluster.as_ref().is_ok_and(String::is_empty) {
            self.report(&at.member("cluster"), Fault::EmptyString(CLUSTER));
        }
        let at = at.member("uri");
        let url = uri.as_ref().map_err(|reported| *reported)?;
        let url = match Url::parse(url) {
            Some(url) => url,
            None => return Err(self.url_fault(&at, url, InvalidRemote::Url)),
        };
        Ok(Endpoint {
            cluster: cluster.clone()?,
            url,
        })
    }

    fn headers_to_send(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<Mapping<String>>>,
    ) -> Typed<Headers> {
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut whole = typed.whole();
        for (name, value) in typed.entries() {
            let header = name.to_ascii_lowercase();
            let is_value = !value.is_empty()
                && value.trim() == value
                && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            let fault = if !is_header_name(name) {
                InvalidHeader::Name
            } else if SET.contains(&header.as_str()) {
                InvalidHeader::SetAlready
            } else if headers.iter().any(|(known, _)| *known == header) {
                InvalidHeader::Duplicate
            } else if !is_value {
                InvalidHeader::ValueToSend
            } else {
                headers.push((header, value.clone()));
                continue;
            };
            whole = Err(self.report(&at.member(name), fault));
        }
        whole.map(|()| Headers(headers))
    }
}

/// Whether the host of a URL is this machine.
fn is_loopback(url: &Url) -> bool {
    let host = match url.authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => &url.authority,
    };
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let address = bare.unwrap_or(host).parse();
    host == "localhost" || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_hosts_are_known() {
        let is_local = |text: &str| is_loopback(&Url::parse(text).unwrap());
        for url in [
            "http://localhost/keys",
            "http://LOCALHOST:8080/",
            "http://127.0.0.1/",
            "http://127.9.9.9:80/",
            "http://[::1]:8080/",
            "http://[::1]/",
        ] {
            assert!(is_local(url), "{url}");
        }
        for url in [
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
            "http://10.0.0.1/",
            "http://[::2]/",
            "http://keys/",
        ] {
            assert!(!is_local(url), "{url}");
        }
    }
}
