//! API keys.

pub mod list;
