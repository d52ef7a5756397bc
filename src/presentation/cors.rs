//! Which other origins may read responses (WHATWG Fetch §3.2, "CORS protocol").

use std::time::Duration;

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
    pub fn allowed<'o>(&'o self, origin: &[u8]) -> Option<&'o str> {
        match &self.origins {
            Origins::Any => Some("*"),
            Origins::Only(origins) => origins
                .iter()
                .map(String::as_str)
                .find(|own| own.as_bytes() == origin),
        }
    }
}
