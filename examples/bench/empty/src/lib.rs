//! A filter that forwards each request and reads nothing: the least that a filter in WebAssembly costs. `make bench` measures it.
#![cfg(target_arch = "wasm32")]
#![allow(
    missing_docs,
    reason = "`main!` writes a public function without documentation"
)]

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root) });
}}

struct Root;

impl Context for Root {}

impl RootContext for Root {
    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// A request. The trait's own callbacks forward it.
struct Stream;

impl Context for Stream {}

impl HttpContext for Stream {}
