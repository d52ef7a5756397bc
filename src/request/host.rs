//! The hosts that a rule applies to.

use std::fmt;

use crate::url::Host;

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
