//! HTTP calls through Envoy's clusters.

use std::time::Duration;

use proxy_wasm::hostcalls::dispatch_http_call;
use proxy_wasm::types::Status;

use crate::ports::{Call, CallId, NotSent, Outbound};

/// The longest timeout that the host can be given. The SDK would cut off a longer one.
const MAX_TIMEOUT: Duration = Duration::from_millis(u32::MAX as u64);

/// Sends calls with the SDK, whose dispatcher panics on the response to a call that it has not sent. The responses come to
/// the root context.
pub struct HostOutbound;

impl Outbound for HostOutbound {
    fn send(&mut self, call: &Call<'_>) -> Result<CallId, NotSent> {
        let timeout = call.timeout.min(MAX_TIMEOUT);
        let sent = dispatch_http_call(
            call.cluster,
            call.fields(),
            Some(call.body),
            vec![],
            timeout,
        );
        sent.map(CallId).map_err(|status| match status {
            Status::BadArgument => NotSent::NoCluster,
            _ => NotSent::Refused,
        })
    }
}
