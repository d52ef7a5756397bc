//! A response as the page shows it: the response as received, and what Envoy says about it.

use demo::support::client::Response;
use serde::Serialize;

/// The header of the page's requests. Envoy answers them with the headers of [`REVEALED`] besides the others.
pub const REVEALING: &str = "x-countersign-page";
/// The headers that Envoy adds, and their values: see the command operators of its access log.
pub const REVEALED: [(&str, &str); 4] = [
    ("x-countersign-page-details", "%RESPONSE_CODE_DETAILS%"),
    (
        "x-countersign-page-reason",
        "%FILTER_STATE(wasm.countersign.reason:PLAIN)%",
    ),
    (
        "x-countersign-page-rule",
        "%FILTER_STATE(wasm.countersign.rule:PLAIN)%",
    ),
    (
        "x-countersign-page-provider",
        "%FILTER_STATE(wasm.countersign.provider:PLAIN)%",
    ),
];
/// The longest body that is shown, in bytes.
const LONGEST: usize = 64 * 1024;

/// A response.
#[derive(Serialize)]
pub struct Received {
    status: u16,
    /// Names and values, in order. Bytes that are not UTF-8 are replaced.
    headers: Vec<(String, String)>,
    body: String,
    /// Whether the body is longer than what is shown.
    is_cut: bool,
    /// Whether the upstream sent the response.
    is_of_upstream: bool,
    /// `%RESPONSE_CODE_DETAILS%` of Envoy.
    details: Option<String>,
    /// The filter state of Countersign.
    reason: Option<String>,
    rule: Option<String>,
    provider: Option<String>,
}

impl Received {
    /// Separates what Envoy says about a response from the response.
    pub fn new(response: &Response) -> Self {
        let revealed = |index: usize| {
            let mut values = response.values(REVEALED[index].0);
            let value = String::from_utf8_lossy(values.next()?).into_owned();
            (!value.is_empty() && value != "-").then_some(value)
        };
        let headers = response.headers.iter();
        let headers = headers.filter(|(name, _)| REVEALED.iter().all(|(own, _)| own != name));
        let shown = &response.body[..response.body.len().min(LONGEST)];
        Self {
            status: response.status,
            headers: headers
                .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
                .collect(),
            body: String::from_utf8_lossy(shown).into_owned(),
            is_cut: shown.len() < response.body.len(),
            is_of_upstream: response.values("x-upstream").next().is_some(),
            details: revealed(0),
            reason: revealed(1),
            rule: revealed(2),
            provider: revealed(3),
        }
    }
}
