//! CORS preflights (WHATWG Fetch, "CORS-preflight fetch").

use super::{Field, RequestView};

/// A CORS preflight: OPTIONS with one `Origin` and one `Access-Control-Request-Method`.
#[derive(Debug, Clone, Copy)]
pub struct Preflight<'a> {
    /// The origin of the page.
    pub origin: &'a [u8],
    /// The method of the request that the page wants to send.
    pub method: &'a [u8],
}

impl<'a> RequestView<'a> {
    /// The request as a preflight, if it is one.
    pub fn as_preflight(&self) -> Option<Preflight<'a>> {
        if self.method() != b"OPTIONS" {
            return None;
        }
        match (
            self.field(b"origin"),
            self.field(b"access-control-request-method"),
        ) {
            (Field::One(origin), Field::One(method)) => Some(Preflight { origin, method }),
            _ => None,
        }
    }
}
