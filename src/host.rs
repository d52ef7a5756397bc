//! The host's side of the filter: the one place that names proxy-wasm.
//!
//! It moves bytes in and decisions out. What a request deserves is decided elsewhere; an `if` about a token has no
//! place here.

pub mod abi;
pub mod crypto;
pub mod metrics;
pub mod root;
pub mod stream;

#[cfg(feature = "filter")]
proxy_wasm::main! {{
    use proxy_wasm::traits::RootContext;
    use proxy_wasm::types::LogLevel;

    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(root::Root::new()) });
}}
