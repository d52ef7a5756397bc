//! The address of an issuer's document.

use std::fmt;

use crate::request::authority::Host;

/// An absolute `http` or `https` URL, taken apart as a request needs it (RFC 3986 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Whether it is `https`.
    pub is_https: bool,
    /// The authority, for `Host`.
    pub authority: String,
    /// The path and the query; at least `/`.
    pub path: String,
}

impl Url {
    /// Parses a URL; none where it is no absolute one, has user information or a fragment, or holds anything but
    /// visible ASCII.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let visible = rest.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible || rest.contains(['#', '\\']) {
            return None;
        }
        Host::parse(authority.as_bytes())?;
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

    /// Whether both have one scheme, host and port (RFC 6454 §5).
    pub fn has_origin_of(&self, other: &Self) -> bool {
        self.is_https == other.is_https && self.host_and_port() == other.host_and_port()
    }

    fn host_and_port(&self) -> &str {
        let default = if self.is_https { ":443" } else { ":80" };
        self.authority
            .strip_suffix(default)
            .unwrap_or(&self.authority)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(formatter, "{scheme}://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_urls_apart() {
        let url = Url::parse("https://Login.example.com:8443/a/b?c=d").unwrap();
        assert_eq!(url.authority, "login.example.com:8443");
        assert_eq!(url.path, "/a/b?c=d");
        assert_eq!(Url::parse("http://a").unwrap().path, "/");
        assert_eq!(Url::parse("http://a?x").unwrap().path, "/?x");
        for text in [
            "/a",
            "ftp://a/",
            "https://",
            "https://u@a/",
            "https://a/#f",
            "https://a/ b",
            "https://a\\b/",
            "https://a,b/",
        ] {
            assert_eq!(Url::parse(text), None, "{text}");
        }
    }

    #[test]
    fn origins_are_compared_with_their_default_ports() {
        let same = |one: &str, two: &str| {
            Url::parse(one)
                .unwrap()
                .has_origin_of(&Url::parse(two).unwrap())
        };
        assert!(same("https://a/x", "https://A:443/y"));
        assert!(same("http://a:80/", "http://a"));
        assert!(!same("https://a", "http://a"));
        assert!(!same("https://a", "https://a:8443"));
        assert!(!same("https://a", "https://a.b"));
    }
}
