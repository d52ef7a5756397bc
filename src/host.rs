//! The host's side of the filter: the one place that names proxy-wasm.
//!
//! It moves bytes in and decisions out. What a request deserves is decided elsewhere; an `if` about a token has no
//! place here.
//!
//! The feature `filter` makes a filter of it. Without it the calls to the host remain, for another module.

pub mod abi;
pub mod crypto;
#[cfg(feature = "filter")]
mod fetch;
#[cfg(feature = "filter")]
mod filter;
#[cfg(feature = "filter")]
mod metrics;
#[cfg(feature = "filter")]
mod root;
#[cfg(feature = "filter")]
mod stream;

#[cfg(feature = "filter")]
mod start {
    use proxy_wasm::traits::RootContext;
    use proxy_wasm::types::LogLevel;

    use super::root::Root;

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Info);
        proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root::new()) });
    }}
}
