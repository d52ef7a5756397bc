//! What protects a web server on a user's machine from other pages in the user's browser.
//!
//! 1. `Host` must name this server. Otherwise a page whose name resolves to this address (DNS rebinding) can read responses.
//! 2. A POST must have the `Origin` of this page. Otherwise any page can send requests.
//! 3. No response has CORS headers, so no other page can read one.
//! 4. The Content-Security-Policy allows the files of this server alone, and no text as HTML.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State as Extracted};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::time::timeout;

use crate::state::State;

const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'";
/// How long a request may take. A client that does not send its body receives 408.
const LONGEST: Duration = Duration::from_secs(90);
/// The headers of every response.
const ADDED: [(HeaderName, HeaderValue); 6] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// Answers only requests of this page.
pub async fn guard(
    Extracted(state): Extracted<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match refusal(request.method(), request.headers(), &state.hosts) {
        Some(refusal) => refusal.into_response(),
        None => match timeout(LONGEST, next.run(request)).await {
            Ok(response) => response,
            Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
        },
    };
    response
        .headers_mut()
        .extend(ADDED.map(|(name, value)| (Some(name), value)));
    response
}

/// Why a request is refused.
fn refusal(method: &Method, headers: &HeaderMap, hosts: &[String]) -> Option<(StatusCode, String)> {
    let only = |name| {
        let mut values = headers.get_all(name).iter();
        let value = values
            .next()
            .and_then(|value: &HeaderValue| value.to_str().ok());
        value.filter(|_| values.next().is_none())
    };
    let host = only(header::HOST).filter(|host| hosts.iter().any(|own| own == host));
    let Some(host) = host else {
        let text = format!("expected `Host` to be one of: {}\n", hosts.join(", "));
        return Some((StatusCode::MISDIRECTED_REQUEST, text));
    };
    if *method == Method::GET || *method == Method::HEAD {
        return None;
    }
    if only(header::ORIGIN).and_then(|origin| origin.strip_prefix("http://")) != Some(host) {
        let text = format!("expected `Origin` to be `http://{host}`\n");
        return Some((StatusCode::FORBIDDEN, text));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: Method, headers: &[(HeaderName, &str)]) -> Option<u16> {
        let headers = headers.iter();
        let headers = headers.map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value);
        }
        let hosts = ["127.0.0.1:10100", "localhost:10100"].map(str::to_owned);
        refusal(&method, &map, &hosts).map(|(status, _)| status.as_u16())
    }

    #[test]
    fn only_this_page_is_answered() {
        let host = |value| (header::HOST, value);
        let local = host("localhost:10100");
        assert_eq!(status(Method::GET, std::slice::from_ref(&local)), None);
        assert_eq!(status(Method::GET, &[host("127.0.0.1:10100")]), None);
        for rebound in [
            &[host("attacker.example:10100")][..],
            &[host("localhost")],
            &[],
            &[local.clone(), local.clone()],
        ] {
            assert_eq!(status(Method::GET, rebound), Some(421), "{rebound:?}");
        }
        let post = |origins: &[&str]| {
            let origins = origins.iter().map(|value| (header::ORIGIN, *value));
            let headers: Vec<_> = [local.clone()].into_iter().chain(origins).collect();
            status(Method::POST, &headers)
        };
        assert_eq!(post(&["http://localhost:10100"]), None);
        for foreign in [
            &[][..],
            &["null"],
            &["http://attacker.example"],
            &["https://localhost:10100"],
            &["http://localhost:10100.attacker.example"],
            &["http://127.0.0.1:10100"],
            &["http://localhost:10100", "http://localhost:10100"],
        ] {
            assert_eq!(post(foreign), Some(403), "{foreign:?}");
        }
    }
}
