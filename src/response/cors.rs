//! The headers that let a page of another origin read a response (WHATWG Fetch §3.2.3, "HTTP responses").
//!
//! Only responses of the filter have them. The upstream decides about its own responses.

use super::headers::{Headers, put};
use crate::grammar::is_tchar;
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
pub(super) fn allow_reading(cors: &Cors, request: &RequestView<'_>, headers: &mut Headers) {
    if allow_origin(cors, request, headers) {
        let exposed = match request.field(b"content-type") {
            Field::One(value) if value.starts_with(b"application/grpc-web") => EXPOSED_TO_GRPC_WEB,
            _ => EXPOSED,
        };
        put(headers, "access-control-expose-headers", exposed);
    }
}

/// Answers a preflight from an allowed origin.
pub(super) fn answer_preflight(cors: &Cors, request: &RequestView<'_>, headers: &mut Headers) {
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
            put(headers, "access-control-allow-methods", methods);
        }
        if let Some(names) = names {
            put(headers, "access-control-allow-headers", names);
        }
        let seconds = cors.max_age.as_secs().to_string();
        put(headers, "access-control-max-age", seconds);
    }
    put(headers, "vary", depends_on);
    put(headers, "cache-control", "no-store");
}

/// Answers a preflight for the metadata of the resource, which every origin may read.
pub(super) fn allow_reading_metadata(request: &RequestView<'_>, headers: &mut Headers) {
    put(headers, "access-control-allow-origin", "*");
    put(headers, "access-control-allow-methods", "GET, HEAD");
    if let Some(names) = asked_for(request, b"access-control-request-headers") {
        put(headers, "access-control-allow-headers", names);
    }
    put(headers, "access-control-max-age", "3600");
    put(headers, "vary", "access-control-request-headers");
    put(headers, "cache-control", "no-store");
}

fn allow_origin(cors: &Cors, request: &RequestView<'_>, headers: &mut Headers) -> bool {
    let Field::One(origin) = request.field(b"origin") else {
        return false;
    };
    let Some(allowed) = cors.allowed(origin) else {
        return false;
    };
    put(headers, "access-control-allow-origin", allowed);
    if cors.credentials && cors.origins != Origins::Any {
        put(headers, "access-control-allow-credentials", "true");
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
