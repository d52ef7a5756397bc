//! The response as the client receives it: what the filter hands to Envoy, and what Envoy makes of it.

use countersign::request::RequestView;
use countersign::response::Reply;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// gRPC over HTTP/2, "Responses": `Percent-Byte-Unencoded → %x20-24 / %x26-7E`. Envoy escapes `~` as well.
const MESSAGE: &AsciiSet = &CONTROLS.add(b'%').add(b'~');

/// A response on the wire.
pub struct Response {
    /// The status.
    pub status: u16,
    /// The response-code details in access logs.
    pub details: &'static str,
    /// The headers, without those that Envoy adds to every response: `date` and `server`.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: String,
}

impl Response {
    /// The response to a request. Envoy sends a gRPC call its content as a header, and omits both content and header for HEAD.
    pub fn new(reply: Reply, request: &RequestView<'_>) -> Self {
        let headers = reply.headers.iter();
        let mut headers: Vec<_> = headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (mut status, mut body) = (reply.status, reply.body);
        let is_head = request.method() == b"HEAD";
        if request.is_grpc() {
            status = 200;
            headers.push(("content-type".to_owned(), "application/grpc".to_owned()));
            let message = utf8_percent_encode(&body, MESSAGE).to_string();
            if !message.is_empty() && !is_head {
                headers.push(("grpc-message".to_owned(), message));
            }
            body = String::new();
        } else if !body.is_empty() {
            headers.push(("content-length".to_owned(), body.len().to_string()));
        }
        if is_head {
            body = String::new();
        }
        Self {
            status,
            details: reply.details,
            headers,
            body,
        }
    }
}
