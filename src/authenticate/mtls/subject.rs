//! The subjects of client certificates: the entries of a provider's `subjects`.
//!
//! A pattern is compared with one subject alternative name (RFC 5280 §4.2.1.6): with a URI, or with a DNS name. A URI has
//! the grammar of a SPIFFE ID (SPIFFE-ID §2), with any scheme: it has one spelling, so that it is compared byte by byte.

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;

/// A pattern of subjects: one URI or DNS name, or several by a wildcard.
///
/// ```
/// use countersign::authenticate::mtls::subject::SubjectPattern;
///
/// let pattern = SubjectPattern::parse("spiffe://cluster.local/ns/shop/sa/*")?;
/// assert!(pattern.matches_uri("spiffe://cluster.local/ns/shop/sa/cart"));
/// assert!(!pattern.matches_uri("spiffe://cluster.local/ns/shop/sa/cart/admin"));
/// assert!(SubjectPattern::parse("*.example.com")?.matches_dns("cart.example.com"));
/// # Ok::<(), countersign::authenticate::mtls::subject::InvalidSubject>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectPattern(Pattern);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// Matches URIs.
    Uri {
        /// The URI. A segment `*` matches any segment.
        uri: Box<str>,
        /// Whether the URI is followed by `/**`: one or more segments of any text.
        any_rest: bool,
    },
    /// Matches DNS names.
    Dns {
        /// The name; with `below`, the domain with a dot in front.
        name: Box<str>,
        /// Whether any labels before the domain match.
        below: bool,
    },
}

/// Why a text is not a valid pattern of subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubject {
    /// It matches every certificate.
    #[error(
        "this would accept every verified certificate: expected a trust domain, such as `spiffe://cluster.local/**`"
    )]
    Any,
    /// It has attributes of a distinguished name.
    #[error("a distinguished name (`CN=…`) is not compared: expected a URI or a DNS name")]
    DistinguishedName,
    /// It is an e-mail address.
    #[error("an e-mail address is not compared: expected a URI or a DNS name")]
    Email,
    /// It is an IP address.
    #[error("an IP address is not compared: expected a URI or a DNS name")]
    Address,
    /// It is neither a URI nor a DNS name.
    #[error("expected a URI such as `spiffe://cluster.local/ns/shop/sa/cart`, or a DNS name")]
    Name,
    /// It is a DNS name with a wildcard that is not the first label.
    #[error("`*` is only allowed as the first label of a DNS name: `*.example.com`")]
    DnsWildcard,
    /// It has no valid scheme.
    #[error("expected a scheme in lower case before `://`, such as `spiffe`")]
    Scheme,
    /// It has no valid host.
    #[error("expected a host in lower case after `://`, without user, port and wildcard")]
    Host,
    /// It has a `*` that is not a whole segment.
    #[error("`*` must be a whole segment, and `**` the last one")]
    Wildcard,
    /// It has a segment that no valid URI has.
    #[error(
        "expected segments of letters, digits, `.`, `-` and `_`: none is empty, `.` or `..`, and no `/` is at the end"
    )]
    Segment,
}

/// Prints the pattern as the configuration writes it.
impl fmt::Display for SubjectPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pattern::Uri { uri, any_rest } => {
                write!(formatter, "{uri}{}", if *any_rest { "/**" } else { "" })
            }
            Pattern::Dns { name, below } => {
                write!(formatter, "{}{name}", if *below { "*" } else { "" })
            }
        }
    }
}

impl SubjectPattern {
    /// Parses a pattern: a URI if it has `://`, else a DNS name.
    ///
    /// In the path of a URI, the segment `*` matches one segment, and `**` at the end matches one or more. `*.` before a
    /// DNS name matches one or more labels.
    ///
    /// # Errors
    /// [`InvalidSubject`].
    pub fn parse(text: &str) -> Result<Self, InvalidSubject> {
        let pattern = match text.split_once("://") {
            Some((scheme, rest)) => uri(scheme, rest),
            None => dns(text),
        };
        pattern.map(Self)
    }

    /// Whether the pattern matches a URI of a certificate. What has not the grammar of a SPIFFE ID never matches.
    pub fn matches_uri(&self, sent: &str) -> bool {
        let Pattern::Uri { uri, any_rest } = &self.0 else {
            return false;
        };
        let mut rest = sent.split('/');
        uri.split('/')
            .all(|own| rest.next().is_some_and(|sent| own == "*" || own == sent))
            && *any_rest == rest.next().is_some()
            && is_uri(sent)
    }

    /// Whether the pattern matches a DNS name of a certificate. A name with a wildcard never matches.
    pub fn matches_dns(&self, sent: &str) -> bool {
        let Pattern::Dns { name, below } = &self.0 else {
            return false;
        };
        let tail = match below {
            // A label and a dot are before the domain.
            true => sent
                .len()
                .checked_sub(name.len())
                .filter(|&start| start > 0),
            false => Some(0),
        };
        tail.and_then(|start| sent.get(start..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(name))
            && is_dns_name(sent)
    }
}

fn uri(scheme: &str, rest: &str) -> Result<Pattern, InvalidSubject> {
    let (rest, any_rest) = match rest.strip_suffix("/**") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let mut segments = rest.split('/');
    if !is_scheme(scheme) {
        return Err(InvalidSubject::Scheme);
    }
    if !segments.next().is_some_and(is_host) {
        return Err(InvalidSubject::Host);
    }
    for segment in segments.filter(|segment| *segment != "*") {
        if segment.contains('*') {
            return Err(InvalidSubject::Wildcard);
        }
        if !is_segment(segment) {
            return Err(InvalidSubject::Segment);
        }
    }
    Ok(Pattern::Uri {
        uri: format!("{scheme}://{rest}").into(),
        any_rest,
    })
}

fn dns(text: &str) -> Result<Pattern, InvalidSubject> {
    let (domain, name) = match text.strip_prefix('*') {
        Some(name) => (name.strip_prefix('.').unwrap_or(name), name),
        None => (text, text),
    };
    if matches!(domain, "" | "*") {
        Err(match text {
            "" => InvalidSubject::Name,
            _ => InvalidSubject::Any,
        })
    } else if domain.contains('=') {
        Err(InvalidSubject::DistinguishedName)
    } else if domain.contains('@') {
        Err(InvalidSubject::Email)
    } else if domain.parse::<IpAddr>().is_ok() {
        Err(InvalidSubject::Address)
    } else if domain.contains('*') || name.len() < text.len() && name == domain {
        Err(InvalidSubject::DnsWildcard)
    } else if is_dns_name(domain) {
        Ok(Pattern::Dns {
            name: name.into(),
            below: name.len() < text.len(),
        })
    } else {
        Err(InvalidSubject::Name)
    }
}

/// Whether a text is a URI with the grammar of a SPIFFE ID.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let mut parts = rest.split('/');
    is_scheme(scheme) && parts.next().is_some_and(is_host) && parts.all(is_segment)
}

/// Whether a text is a scheme (RFC 3986 §3.1) in lower case.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'))
}

/// Whether a text is the name of a trust domain (SPIFFE-ID §2.1).
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'))
}

/// Whether a text is a segment of a path (SPIFFE-ID §2.2).
fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// Whether a text is a DNS name without wildcard and without a dot at the end.
fn is_dns_name(text: &str) -> bool {
    text.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}
