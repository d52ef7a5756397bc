//! The context of one request.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::filter::{Filter, Next};

/// The context of one request.
pub struct Stream {
    /// The number of this context at the host.
    context: u32,
    filter: Rc<Filter>,
}

impl Stream {
    /// The context of a request that this filter decides.
    pub fn new(context: u32, filter: Rc<Filter>) -> Self {
        Self { context, filter }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        self.filter.decide(self.context, !end_of_stream).into()
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.filter.strip_trailers().into()
    }
}

impl From<Next> for Action {
    fn from(next: Next) -> Self {
        match next {
            Next::Continues => Self::Continue,
            // After a response of the filter as well: the request must not go on.
            Next::Answered | Next::Waits => Self::Pause,
        }
    }
}

/// The request has ended: a response was sent, or the client has gone.
impl Drop for Stream {
    fn drop(&mut self) {
        self.filter.forget(self.context);
    }
}
