//! One request.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::filter::{Fate, Filter};

/// A request on its way through the filter.
pub struct Stream {
    context: u32,
    filter: Rc<Filter>,
}

impl Stream {
    /// A request that is judged by `filter`, which stays the same for it whatever is configured meanwhile.
    pub fn new(context: u32, filter: Rc<Filter>) -> Self {
        Self { context, filter }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        match self.filter.judge(self.context) {
            Fate::Passes => Action::Continue,
            Fate::Answered | Fate::Waits => Action::Pause,
        }
    }
}

/// The host drops a stream when it has ended, also when its client went away.
impl Drop for Stream {
    fn drop(&mut self) {
        self.filter.forget(self.context);
    }
}
