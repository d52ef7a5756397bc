//! Which other origins may read responses (WHATWG Fetch §3.2, "CORS protocol").

use std::time::Duration;

use crate::url::is_browser_origin;

/// Which other origins may read responses, and what preflights receive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// The allowed origins.
    pub origins: Origins,
    /// Who answers preflights.
    pub preflight: Preflight,
    /// The methods that the answer to a preflight allows. If empty, the answer repeats the requested method.
    pub methods: Vec<String>,
    /// The headers that the answer to a preflight allows. If empty, the answer repeats the requested headers.
    pub headers: Vec<String>,
    /// Whether requests may carry cookies.
    pub credentials: bool,
    /// How long a browser may cache the answer to a preflight.
    pub max_age: Duration,
}

/// Origins, compared byte by byte with what browsers send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Every origin. Requests then carry no cookies.
    Any,
    /// Only these origins.
    Only(Vec<OriginPattern>),
}

/// One origin, or the origins of all hosts below a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginPattern {
    /// This origin.
    One(String),
    /// The origins with this scheme and port whose host has one or more labels before this domain.
    Below {
        /// The scheme, with `://`.
        scheme: String,
        /// A dot, the domain, and the port if there is one.
        domain: String,
    },
}

/// Who answers a preflight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preflight {
    /// The upstream. The preflight passes without credentials.
    #[default]
    Pass,
    /// The filter.
    Answer,
    /// The upstream, if the preflight has a valid credential like any other request.
    Authenticate,
}

impl Cors {
    /// The value of `access-control-allow-origin` for a request from `origin`; none if that origin is not allowed.
    pub fn allowed<'o>(&self, origin: &'o [u8]) -> Option<&'o str> {
        match &self.origins {
            Origins::Any => Some("*"),
            Origins::Only(patterns) => {
                let origin = std::str::from_utf8(origin).ok()?;
                let is_allowed = patterns.iter().any(|own| own.matches(origin));
                is_allowed.then_some(origin)
            }
        }
    }
}

impl OriginPattern {
    /// Parses `null`, `https://app.example.com` or `https://*.example.com`.
    ///
    /// None if the text is not an origin as browsers send it, or has a `*` elsewhere than before a domain.
    pub fn parse(text: &str) -> Option<Self> {
        let Some((scheme, domain)) = text.split_once("://*.") else {
            let is_origin = text == "null" || is_browser_origin(text);
            return is_origin.then(|| Self::One(text.to_owned()));
        };
        // No host is below an IP address.
        let host = domain.split(':').next().unwrap_or(domain);
        let last = host.rsplit('.').next().unwrap_or(host);
        let is_address = last.bytes().all(|byte| byte.is_ascii_digit()) || host.starts_with('[');
        let is_origin = is_browser_origin(&format!("{scheme}://{domain}"));
        (is_origin && !is_address && !host.ends_with('.')).then(|| Self::Below {
            scheme: format!("{scheme}://"),
            domain: format!(".{domain}"),
        })
    }

    /// Whether the pattern matches the value of an `Origin` header.
    pub fn matches(&self, origin: &str) -> bool {
        match self {
            Self::One(own) => own == origin,
            // The host of an origin has no empty label, so that whole labels precede the domain.
            Self::Below { scheme, domain } => {
                origin.starts_with(&**scheme)
                    && origin.ends_with(&**domain)
                    && is_browser_origin(origin)
            }
        }
    }

    /// Whether the pattern matches every host below a top-level domain.
    pub fn is_below_top_level(&self) -> bool {
        match self {
            Self::One(_) => false,
            Self::Below { domain, .. } => domain.matches('.').count() == 1,
        }
    }
}
