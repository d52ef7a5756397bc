//! The host's side of the filter: the one part that names proxy-wasm.
//!
//! It moves bytes in and decisions out. The core decides what happens to a request; an `if` about a token has no place
//! here.
//!
//! The SDK (`proxy-wasm`) dispatches Envoy's callbacks to [`root`] and [`stream`]. Its dispatcher keeps a map of contexts
//! borrowed during a callback, and panics if Envoy enters the module again from within a call. Envoy does not: it sends
//! responses, continues requests and reports calls that fail at once after the callback has returned.
//!
//! The feature `filter` makes a filter of this crate. Without it the host's crypto remains, for another module that
//! exports its own callbacks.

#[cfg(feature = "filter")]
mod cells;
pub mod crypto;
#[cfg(feature = "filter")]
mod fetch;
pub mod ffi;
#[cfg(feature = "filter")]
mod filter;
#[cfg(feature = "filter")]
mod log;
#[cfg(feature = "filter")]
mod metrics;
#[cfg(feature = "filter")]
mod passage;
#[cfg(feature = "filter")]
mod properties;
#[cfg(feature = "filter")]
mod root;
#[cfg(feature = "filter")]
mod stream;
