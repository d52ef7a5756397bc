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
    /// Only these origins, and those that patterns such as `https://*.example.com` match.
    Only(Vec<String>),
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
                let is_allowed = patterns.iter().any(|own| matches(own, origin));
                is_allowed.then_some(origin)
            }
        }
    }
}

/// Whether a text is `null`, an origin as browsers send it, or such an origin with `*` in place of the labels before a
/// domain.
pub fn is_origin_or_pattern(text: &str) -> bool {
    let Some((scheme, domain)) = text.split_once("://*.") else {
        return text == "null" || is_browser_origin(text);
    };
    // No host is below an IP address.
    let host = domain.split(':').next().unwrap_or(domain);
    let last = host.rsplit('.').next().unwrap_or(host);
    let is_address = last.bytes().all(|byte| byte.is_ascii_digit()) || host.starts_with('[');
    !is_address && is_browser_origin(&format!("{scheme}://{domain}"))
}

/// Whether a valid origin or pattern matches the value of an `Origin` header.
fn matches(pattern: &str, origin: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == origin,
        // The host of an origin has no empty label, so that whole labels precede the dot and the domain.
        Some((scheme, domain)) => {
            origin.starts_with(scheme) && origin.ends_with(domain) && is_browser_origin(origin)
        }
    }
}
