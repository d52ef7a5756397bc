//! The host's side of the filter: the one place that knows of proxy-wasm.
//!
//! It moves bytes in and decisions out. What a request deserves is decided elsewhere; an `if` about a token has no
//! place here.
//!
//! The feature `filter` makes a filter of it. Without it the calls to the host remain, for another module, which
//! brings the functions that a host calls.

pub mod abi;
#[cfg(feature = "filter")]
mod contexts;
pub mod crypto;
#[cfg(feature = "filter")]
mod filter;
#[cfg(feature = "filter")]
mod metrics;
#[cfg(feature = "filter")]
mod outbound;
#[cfg(feature = "filter")]
mod root;
#[cfg(feature = "filter")]
mod shared;
