//! placeholder
pub mod authenticate;
pub mod json;
#[cfg(not(target_arch = "wasm32"))]
pub mod mint;
