//! The headers that let a page of another origin read a response (WHATWG Fetch §3.2.3, "HTTP responses").
//!
//! Only responses of the filter have them. The upstream decides about its own responses.

use crate::grammar::is_tchar;
use crate::header_map::HeaderMap;
use crate::presentation::cors::{Cors, Origins};
use crate::request::{Field, RequestView};

/// The headers that a page needs, and may read only if they are listed (Fetch, "CORS-safelisted response-header name").
const EXPOSED: &str = "WWW-Authenticate, Retry-After, DPoP-Nonce";
/// The same for gRPC-Web, which reads its status from headers.
const EXPOSED_TO_GRPC_WEB: &str =
    "WWW-Authenticate, Retry-After, DPoP-Nonce, grpc-status, grpc-message";

/// The most bytes of `access-control-request-*` that an answer repeats. Browsers send far fewer.
const MOST_NAMES: usize = 4096;

/// Lets the request's origin read the response, if the configuration allows that origin.
pub(super) fn allow_reading(cors: &Cors, request: &RequestView<'_>, headers: &mut HeaderMap) {
    if allow_origin(cors, request, headers) {
        let exposed = match request.field(b"content-type") {
            Field::One(value) if value.starts_with(b"application/grpc-web") => EXPOSED_TO_GRPC_WEB,
            _ => EXPOSED,
        };
        headers.put("access-control-expose-headers", exposed);
    }
}

/// Answers a preflight from an allowed origin.
pub(super) fn answer_preflight(cors: &Cors, request: &RequestView<'_>, headers: &mut HeaderMap) {
    let mut depends_on = "origin".to_owned();
    if allow_origin(cors, request, headers) {
        let methods = if cors.methods.is_empty() {
            depends_on.push_str(", access-control-request-method");
            asked_for(request, b"access-control-request-method")
        } else {
            Some(cors.methods.join(", "))
        };
        let names = if cors.headers.is_empty() {
            depends_on.push_str(", access-control-request-headers");
            asked_for(request, b"access-control-request-headers")
        } else {
            Some(cors.headers.join(", "))
        };
        if let Some(methods) = methods {
            headers.put("access-control-allow-methods", &methods);
        }
        if let Some(names) = names {
            headers.put("access-control-allow-headers", &names);
        }
        let seconds = cors.max_age.as_secs().to_string();
        headers.put("access-control-max-age", &seconds);
    }
    headers.put("vary", &depends_on);
    headers.put("cache-control", "no-store");
}

/// Answers a preflight for the metadata of the resource, which every origin may read.
pub(super) fn allow_reading_metadata(request: &RequestView<'_>, headers: &mut HeaderMap) {
    headers.put("access-control-allow-origin", "*");
    headers.put("access-control-allow-methods", "GET, HEAD");
    if let Some(names) = asked_for(request, b"access-control-request-headers") {
        headers.put("access-control-allow-headers", &names);
    }
    headers.put("access-control-max-age", "3600");
    headers.put("vary", "access-control-request-headers");
    headers.put("cache-control", "no-store");
}

fn allow_origin(cors: &Cors, request: &RequestView<'_>, headers: &mut HeaderMap) -> bool {
    let Field::One(origin) = request.field(b"origin") else {
        return false;
    };
    let Some(allowed) = cors.allowed(origin) else {
        return false;
    };
    headers.put("access-control-allow-origin", allowed);
    if cors.credentials && cors.origins != Origins::Any {
        headers.put("access-control-allow-credentials", "true");
    }
    true
}

/// The names that a preflight asks for; none if they are no list of tokens.
fn asked_for(request: &RequestView<'_>, field: &[u8]) -> Option<String> {
    let Field::One(names) = request.field(field) else {
        return None;
    };
    let well_formed = names.len() <= MOST_NAMES
        && names
            .iter()
            .all(|byte| is_tchar(*byte) || matches!(byte, b',' | b' '));
    let names = std::str::from_utf8(names).ok()?;
    (well_formed && !names.is_empty()).then(|| names.to_owned())
}
