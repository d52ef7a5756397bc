//! Absolute URLs, and the host of an authority (RFC 3986 §3).
//!
//! One function divides a URL into its parts, and four kinds of URL build on it:
//!
//! 1. the URL of a key source or of a metadata document, [`Url::parse`];
//! 2. the URL of a web page, which can be a link in a page, [`is_web_page`];
//! 3. an origin: the filter's own, [`Url::parse_origin`], and one that a browser sends, [`is_browser_origin`];
//! 4. the URL of a request, [`names_resource`].

mod normal;
mod resource;

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

pub use self::normal::normalized;
pub use self::resource::names_resource;

/// An absolute `http` or `https` URL, in the parts that a request for it needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Url {
    /// Whether the scheme is `https`.
    pub is_https: bool,
    /// The host and the port, in lower case: the value of `Host`.
    pub authority: String,
    /// The path and the query; at least `/`.
    pub path: String,
}

impl Url {
    /// Parses a URL.
    ///
    /// None if the URL is not absolute, has another scheme, user information or a fragment, or holds a `\` or a byte
    /// that is not visible ASCII.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, authority, path) = split(text)?;
        let is_https = is_https(scheme)?;
        let is_visible = path.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_visible || path.contains(['#', '\\']) {
            return None;
        }
        Some(Self {
            is_https,
            authority: authority.to_ascii_lowercase(),
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
        })
    }

    /// Parses an origin, which is a URL without a path, and returns it as browsers serialise it:
    /// `https://orders.example.com`.
    pub fn parse_origin(text: &str) -> Option<String> {
        let url = Self::parse(text).filter(|url| url.path == "/" && !text.ends_with('/'))?;
        Some(format!("{}://{}", url.scheme(), url.authority))
    }

    /// Whether both URLs have the same origin: scheme, host and port (RFC 6454 §5).
    pub fn has_origin_of(&self, other: &Self) -> bool {
        self.is_https == other.is_https && self.host_and_port() == other.host_and_port()
    }

    /// Whether the host is the same machine: `localhost` (RFC 6761 §6.3), `127.0.0.0/8` or `[::1]`.
    pub fn is_loopback(&self) -> bool {
        let Some(host) = Host::parse(self.authority.as_bytes()) else {
            return false;
        };
        let address: Result<Ipv4Addr, _> = host.as_str().parse();
        matches!(host.as_str(), "localhost" | "[::1]")
            || address.is_ok_and(|address| address.is_loopback())
    }

    /// The scheme: `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }

    /// The host, and the port if it is not the scheme's default.
    fn host_and_port(&self) -> &str {
        without_default_port(&self.authority, self.is_https)
    }
}

/// An authority without the scheme's default port, which can also be empty (RFC 3986 §6.2.3).
fn without_default_port(authority: &str, is_https: bool) -> &str {
    let default = if is_https { ":443" } else { ":80" };
    let host = authority
        .strip_suffix(default)
        .or_else(|| authority.strip_suffix(':'));
    host.unwrap_or(authority)
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}://{}{}",
            self.scheme(),
            self.authority,
            self.path
        )
    }
}

/// Whether a text is the URL of a web page, which can be a link in a page and the value of a header.
///
/// The scheme is `http` or `https`, so that a link cannot run a script. The URL has a host and no user information. It
/// holds only visible ASCII, and no character that could end the URL in a page or a header.
pub fn is_web_page(text: &str) -> bool {
    // RFC 3986 §2 allows none of these but the apostrophe, which ends an attribute in a page.
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte);
    split(text).is_some_and(|(scheme, authority, rest)| {
        is_https(scheme).is_some()
            && authority.bytes().all(is_allowed)
            && rest.bytes().all(is_allowed)
    })
}

/// Whether a text is an origin as browsers serialise it in `Origin` (RFC 6454 §6.2), which is compared byte by byte.
///
/// It is in lower case, without the scheme's default port and without a path. Extensions of browsers have schemes other
/// than `http` and `https`.
#[inline(never)]
pub fn is_browser_origin(text: &str) -> bool {
    let Some((scheme, authority, "")) = split(text) else {
        return false;
    };
    let is_scheme = !scheme.is_empty()
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || b"+-.".contains(&byte));
    let has_default_port = match scheme {
        "http" => authority.ends_with(":80"),
        "https" => authority.ends_with(":443"),
        _ => false,
    };
    is_scheme
        && !has_default_port
        && !authority.ends_with(':')
        && authority.bytes().all(
            |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b':' | b'[' | b']'),
        )
}

/// The scheme, the authority, and the path with query and fragment of an absolute URL (RFC 3986 §3).
///
/// None if the authority is not a host with an optional port.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    Host::parse(authority.as_bytes())?;
    Some((scheme, authority, path))
}

/// Whether a text is a URL with user information: a user name, and often a password (RFC 3986 §3.2.1).
#[inline(never)]
pub fn has_user_information(text: &str) -> bool {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let mut authority = rest.bytes().take_while(|byte| !b"/?#".contains(byte));
    authority.any(|byte| byte == b'@')
}

/// Whether a scheme is `https`; none if it is neither `https` nor `http`. Case is ignored (RFC 3986 §3.1).
fn is_https(scheme: &str) -> Option<bool> {
    let is = |other: &str| scheme.eq_ignore_ascii_case(other);
    (is("https") || is("http")).then(|| is("https"))
}

/// A host as rules compare it: in lower case, without the port and the trailing dot (RFC 9110 §4.2.3, RFC 3986 §3.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host<'a>(Cow<'a, str>);

impl<'a> Host<'a> {
    /// The host of `authority`, which is `host [":" port]`.
    ///
    /// None if the authority is empty, has user information, or is not a host. A comma shows that two `Host` headers
    /// were joined.
    pub fn parse(authority: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(authority).ok()?;
        let (host, port) = match text.strip_prefix('[') {
            Some(literal) => {
                let (address, port) = literal.split_once(']')?;
                // An IPv6 address has many spellings. They are compared in the canonical one (RFC 5952).
                let address: Ipv6Addr = address.parse().ok()?;
                (Cow::Owned(format!("[{address}]")), port)
            }
            None => {
                let end = text.bytes().position(|byte| byte == b':');
                let (name, port) = text.split_at_checked(end.unwrap_or(text.len()))?;
                (host_of_name(name)?, port)
            }
        };
        let is_port = match port.strip_prefix(':') {
            Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
            None => port.is_empty(),
        };
        is_port.then_some(Self(host))
    }

    /// The host's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A `reg-name` without percent-encoding and without empty labels (RFC 3986 §3.2.2), in lower case.
fn host_of_name(name: &str) -> Option<Cow<'_, str>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let (mut before, mut has_upper) = (b'.', false);
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => {}
            b'A'..=b'Z' => has_upper = true,
            b'.' if before == b'.' => return None,
            b'.' => {}
            _ if b"_~!$&'()*+;=".contains(&byte) => {}
            _ => return None,
        }
        before = byte;
    }
    // An empty label is also at the end, and a name has one label.
    if before == b'.' {
        return None;
    }
    Some(if has_upper {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    })
}

#[cfg(test)]
mod tests;
