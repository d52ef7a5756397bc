//! HTTP calls through Envoy's clusters.

use super::abi;
use crate::ports::{Call, CallId, NotSent, Outbound};

/// Sends calls with `proxy_http_call`. The responses come to the root context.
pub struct HostOutbound;

impl Outbound for HostOutbound {
    fn send(&mut self, call: &Call<'_>) -> Result<CallId, NotSent> {
        abi::call(call.cluster, &call.fields(), call.body, call.timeout).map(CallId)
    }
}
