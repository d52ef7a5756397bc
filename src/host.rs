//! The host's side of the filter: the one part that names proxy-wasm.
//!
//! It moves bytes in and decisions out. The core decides what happens to a request; an `if` about a token has no place
//! here.
//!
//! The SDK (`proxy-wasm`) dispatches Envoy's callbacks to `root` and `stream`. Its dispatcher keeps the map of contexts
//! borrowed during a callback, and panics if Envoy enters the module again from within a host call. Envoy defers what a
//! call causes until the callback has returned: a response, a continued request, an HTTP call that fails at once. There
//! is one exception: an HTTP call to a cluster that has this filter, in the same VM, among its upstream `http_filters`.
//! Fetching keys through such a cluster ends the module for every request of the worker, each time it is tried.
//!
//! The feature `filter` makes a filter of this crate. Without it the host's crypto remains, for another module that
//! exports its own callbacks.

pub mod crypto;
pub mod ffi;
#[cfg(feature = "filter")]
mod filter;
#[cfg(feature = "filter")]
mod log;
#[cfg(feature = "filter")]
mod metrics;
#[cfg(feature = "filter")]
mod outbound;
#[cfg(feature = "filter")]
mod passage;
#[cfg(feature = "filter")]
mod properties;
#[cfg(feature = "filter")]
mod root;
#[cfg(feature = "filter")]
mod shared;
#[cfg(feature = "filter")]
mod stream;
