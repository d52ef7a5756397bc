//! placeholder
pub mod authenticate;
#[cfg(not(target_arch = "wasm32"))]
pub mod mint;
