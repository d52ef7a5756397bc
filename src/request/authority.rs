//! The authority of a request: which host it names, and whether it names one at all.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;

/// A host as rules compare it: lower case, without port and trailing dot (RFC 9110 §4.2.3, RFC 3986 §3.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host<'a>(Cow<'a, str>);

impl<'a> Host<'a> {
    /// The host of `authority`, which is `host [":" port]`.
    ///
    /// None where it is empty, holds user information, or is no host: a comma shows two Host fields joined into one.
    pub fn parse(authority: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(authority).ok()?;
        let (host, port) = match text.strip_prefix('[') {
            Some(literal) => {
                let (address, port) = literal.split_once(']')?;
                // An address has many spellings, and one host has one (RFC 5952).
                let address: Ipv6Addr = address.parse().ok()?;
                (Cow::Owned(format!("[{address}]")), port)
            }
            None => {
                let end = text.bytes().position(|byte| byte == b':');
                let (name, port) = text.split_at_checked(end.unwrap_or(text.len()))?;
                (host_of_name(name)?, port)
            }
        };
        let port_is_fine = match port.strip_prefix(':') {
            Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
            None => port.is_empty(),
        };
        port_is_fine.then_some(Self(host))
    }

    /// The host's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A `reg-name` without percent-encoding (RFC 3986 §3.2.2), whose labels are not empty.
fn host_of_name(name: &str) -> Option<Cow<'_, str>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(&byte);
    let mut labels = name.as_bytes().split(|byte| *byte == b'.');
    if labels.any(<[u8]>::is_empty) || !name.bytes().all(may_stand) {
        return None;
    }
    Some(if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    })
}

/// Which hosts a rule names: one, or every host below a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    /// The host, or with `below` the domain and the dot before it.
    text: String,
    below: bool,
}

/// The hosts that a pattern names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosts<'a> {
    /// This one.
    One(&'a str),
    /// Every host that ends in this, which is a domain with a dot before it.
    Below(&'a str),
}

impl HostPattern {
    /// `orders.example.com`, or `*.example.com` for one or more labels before `example.com`.
    ///
    /// None where the text is neither: a port, a wildcard elsewhere, an empty host.
    pub fn parse(text: &str) -> Option<Self> {
        let (domain, below) = match text.strip_prefix("*.") {
            Some(domain) => (domain, true),
            None => (text, false),
        };
        let host = Host::parse(domain.as_bytes())?;
        let has_port = !domain.ends_with(']') && domain.contains(':') || domain.contains("]:");
        if has_port || domain.contains('*') {
            return None;
        }
        let text = if below {
            format!(".{}", host.as_str())
        } else {
            host.as_str().to_owned()
        };
        Some(Self { text, below })
    }

    /// The hosts that it names.
    pub fn hosts(&self) -> Hosts<'_> {
        if self.below {
            Hosts::Below(&self.text)
        } else {
            Hosts::One(&self.text)
        }
    }

    /// Whether `host` is one of these.
    pub fn fits(&self, host: &Host<'_>) -> bool {
        if self.below {
            host.as_str().ends_with(&self.text) && host.as_str().len() > self.text.len()
        } else {
            host.as_str() == self.text
        }
    }

    /// Whether every host that fits `other` fits this.
    pub fn covers(&self, other: &Self) -> bool {
        self == other || self.below && other.text.ends_with(&self.text)
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.below { "*" } else { "" };
        write!(formatter, "{star}{}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(authority: &str) -> Option<String> {
        Host::parse(authority.as_bytes()).map(|host| host.as_str().to_owned())
    }

    #[test]
    fn x_23_case_port_and_trailing_dot_do_not_matter() {
        for authority in [
            "API.example.com",
            "api.example.com:443",
            "api.example.com.",
            "api.example.com.:80",
        ] {
            assert_eq!(
                host(authority).as_deref(),
                Some("api.example.com"),
                "{authority}"
            );
        }
        for authority in ["[::1]:8080", "[0:0::0:1]", "[::0001]"] {
            assert_eq!(host(authority).as_deref(), Some("[::1]"), "{authority}");
        }
    }

    #[test]
    fn x_22_what_names_no_one_host_is_refused() {
        for authority in [
            "",
            ".",
            ":80",
            "user@api.example.com",
            "a,b",
            "a.example, b.example",
            "a b",
            "a:80:80",
            "a:x",
            "[::1",
            "[zz]",
            "[::1]x",
            "a/b",
            "a\\b",
            "a..b",
            "a..",
            "..",
            "a..:80",
            "a[b",
            "a%2eb",
        ] {
            assert_eq!(host(authority), None, "{authority}");
        }
        assert_eq!(Host::parse(b"\xff.example"), None);
    }

    #[test]
    fn a_wildcard_stands_for_one_or_more_labels() {
        let pattern = HostPattern::parse("*.Example.com").unwrap();
        let fits = |authority: &str| pattern.fits(&Host::parse(authority.as_bytes()).unwrap());
        assert!(fits("a.example.com") && fits("a.b.example.com"));
        assert!(!fits("example.com") && !fits("badexample.com"));
        assert!(pattern.covers(&HostPattern::parse("a.example.com").unwrap()));
        assert!(pattern.covers(&HostPattern::parse("*.a.example.com").unwrap()));
        assert!(!pattern.covers(&HostPattern::parse("example.com").unwrap()));
        for text in ["*", "a.*", "*.", "a.example.com:80", "*.*.example.com"] {
            assert_eq!(HostPattern::parse(text), None, "{text}");
        }
    }
}
