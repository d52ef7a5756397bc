//! The hosts that a rule matches.

use std::fmt;

use crate::url::Host;

/// A pattern of hosts: one host, or every host below a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    /// The host; with `below`, the domain with a dot in front.
    text: String,
    below: bool,
}

/// The hosts that a pattern matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosts<'a> {
    /// This host.
    One(&'a str),
    /// Every longer host that ends with this text: a domain with a dot in front.
    Below(&'a str),
}

impl HostPattern {
    /// Parses `orders.example.com`, or `*.example.com`, which matches one or more labels before `example.com`.
    ///
    /// None if the text is empty, has a port, or has a wildcard elsewhere.
    pub fn parse(text: &str) -> Option<Self> {
        let (domain, below) = match text.strip_prefix("*.") {
            Some(domain) => (domain, true),
            None => (text, false),
        };
        let host = Host::parse(domain.as_bytes())?;
        let has_port = !domain.ends_with(']') && domain.contains(':') || domain.contains("]:");
        // The grammar of a host allows more, such as `*` and `$`, which no host has.
        if has_port || domain.bytes().any(is_unusual) {
            return None;
        }
        let text = if below {
            format!(".{}", host.as_str())
        } else {
            host.as_str().to_owned()
        };
        Some(Self { text, below })
    }

    /// The hosts that the pattern matches.
    pub fn hosts(&self) -> Hosts<'_> {
        if self.below {
            Hosts::Below(&self.text)
        } else {
            Hosts::One(&self.text)
        }
    }

    /// Whether the pattern matches `host`.
    pub fn matches(&self, host: &Host<'_>) -> bool {
        if self.below {
            host.as_str().ends_with(&self.text) && host.as_str().len() > self.text.len()
        } else {
            host.as_str() == self.text
        }
    }

    /// Whether this pattern matches every host that `other` matches.
    pub fn covers(&self, other: &Self) -> bool {
        self == other || self.below && other.text.ends_with(&self.text)
    }
}

/// Whether a host may have a character (RFC 3986 §3.2.2) that none has, and that looks like a pattern.
fn is_unusual(byte: u8) -> bool {
    byte.is_ascii_punctuation() && !matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
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

    #[test]
    fn a_wildcard_matches_one_or_more_labels() {
        let pattern = HostPattern::parse("*.Example.com").unwrap();
        let matches =
            |authority: &str| pattern.matches(&Host::parse(authority.as_bytes()).unwrap());
        assert!(matches("a.example.com") && matches("a.b.example.com"));
        assert!(!matches("example.com") && !matches("badexample.com"));
        assert!(pattern.covers(&HostPattern::parse("a.example.com").unwrap()));
        assert!(pattern.covers(&HostPattern::parse("*.a.example.com").unwrap()));
        assert!(!pattern.covers(&HostPattern::parse("example.com").unwrap()));
        for text in ["*", "a.*", "*.", "a.example.com:80", "*.*.example.com"] {
            assert_eq!(HostPattern::parse(text), None, "{text}");
        }
    }
}
