//! HTTP calls through Envoy's clusters.

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, Status};

use super::ffi;
use crate::header_map;
use crate::keys::MAX_RESPONSE;
use crate::ports::{Call, CallId, NotSent, Outbound, Response};

/// Sends calls with the SDK, whose dispatcher delivers the responses to the root context.
pub struct HostOutbound;

impl Outbound for HostOutbound {
    fn send(&mut self, call: &Call<'_>) -> Result<CallId, NotSent> {
        let body = (!call.body.is_empty()).then_some(call.body);
        let (cluster, headers) = (call.cluster, call.fields());
        let sent = hostcalls::dispatch_http_call(cluster, headers, body, Vec::new(), call.timeout);
        sent.map(CallId).map_err(|status| match status {
            Status::BadArgument => NotSent::NoCluster,
            _ => NotSent::Refused,
        })
    }
}

/// Hands over the response to the call that has just ended; none if no response came.
pub fn with_response<T>(take: impl FnOnce(Option<Response<'_>>) -> T) -> T {
    let map = ffi::call_response_headers().unwrap_or_default();
    let headers = header_map::parse(&map).unwrap_or_default();
    let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, MAX_RESPONSE + 1);
    take(Response::from_host(
        headers,
        body.ok().flatten().unwrap_or_default(),
    ))
}
