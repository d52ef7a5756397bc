//! Which other origins may read answers (WHATWG Fetch §3.2, "CORS protocol").

use std::time::Duration;

/// Which other origins may read answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// The origins.
    pub origins: Origins,
    /// What becomes of preflights.
    pub preflight: Preflight,
    /// The methods that an answered preflight allows; none repeats the one that was asked for.
    pub methods: Vec<String>,
    /// The header fields that an answered preflight allows; none repeats those that were asked for.
    pub headers: Vec<String>,
    /// Whether requests may carry cookies.
    pub credentials: bool,
    /// How long a browser may remember an answered preflight.
    pub max_age: Duration,
}

/// Origins, compared exactly as browsers write them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Any; requests then carry no cookies.
    Any,
    /// These.
    Only(Vec<String>),
}

/// What becomes of a preflight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preflight {
    /// It goes on to the upstream, without credentials.
    #[default]
    Pass,
    /// The filter answers.
    Answer,
    /// It needs a credential like any other request.
    Authenticate,
}

impl Cors {
    /// The value of `access-control-allow-origin` for a request of that origin; none where it may read nothing.
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
